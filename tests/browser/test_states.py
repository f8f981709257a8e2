"""Whatever the chat shows can be seen, read and hit by everybody: axe, narrow and large windows, spacing, direction, colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import layout
from tests.browser.axe import BEST_PRACTICE, WCAG, violations
from tests.browser.chat import DESKTOP, PHONE, Device
from tests.browser.clinic import Site
from tests.browser.conftest import NewDevice
from tests.browser.server import Server
from tests.browser.states import STATES, Shown
from tests.browser.words import WORDS

LOOKS: Mapping[str, Mapping[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "forced_colors": {"forced_colors": "active"},
    "dark_forced_colors": {"color_scheme": "dark", "forced_colors": "active"},
}
SETTINGS = {
    "high_contrast": ("contrast_high",),
    "very_large_text": ("size_larger",),
    "high_contrast_very_large_text": ("contrast_high", "size_larger"),
}


@pytest.fixture(scope="module", params=list(STATES))
def shown(request: pytest.FixtureRequest, browser: Browser, shared_site: Site, shared_server: Server) -> Iterator[Shown]:
    """Each state in turn, on a phone; tests leave it as they found it."""
    made: list[Device] = []

    def make(**options: object) -> Device:
        made.append(Device(browser, shared_site, options))
        return made[-1]

    yield STATES[request.param].show(make, shared_server)
    for device in made:
        device.close()


@contextmanager
def _window(page: Page, width: int, height: int) -> Iterator[None]:
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": height})
    try:
        yield
    finally:
        assert before is not None
        page.set_viewport_size(before)


def test_axe_finds_no_violation(shown: Shown) -> None:
    assert [found for frame in shown.documents for found in violations(frame, WCAG)] == []


def test_axe_finds_nothing_that_could_be_better(shown: Shown) -> None:
    assert [found for frame in shown.documents for found in violations(frame, BEST_PRACTICE)] == []


def test_nothing_scrolls_sideways_at_320_px(shown: Shown) -> None:
    with _window(shown.page, 320, 640):
        assert [found for frame in shown.documents for found in layout.sticking_out(frame)] == []
        assert layout.cut_off(shown.document) == []


def test_nothing_scrolls_sideways_when_a_desktop_is_zoomed_to_200_percent(shown: Shown) -> None:
    with _window(shown.page, 640, 400):
        assert [found for frame in shown.documents for found in layout.sticking_out(frame)] == []
        _can_be_used(shown)


def test_text_of_double_size_fits(shown: Shown) -> None:
    with layout.double_text(shown.document):
        assert layout.sticking_out(shown.document) == []
        assert layout.cut_off(shown.document) == []


def test_phone_with_its_keyboard_open_shows_numbers_and_text_box(shown: Shown) -> None:
    with _window(shown.page, 390, 400):
        assert layout.sticking_out(shown.document) == []
        _can_be_used(shown)


def test_everything_can_be_hit_with_a_finger(shown: Shown) -> None:
    assert [found for frame in shown.documents for found in layout.too_small(frame)] == []


def test_nothing_touches_its_neighbour(shown: Shown) -> None:
    assert [found for frame in shown.documents for found in layout.too_close(frame)] == []


@pytest.mark.parametrize("width", [320, 390, 412, 640])
def test_no_line_begins_with_a_full_stop(shown: Shown, width: int) -> None:
    with _window(shown.page, width, 800):
        assert layout.lost_stops(shown.document) == []


def test_wide_text_spacing_cuts_nothing_off(shown: Shown) -> None:
    with layout.wide_spacing(shown.document):
        assert layout.sticking_out(shown.document) == []
        assert layout.cut_off(shown.document) == []


def test_from_right_to_left_nothing_sticks_out(shown: Shown) -> None:
    with layout.from_right_to_left(shown.document), _window(shown.page, 320, 640):
        assert layout.sticking_out(shown.document) == []


@pytest.mark.parametrize("look", list(LOOKS))
def test_axe_finds_no_violation_in_other_colours(shown: Shown, look: str) -> None:
    shown.page.emulate_media(**LOOKS[look])
    found = [found for frame in shown.documents for found in violations(frame, WCAG)]
    shown.page.emulate_media(color_scheme="light", forced_colors="none")
    assert found == []


def test_axe_finds_no_violation_on_a_desktop(shown: Shown) -> None:
    with _window(shown.page, 1280, 800):
        assert [found for frame in shown.documents for found in violations(frame, WCAG)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("setting", list(SETTINGS))
def test_axe_finds_no_violation_with_the_patients_settings(setting: str, scheme: str, new_device: NewDevice, server: Server) -> None:
    shown = STATES["everything"].show(new_device, server, color_scheme=scheme)
    shown.panel.open_menu()
    for choice in SETTINGS[setting]:
        shown.panel.menu_item(choice, "radio").check()
    assert violations(shown.panel.frame, WCAG) == []
    assert layout.too_small(shown.panel.frame) == []
    shown.panel.menu_item("back").click()
    assert violations(shown.panel.frame, WCAG) == []
    with _window(shown.page, 320, 640):
        assert layout.sticking_out(shown.panel.frame) == []
        assert layout.cut_off(shown.panel.frame) == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_very_large_text_leaves_room_for_the_dialogue(size: Mapping[str, Any], new_device: NewDevice, server: Server) -> None:
    shown = STATES["call_doctor"].show(new_device, server, **{"has_touch": False, "is_mobile": False, **size})
    shown.panel.open_menu()
    shown.panel.menu_item("size_larger", "radio").check()
    shown.panel.menu_item("back").click()
    shown.panel.box.focus()
    _can_be_used(shown)
    assert shown.panel.root.locator("header").evaluate("(e) => e.getBoundingClientRect().top") >= 0


def test_very_large_text_is_half_as_large_again(device: Device) -> None:
    panel = device.open()
    size = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = panel.frame.evaluate(size)
    panel.open_menu()
    panel.menu_item("size_larger", "radio").check()
    assert panel.frame.evaluate(size) == pytest.approx(before * 1.5)


def test_buttons_have_an_edge_where_the_system_chooses_the_colours(new_device: NewDevice) -> None:
    clinic = new_device(forced_colors="active").visit()
    panel = clinic.open()
    panel.say("My legs feel weak.")
    edge = "(e) => parseFloat(getComputedStyle(e).borderTopWidth)"
    assert clinic.launcher.evaluate(edge) > 0
    for button in [*panel.root.get_by_role("button").all(), *panel.root.locator("a.phone").all()]:
        assert button.evaluate(edge) > 0, button.inner_text()


def test_nothing_moves_for_those_who_asked_for_less_motion(new_device: NewDevice) -> None:
    clinic = new_device(reduced_motion="reduce").visit()
    panel = clinic.open()
    panel.type("My legs feel weak.")
    assert layout.moving(clinic.page.main_frame) == []
    assert [name for name in layout.moving(panel.frame) if name != "appear"] == []


def _can_be_used(shown: Shown) -> None:
    """The numbers and the text box are in the window, and there is room for a line or two of the dialogue."""
    if not shown.inside:
        return
    height = shown.panel.frame.evaluate("() => innerHeight")
    boxes = [shown.panel.root.locator(".phone").first, shown.panel.main]
    if shown.panel.box.is_visible():
        boxes += [shown.panel.box, shown.panel.send]
    for box in boxes:
        top, bottom = box.evaluate("(e) => { const box = e.getBoundingClientRect(); return [box.top, box.bottom]; }")
        assert top >= -1, (WORDS["phones"]["label"], top)
        assert bottom <= height + 1, (bottom, height)
    assert shown.panel.main.evaluate("(e) => e.clientHeight") >= 60
