"""The queue on the screens of a ward: how many cases show at once, what is heard, and that no filter hides an emergency."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from scripts.stack import Stack
from tests.browser import layout
from tests.browser.axe import WCAG, violations
from tests.browser.nurses import Nurse
from tests.browser.server import Server
from tests.browser.test_console_work import emergency

Hire = Callable[..., Nurse]
ROWS = 10
ZOOMED: ViewportSize = {"width": 683, "height": 384}
PHONE: ViewportSize = {"width": 390, "height": 844}
WORDS = (
    "I have chest pain since this morning", "I have a fever of 101", "I can not breathe well", "blood from the site does not stop",
    "the needle site is red and leaking", "I fainted in the kitchen", "numb between the legs", "my left leg is weak",
    "I have chills and a fever of 102", "mom just wet the bed and didnt feel it",
)  # fmt: skip
SILENCED = """
class Silent extends EventTarget { state = "suspended"; currentTime = 0; async resume() { } }
window.AudioContext = Silent;
"""
"""A browser that keeps sound back for good."""


@pytest.fixture(scope="module")
def lead(browser: Browser, ward_stack: Stack, ward: Server) -> Iterator[Nurse]:
    """A team lead with ten cases."""
    for text in WORDS:
        emergency(ward, text)
    person = Nurse(browser, ward_stack, "Lead of the queue", "lead", bypass_csp=True)
    yield person.set_up().log_in()
    person.close()


def _bottoms(page: Page, selector: str) -> list[float]:
    found: list[float] = page.locator(selector).evaluate_all("(all) => all.map((each) => each.getBoundingClientRect().bottom)")
    return found


def _beeps(page: Page) -> int:
    return int(page.evaluate("() => document.body.dataset.beeps ?? 0"))


def test_ten_cases_show_at_once_on_a_wards_screen(lead: Nurse) -> None:
    lead.go()
    expect(lead.page.locator("#live tbody tr").nth(ROWS - 1)).to_be_visible()
    bottoms = _bottoms(lead.page, "#live tbody tr")
    assert sum(bottom <= 768 for bottom in bottoms) >= ROWS, bottoms


@pytest.mark.parametrize("size", [ZOOMED, PHONE], ids=["zoomed", "phone"])
def test_the_first_case_and_its_button_are_on_the_first_screen(lead: Nurse, size: ViewportSize) -> None:
    lead.page.set_viewport_size(size)
    try:
        lead.go()
        expect(lead.page.locator("#live tbody tr").first).to_be_visible()
        assert _bottoms(lead.page, "#live tbody tr")[0] <= size["height"]
        assert _bottoms(lead.page, "#live .take button")[0] <= size["height"]
        assert violations(lead.page.main_frame, WCAG) == []
        assert [
            found for found in layout.sticking_out(lead.page.main_frame) if "a.skip" not in found and "visually-hidden" not in found
        ] == []
    finally:
        lead.page.set_viewport_size({"width": 1366, "height": 768})


@pytest.mark.parametrize("path", ["/", "/?only=callback", "/notices", "/figures"])
def test_axe_finds_no_violation(lead: Nurse, path: str) -> None:
    lead.go(path)
    assert violations(lead.page.main_frame, WCAG) == []


def test_the_red_line_stands_where_the_list_does_not_have_an_emergency(lead: Nurse) -> None:
    lead.go("/?view=closed")
    expect(lead.page.locator("#alarm")).to_contain_text("for a nurse")
    lead.go()
    expect(lead.page.locator("#live tbody tr").first).to_be_visible()
    expect(lead.page.locator("#alarm")).to_be_hidden()


def test_the_line_has_the_patients_words_and_its_button_acknowledges(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    number = nurse.waiting()[-1]
    row = nurse.page.locator("tr", has=nurse.case_link(number))
    expect(row).to_contain_text("“wet the bed")
    row.get_by_role("button", name=f"Acknowledge case {number}").click()
    expect(nurse.page.locator("#told")).to_contain_text(f"Acknowledged: case {number}")
    assert nurse.at == "/console/"
    expect(row).to_contain_text(f"Acknowledged by {nurse.name}")


def test_a_call_doctor_case_sounds_once_and_softly(ward: Server, hire: Hire) -> None:
    nurse = hire()
    nurse.go("/handover")
    nurse.press("Tab")
    before = _beeps(nurse.page)
    emergency(ward, "I have a fever of 103")
    expect(nurse.page.locator("body[data-beep='call']")).to_have_count(1, timeout=5_000)
    assert _beeps(nurse.page) == before + 1


def test_a_sound_that_the_browser_keeps_back_is_told_and_what_was_missed_sounds_later(browser: Browser, ward_stack: Stack) -> None:
    person = Nurse(browser, ward_stack, "Nurse without sound", "nurse")
    person.set_up().log_in()
    person.page.add_init_script(SILENCED)
    person.go()
    muted = person.page.locator("#muted")
    expect(muted).to_contain_text("Sound is off until you click somewhere")
    muted.get_by_role("button").click()
    expect(muted).to_be_visible()  # this browser does not let it be switched on
    assert _beeps(person.page) == 0
    person.press("m")
    expect(muted).to_be_hidden()  # the nurse switched the sound off
    person.close()
    assert person.watch.complaints == []


def test_a_touch_lets_the_sound_through(hire: Hire) -> None:
    nurse = hire()
    nurse.go()
    nurse.press("Tab")
    expect(nurse.page.locator("#muted")).to_be_hidden()
