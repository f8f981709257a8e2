"""How much of the window the bars take, in pixels, and that what matters is whole on the screen: keyboards, large text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import layout
from tests.browser.chat import PHONE, Panel
from tests.browser.conftest import NewDevice
from tests.browser.words import EMERGENCY, FEVER, NUMB_LEGS, SORE, SPANISH, WEAK_LEGS, WORDS

SIZES_PX = ((320, 568), (360, 380), (360, 640), (390, 844), (768, 1024), (1366, 768))
WINDOWS = {f"{width}x{height}": (width, height) for width, height in SIZES_PX}
SHARE = {"normal": 0.58, "large": 0.55, "larger": 0.5}
SIZES = list(SHARE)
HEADER_PX = 60

_CHOOSE = """(size) => {
  localStorage.setItem("aftercare.view", JSON.stringify({ size, contrast: "normal" }));
  document.documentElement.dataset.size = size;
  dispatchEvent(new Event("resize"));
}"""


_MIDDLE = "(e) => { const box = e.getBoundingClientRect(); return box.top + box.height / 2; }"
_LINES = """(e) => {
  const { fontSize, lineHeight, paddingTop, paddingBottom } = getComputedStyle(e);
  const [font, line, above, under] = [fontSize, lineHeight, paddingTop, paddingBottom].map(parseFloat);
  return [(e.clientHeight - above - under) / line, Math.max(above, under), line - font];
}"""
_EDGES = "(e) => { const box = e.getBoundingClientRect(); return [box.top, box.bottom]; }"


@pytest.fixture(params=list(WINDOWS))
def window(request: pytest.FixtureRequest) -> tuple[int, int]:
    return WINDOWS[request.param]


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chat(new_device: NewDevice, window: tuple[int, int], size: str) -> Panel:
    return _chat(new_device, window, size)


def _chat(new_device: NewDevice, window: tuple[int, int], size: str, path: str = "/", words: Mapping[str, Any] = WORDS) -> Panel:
    """The chat of this text size in a window of this size."""
    width, height = window
    small = width < 700
    options = {**PHONE, "is_mobile": small, "has_touch": small, "viewport": {"width": width, "height": height}}
    panel = new_device(**options).visit(path, words).open()
    panel.frame.evaluate(_CHOOSE, size)
    return panel


def _height(panel: Panel) -> float:
    return float(panel.frame.evaluate("() => innerHeight"))


def _share(panel: Panel) -> float:
    """The part of the window that is the dialogue's."""
    return float(panel.main.evaluate("(e) => e.clientHeight")) / _height(panel)


def _whole(panel: Panel, *places: Locator) -> None:
    """Each stands between the bars, all of it."""
    top, bottom = panel.main.evaluate(_EDGES)
    for place in places:
        box = place.evaluate(_EDGES)
        assert box[0] >= top - 1, (place, box, top)
        assert box[1] <= bottom + 1, (place, box, bottom)


def _more(panel: Panel) -> Locator:
    return panel.root.get_by_role("button", name=WORDS["chat"]["more_below"])


def test_header_and_numbers_are_one_line(chat: Panel) -> None:
    header = chat.root.locator("header")
    assert header.evaluate("(e) => e.getBoundingClientRect().height") <= HEADER_PX
    buttons = header.locator("button, a")
    assert buttons.count() == 4
    assert len({round(button.evaluate(_MIDDLE)) for button in buttons.all()}) == 1
    assert layout.sticking_out(chat.frame) == []
    assert [found for found in layout.cut_off(chat.frame) if not found.startswith("label.")] == []  # hidden by a keyboard
    assert layout.too_small(chat.frame) == []


def test_the_dialogue_has_most_of_the_window(chat: Panel, window: tuple[int, int], size: str) -> None:
    least = 0.6 if (window, size) == ((360, 640), "normal") else SHARE[size]
    assert _share(chat) >= least
    chat.say(WEAK_LEGS)
    assert _share(chat) >= least
    chat.say(SORE)
    assert _share(chat) >= least


def test_an_emergency_is_whole_on_the_screen_when_it_arrives(chat: Panel) -> None:
    chat.say(NUMB_LEGS)
    card = chat.card(EMERGENCY)
    card.wait_for()
    _whole(chat, card.get_by_role("heading"), card.get_by_role("link", name="Call 911"))


def test_a_question_and_its_first_two_buttons_are_seen(chat: Panel) -> None:
    chat.say(WEAK_LEGS)
    _whole(chat, chat.answers.last.locator(".b-question"), chat.choice("Yes"), chat.choice("No"))


def test_what_is_below_the_fold_has_a_sign(chat: Panel) -> None:
    chat.say(SORE)
    send = chat.check.get_by_role("button", name=WORDS["check"]["send"])
    expect(_more(chat)).to_be_visible()
    for _ in range(60):
        if not _more(chat).count():
            break
        _more(chat).click()
    expect(_more(chat)).to_have_count(0)
    _whole(chat, send)


def test_a_keyboard_that_opens_keeps_the_question_in_sight(new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, 640), "normal")
    panel.say(WEAK_LEGS)
    panel.page.set_viewport_size({"width": 360, "height": 380})
    expect(panel.root.locator("header")).to_be_in_viewport(ratio=1)
    panel.page.wait_for_timeout(300)
    _whole(panel, panel.answers.last.locator(".b-question"), panel.choice("Yes"), panel.choice("No"))


def test_nothing_is_to_be_scrolled_on_the_first_screen_of_a_small_phone(new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, 640), "normal")
    assert panel.main.evaluate("(e) => e.scrollHeight - e.clientHeight") <= 0
    _whole(panel, panel.root.get_by_role("button", name=WORDS["start"]["helper"]))


@pytest.mark.parametrize("high", [640, 380])
@pytest.mark.parametrize("way", ["symptom", "question", "helper"])
def test_a_way_to_begin_that_was_chosen_shows_that_it_was(way: str, high: int, new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, 640), "normal")
    button = panel.root.get_by_role("button", name=WORDS["start"][way])
    button.tap()
    expect(button).to_have_attribute("aria-pressed", "true")
    panel.page.set_viewport_size({"width": 360, "height": high})
    panel.page.wait_for_timeout(300)
    _whole(panel, button)
    expect(_more(panel)).to_have_count(0)
    if way != "helper":
        hint = panel.root.get_by_text(WORDS["composer"][f"hint_{way}"])
        expect(hint).to_be_in_viewport(ratio=1)
        expect(panel.box).to_be_focused()


def test_a_text_size_that_is_chosen_stays_in_sight(new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, 640), "normal")
    panel.open_menu()
    for size in ("size_larger", "size_large", "size_normal"):
        choice = panel.menu_item(size, "radio")
        choice.scroll_into_view_if_needed()
        before = choice.evaluate(_EDGES)[0]
        choice.check()
        assert abs(choice.evaluate(_EDGES)[0] - before) < 12
        expect(choice).to_be_in_viewport()


@pytest.mark.parametrize(("high", "lines"), [(640, 4), (380, 2)])
def test_a_long_text_is_shown_in_whole_lines(high: int, lines: int, new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, high), "normal")
    panel.box.fill("It hurts where the needle went in. " * 8)
    shown, around, between = panel.box.evaluate(_LINES)
    assert shown == pytest.approx(lines, abs=0.05)
    assert around <= between / 2


def test_of_the_panel_only_the_dialogue_scrolls(new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, 640), "normal")
    for _ in range(3):
        panel.say(FEVER)
    panel.answers.last.get_by_role("button", name=WORDS["card"]["show"]).click()
    expect(panel.root.locator(".care h2")).to_be_in_viewport(ratio=1)
    _stands_still(panel)
    panel.box.hover()
    panel.page.mouse.wheel(0, 900)
    _swipe_up_from(panel, panel.box)
    panel.frame.evaluate("() => scrollTo(0, 900)")
    panel.page.wait_for_timeout(300)
    _stands_still(panel)


def _stands_still(panel: Panel) -> None:
    """The panel's document is as high as its window, and its header is on top of it."""
    high, window, scrolled = panel.frame.evaluate("() => [document.documentElement.scrollHeight, innerHeight, scrollY]")
    assert (high, scrolled) == (window, 0)
    assert panel.root.locator("header").evaluate(_EDGES)[0] == 0


def _swipe_up_from(panel: Panel, place: Locator) -> None:
    """Drag a finger from here to the top of the window."""
    box = place.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = panel.page.context.new_cdp_session(panel.page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y * (1 - step / 10)}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_in_spanish_the_header_is_one_line_too(new_device: NewDevice, size: str) -> None:
    panel = _chat(new_device, (360, 640), size, "/spanish", SPANISH)
    assert panel.root.locator("header").evaluate("(e) => e.getBoundingClientRect().height") <= HEADER_PX
    assert layout.cut_off(panel.frame) == []


def test_a_tap_on_an_answer_leaves_the_text_box_alone(new_device: NewDevice) -> None:
    panel = _chat(new_device, (360, 640), "normal")
    panel.say(WEAK_LEGS)
    panel.box.blur()
    panel.page.wait_for_timeout(1_100)
    panel.choice("No").tap()
    expect(panel.answers).to_have_count(3)
    expect(panel.box).not_to_be_focused()
    expect(panel.main).to_be_focused()
