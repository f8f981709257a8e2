"""A click is not lost while the list beneath it is exchanged, the focus stays where it is, and no alarm waits for either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.nurses import Nurse
from tests.browser.server import Server
from tests.browser.test_console_contact import at_case, part, undo
from tests.browser.test_console_work import emergency

Hire = Callable[..., Nurse]
PRESSES = ["mouse", "finger"]
WOKEN = """
let touched = false;
addEventListener("pointerdown", () => { touched = true; }, true);
class Woken extends EventTarget {
  state = "suspended";
  async resume() {
    if (!touched) return;
    this.state = "running";
    this.dispatchEvent(new Event("statechange"));
    window.awake = true;
  }
}
window.AudioContext = Woken;
"""
"""A browser that lets sound through from the first press on."""


@contextmanager
def kept_back(page: Page, address: str) -> Iterator[Callable[[], None]]:
    """Keep what the page asks for at an address back until it is let through, so that it comes at a known moment."""
    held: list[Route] = []
    is_open = False

    def let_through() -> None:
        nonlocal is_open
        is_open = True
        for route in held:
            route.continue_()

    def keep(route: Route) -> None:
        if is_open:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(address), keep)
    yield let_through
    page.unroute(re.compile(address))


class Press:
    """A mouse button, or a finger, that goes down on something and up again."""

    def __init__(self, nurse: Nurse, how: str, target: Locator) -> None:
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None
        self._page, self._how = nurse.page, how
        self._at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        self._touches: Any = nurse.context.new_cdp_session(nurse.page) if how == "finger" else None

    def down(self) -> None:
        """Press."""
        if self._touches:
            self._touches.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [self._at]})
            return
        self._page.mouse.move(self._at["x"], self._at["y"])
        self._page.mouse.down()

    def up(self) -> None:
        """Release."""
        if self._touches:
            self._touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        else:
            self._page.mouse.up()


def _numbers(page: Page) -> set[str]:
    return set(page.locator("#live a.case").all_inner_texts())


def _beeps(page: Page) -> int:
    return int(page.evaluate("() => document.body.dataset.beeps ?? 0"))


@pytest.mark.parametrize("how", PRESSES)
def test_a_case_that_is_pressed_opens_although_another_arrives_before_the_release(how: str, ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire(has_touch=True)
    nurse.press("m", "m")
    number, beeps = nurse.waiting()[0], _beeps(nurse.page)
    with kept_back(nurse.page, r"/console/queue\?") as let_through:
        emergency(ward)
        press = Press(nurse, how, nurse.case_link(number))
        press.down()
        let_through()
        expect(nurse.page.locator("#arrived")).to_contain_text("Emergency: case")
        assert _beeps(nurse.page) == beeps + 1
        press.up()
    expect(nurse.page.get_by_role("heading", level=1)).to_contain_text(f"Case {number}")


def test_what_was_held_back_shows_after_the_release_and_after_a_while_without_one(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    for released in (True, False):
        before = _numbers(nurse.page)
        with kept_back(nurse.page, r"/console/queue\?") as let_through:
            emergency(ward)
            press = Press(nurse, "mouse", nurse.page.get_by_role("heading", level=1))
            press.down()
            let_through()
            expect(nurse.page.locator("#arrived")).to_contain_text("Emergency: case")
            assert _numbers(nurse.page) == before
            if released:
                press.up()
            expect(nurse.page.locator("#live a.case")).to_have_count(len(before) + 1, timeout=1_000 if released else 4_000)


def test_the_first_press_on_the_page_is_a_click_although_it_lets_the_sound_through(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    nurse.page.add_init_script(WOKEN)
    nurse.go()
    number = nurse.waiting()[0]
    expect(nurse.page.locator("#muted")).to_be_visible()
    press = Press(nurse, "mouse", nurse.case_link(number))
    press.down()
    nurse.page.wait_for_function("() => window.awake")
    press.up()
    expect(nurse.page.get_by_role("heading", level=1)).to_contain_text(f"Case {number}")


def test_a_line_about_an_emergency_elsewhere_moves_nothing_that_is_pressed(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    with kept_back(nurse.page, r"/console/alarm") as let_through:
        nurse.go("/me")
        nurse.press("Tab")
        expect(nurse.page.locator("#muted")).to_be_hidden()
        press = Press(nurse, "mouse", nurse.page.get_by_role("button", name="Save"))
        press.down()
        let_through()
        expect(nurse.page.locator("#alarm")).to_contain_text("for a nurse")
        with nurse.page.expect_navigation():
            press.up()


@pytest.mark.parametrize("how", [*PRESSES, "space"])
def test_an_acknowledgement_is_not_lost_while_the_patient_writes(how: str, ward: Server, hire: Hire) -> None:
    nurse = hire(has_touch=True)
    token, _ = at_case(ward, nurse)
    button = nurse.page.get_by_role("button", name="Acknowledge")
    press = Press(nurse, how, button)
    with kept_back(nurse.page, r"/live\?") as let_through:
        assert ward.say(token, "we are on our way").status_code in (200, 202)
        if how == "space":
            button.focus()
            nurse.page.keyboard.down(" ")
        else:
            press.down()
        let_through()
        expect(nurse.page.locator("#news")).to_contain_text("The patient wrote.")
        if how == "space":
            nurse.page.keyboard.up(" ")
        else:
            press.up()
    expect(undo(nurse)).to_be_visible()
    expect(part(nurse, "transcript")).to_contain_text("we are on our way")


def test_the_focus_stays_on_the_same_element_of_the_same_case(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    number = nurse.waiting()[0]
    for name in (f"case-{number}", f"take-{number}", "count-emergencies"):
        nurse.page.locator(f"#{name}").focus()
        before = _numbers(nurse.page)
        emergency(ward)
        expect(nurse.page.locator("#live a.case")).to_have_count(len(before) + 1)
        expect(nurse.page.locator(f"#{name}")).to_be_focused()


def test_behind_the_button_of_a_line_the_focus_goes_to_its_case(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    number = nurse.waiting()[0]
    nurse.page.locator(f"#take-{number}").focus()
    nurse.press("Enter")
    expect(nurse.page.locator(f"#take-{number}")).to_have_count(0)
    expect(nurse.case_link(number)).to_be_focused()
