"""Three windows: a patient's phone, a nurse and a lead. A fever, a request for a call, a nurse's words, two tries, and the books."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.stack import Stack
from tests.browser.chat import PHONE, Panel
from tests.browser.clinic import KEY
from tests.browser.nurses import Nurse

Hire = Callable[..., Nurse]
_NUMBER = "312 555 0177"
_WORDS = "I will call you in ten minutes."


@pytest.fixture
def patient(browser: Browser, ward_stack: Stack) -> Panel:
    """The chat on a phone, as a page of its own."""
    context = browser.new_context(**PHONE)
    page: Page = context.new_page()
    page.goto(f"{ward_stack.gateway}/panel/{KEY}")
    return Panel(page, page).ready()


def _ask_for_call(patient: Panel) -> None:
    patient.root.get_by_role("button", name="Ask a nurse to call you").last.click()
    patient.root.get_by_role("textbox", name="Phone number").fill(_NUMBER)
    patient.root.get_by_role("button", name="Send to the nurses").click()
    expect(patient.main.get_by_text("The clinic has your request for a call").last).to_be_visible()


def _asking(nurse: Nurse) -> int:
    row = nurse.page.locator("#live tr", has_text=re.compile("asks for a call", re.IGNORECASE)).first
    expect(row).to_be_visible(timeout=2_500)
    found = re.search(r"\d+", row.locator("a.case").inner_text())
    assert found is not None
    return int(found[0])


def test_a_request_for_a_call_is_seen_answered_tried_kept_and_on_the_books(ward_stack: Stack, hire: Hire, patient: Panel) -> None:
    nurse, lead, auditor = hire("nurse"), hire("lead"), hire("auditor")
    answer = patient.settle("I have a fever of 101")
    expect(answer).to_contain_text("Call your doctor")
    nurse.go("/?view=work")
    _ask_for_call(patient)
    asked = time.monotonic()
    number = _asking(nurse)
    assert time.monotonic() - asked < 5
    nurse.go(f"/cases/{number}")
    expect(nurse.page.get_by_text("fever of 101").first).to_be_visible()
    nurse.press("a")
    expect(nurse.page.get_by_text("Acknowledged by").first).to_be_visible()
    expect(patient.main.get_by_text("A nurse has seen your request for a call.")).to_be_visible()

    nurse.press("r")
    box = nurse.page.get_by_label("What the patient reads")
    expect(box).to_be_focused()
    nurse.type(_WORDS)
    nurse.tab_to(nurse.page.get_by_role("button", name="Send to the patient"))
    nurse.press("Enter")
    expect(patient.main.get_by_text(_WORDS)).to_be_visible(timeout=3_000)
    expect(nurse.page.locator("ul.history").first).to_contain_text("wrote into the chat")

    for result, left in (("Voicemail", "tried to reach you"), ("Reached", "")):
        nurse.press("c")
        nurse.page.get_by_role("radio", name=re.compile(result, re.IGNORECASE)).check()
        nurse.tab_to(nurse.page.get_by_role("button", name="Record the try"))
        nurse.press("Enter")
        expect(nurse.page.locator("ul.history").first).to_contain_text(re.compile(result, re.IGNORECASE))
        if left:
            expect(patient.main.get_by_text(re.compile(left)).last).to_be_visible()

    lead.go("/figures")
    expect(lead.page.get_by_role("main")).to_contain_text(re.compile("call", re.IGNORECASE))
    auditor.go(f"/audit?case={number}")
    entries = auditor.page.get_by_role("main").inner_text()
    for act in ("acknowledge", "reply", "attempt"):
        assert re.search(act, entries, re.IGNORECASE), act
    assert _WORDS not in entries
    _leaves_no_words_in_the_log(ward_stack)


def _leaves_no_words_in_the_log(stack: Stack) -> None:
    written = "".join(file.read_text(encoding="utf-8", errors="replace") for file in stack.logs.iterdir() if file.is_file())
    for words in (_WORDS, "555-0177", "555 0177"):
        assert words not in written
