"""A nurse reaches a patient by keyboard alone, and the case's page goes on by itself while somebody writes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.browser.nurses import Nurse
from tests.browser.server import Server
from tests.browser.test_console_work import EMERGENCY, emergency

Hire = Callable[..., Nurse]
SCREENS: dict[str, ViewportSize] = {
    "a ward's screen": {"width": 1366, "height": 768},
    "the same at 200 %": {"width": 683, "height": 384},
    "a telephone": {"width": 390, "height": 844},
}


def at_case(ward: Server, nurse: Nurse, text: str = EMERGENCY) -> tuple[str, int]:
    """A new patient's case, which the nurse opens; the patient's token and the case's number."""
    nurse.watch.tolerate("AudioContext")  # the alarm of a page that nobody has touched yet
    token = emergency(ward, text)
    nurse.go("/?view=all")
    numbers = nurse.page.locator("#live a.case").all_inner_texts()
    number = max(int(found[0]) for text in numbers if (found := re.search(r"\d+", text)))
    nurse.go(f"/cases/{number}")
    return token, number


def take(nurse: Nurse) -> None:
    """Acknowledge the case that is open."""
    nurse.press("a")
    expect(undo(nurse)).to_be_visible()


def undo(nurse: Nurse) -> Locator:
    return nurse.page.get_by_role("button", name="Undo my acknowledgement")


def part(nurse: Nurse, name: str) -> Locator:
    return nurse.page.locator(f"#part-{name}")


def enter(nurse: Nurse, button: str) -> None:
    """Go to a button with Tab and press it; the page comes again."""
    nurse.tab_to(nurse.page.get_by_role("button", name=button, exact=True))
    with nurse.page.expect_navigation():
        nurse.press("Enter")


def test_a_letter_and_a_try_by_keyboard(ward: Server, hire: Hire) -> None:
    nurse = hire()
    token, _ = at_case(ward, nurse)
    take(nurse)
    nurse.press("r")
    nurse.type("I read what you wrote.")
    enter(nurse, "Send to the patient")
    expect(part(nurse, "transcript")).to_contain_text(re.compile(rf"{nurse.name} wrote, shown as .*, not delivered yet"))
    letters = [event for event in ward.events(token) if event["kind"] == "staff"]
    assert [letter["text"] for letter in letters] == ["I read what you wrote."]
    expect(part(nurse, "transcript")).to_contain_text(re.compile(rf"{nurse.name} wrote, shown as .*, delivered"), timeout=8_000)
    expect(part(nurse, "situation")).to_contain_text(f"{nurse.name} holds the chat until")
    nurse.press("c")
    expect(nurse.page.get_by_role("radio", name="Reached")).to_be_focused()
    nurse.press("ArrowDown")
    expect(nurse.page.get_by_role("radio", name="Left a voicemail")).to_be_checked()
    nurse.press("Tab")
    nurse.type("asked to call back")
    enter(nurse, "Record the try")
    expect(part(nurse, "history")).to_contain_text("tried to reach the patient: left a voicemail, next try due")
    expect(part(nurse, "history")).to_contain_text(": asked to call back")


def test_an_acknowledgement_is_undone_by_keyboard(ward: Server, hire: Hire) -> None:
    nurse = hire()
    at_case(ward, nurse)
    take(nurse)
    enter(nurse, "Undo my acknowledgement")
    expect(nurse.page.get_by_role("button", name="Acknowledge")).to_be_visible()
    expect(part(nurse, "history")).to_contain_text("took the acknowledgement back")


def test_a_case_is_raised_and_lowered_by_two_nurses_by_keyboard(ward: Server, hire: Hire) -> None:
    nurse, other = hire(), hire()
    other.watch.tolerate("AudioContext")
    _, number = at_case(ward, nurse, "I have a fever of 101.5 F")
    nurse.tab_to(nurse.page.get_by_text("Raise: it is more urgent"))
    nurse.press("Enter", "Tab", "Tab")
    nurse.type("she sounds ill")
    enter(nurse, "Raise")
    expect(part(nurse, "bar").locator(".tier")).to_have_text("Emergency")
    nurse.tab_to(nurse.page.get_by_text("Lower: it is less urgent"))
    nurse.press("Enter", "Tab", "Tab")
    nurse.type("an old fever")
    enter(nurse, "Lower")
    expect(part(nurse, "situation")).to_contain_text(f"{nurse.name} asks to lower this case")
    other.go(f"/cases/{number}")
    enter(other, "Agree")
    expect(part(other, "bar").locator(".tier")).to_have_text("Call doctor")
    expect(part(nurse, "bar").locator(".tier")).to_have_text("Call doctor", timeout=8_000)
    expect(part(nurse, "situation")).to_contain_text(f"Lowered by hand by {other.name}")


def test_new_words_appear_while_a_draft_its_focus_and_the_place_stay(ward: Server, hire: Hire) -> None:
    nurse = hire()
    token, _ = at_case(ward, nurse)
    take(nurse)
    nurse.press("r")
    nurse.type("half a letter")
    box = nurse.page.get_by_label("What the patient reads")
    before = box.bounding_box()
    said = "we are on our way to the hospital now"
    assert ward.say(token, said).status_code in (200, 202)
    expect(part(nurse, "transcript")).to_contain_text(said, timeout=8_000)
    expect(nurse.page.locator("#news")).to_contain_text("The patient wrote.")
    expect(box).to_have_value("half a letter")
    expect(box).to_be_focused()
    after = box.bounding_box()
    assert before is not None
    assert after is not None
    if nurse.page.evaluate("() => scrollY") > 0:
        assert abs(after["y"] - before["y"]) < 40
    nurse.type(", and the other half")
    expect(box).to_have_value("half a letter, and the other half")


def test_while_the_screen_is_locked_nothing_is_asked_for(ward: Server, hire: Hire) -> None:
    nurse = hire()
    token, _ = at_case(ward, nurse)
    nurse.page.evaluate("() => document.body.classList.add('locked')")
    nurse.page.wait_for_timeout(2_500)
    asked = len([url for url in nurse.watch.requests if "/live" in url])
    assert ward.say(token, "thank you").status_code in (200, 202)
    nurse.page.wait_for_timeout(4_500)
    assert len([url for url in nurse.watch.requests if "/live" in url]) == asked


def test_a_refused_act_keeps_the_draft_says_why_and_is_not_sent_again_by_a_reload(ward: Server, hire: Hire) -> None:
    nurse, other = hire(), hire()
    _, number = at_case(ward, nurse)
    take(nurse)
    other.watch.tolerate("409|AudioContext")
    other.go(f"/cases/{number}")
    other.press("r")
    other.type("half a letter")
    box = other.page.get_by_label("What the patient reads")
    nurse.press("r")
    nurse.type("mine")
    enter(nurse, "Send to the patient")
    expect(part(other, "situation")).to_contain_text("holds the chat until", timeout=8_000)
    enter(other, "Send to the patient")
    expect(other.page.get_by_role("alert").filter(has_text=f"{nurse.name} holds this chat")).to_be_visible()
    expect(box).to_have_value("half a letter")
    other.page.wait_for_timeout(5_000)
    expect(box).to_have_value("half a letter")
    assert other.at == f"/console/cases/{number}"
    sent = len(other.watch.bodies)
    other.page.reload()
    assert other.at == f"/console/cases/{number}"
    assert len(other.watch.bodies) == sent
    expect(other.page.locator("#main .refusal")).to_have_count(0)


@pytest.mark.parametrize("screen", list(SCREENS))
def test_acknowledge_stands_on_the_first_screen_and_stays_there(screen: str, ward: Server, hire: Hire) -> None:
    nurse = hire()
    at_case(ward, nurse)
    nurse.page.set_viewport_size(SCREENS[screen])
    button = nurse.page.get_by_role("button", name="Acknowledge")
    for place in ("0", "document.body.scrollHeight"):
        nurse.page.evaluate(f"() => scrollTo(0, {place})")
        expect(button).to_be_in_viewport(ratio=1)


def test_a_template_fills_the_box_and_keeps_what_stands_there(ward: Server, hire: Hire) -> None:
    nurse = hire()
    at_case(ward, nurse)
    take(nurse)
    nurse.press("r")
    nurse.type("Hello.", "Tab")
    nurse.press("Enter")
    box = nurse.page.get_by_label("What the patient reads")
    expect(box).to_be_focused()
    assert re.fullmatch(r"Hello\.\nI will call you .*", box.input_value())
