"""A patient goes through the whole chat on the clinic's page: by mouse, by finger, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import DESKTOP, PHONE, ClinicPage, Device, Panel, tel_links, text_of
from tests.browser.conftest import NewDevice
from tests.browser.server import Server
from tests.browser.words import (
    CALL_DOCTOR,
    CHEST,
    EMERGENCY,
    FEVER,
    HOW_LONG,
    NUMBER,
    SEAT,
    SELF_CARE,
    SHOWER,
    SORE,
    SPANISH,
    TEL,
    WEAK_LEGS,
    WORDS,
    WORSE,
)

BOTH = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
LAUNCHER = WORDS["launcher"]["open_name"]


@pytest.fixture
def clinic(new_device: NewDevice, size: Mapping[str, Any]) -> ClinicPage:
    return new_device(**size).visit()


@pytest.fixture
def touch(size: Mapping[str, Any]) -> Callable[[Locator], None]:
    """Use a thing with a finger on a phone, with a mouse elsewhere."""
    return Locator.tap if size is PHONE else Locator.click


@BOTH
def test_by_pointer_from_launcher_to_emergency(clinic: ClinicPage, touch: Callable[[Locator], None], size: Mapping[str, Any]) -> None:
    touch(clinic.launcher)
    panel = clinic.panel.ready()
    _box_has_the_focus(panel, unless=size is PHONE)
    panel.box.fill(HOW_LONG)
    touch(panel.send)
    faq = panel.answers.nth(1)
    expect(faq).to_contain_text("30-60 minutes")
    touch(faq.locator("summary"))
    expect(faq.locator("details blockquote").first).to_be_visible()
    expect(faq.locator("details cite")).not_to_be_empty()
    expect(panel.say(SHOWER)).to_contain_text("The leaflet does not say")
    panel.settle(SORE)
    expect(panel.card(SELF_CARE)).to_contain_text("Rest, and use an ice pack")
    expect(panel.say(WEAK_LEGS)).to_contain_text(WORSE)
    touch(panel.choice("No"))
    expect(panel.card(CALL_DOCTOR)).to_be_visible()
    _box_has_the_focus(panel, unless=size is PHONE)
    expect(panel.answers.last).to_contain_text(SEAT)
    if panel.unfold.count():
        touch(panel.unfold)
    touch(panel.radio(SEAT, "yes"))
    expect(panel.card(EMERGENCY)).to_be_visible()
    assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.card(EMERGENCY))
    touch(panel.close_button)
    expect(clinic.iframe).to_be_hidden()
    assert clinic.focused == LAUNCHER


@BOTH
def test_opened_chat_begins_with_what_it_is_and_is_not(clinic: ClinicPage) -> None:
    panel = clinic.open()
    notice = panel.root.get_by_role("region", name=WORDS["notice"]["label"])
    expect(notice.locator("p").filter(has_text=WORDS["notice"]["emergency"].split(":")[0])).to_be_in_viewport(ratio=1)
    expect(panel.answers.first).to_be_in_viewport(ratio=1)
    said = text_of(panel.main).lower()
    assert said.count("not a person") == 1
    notice.locator("summary").click()
    expect(notice).to_contain_text(WORDS["notice"]["nurse"])
    expect(notice).to_contain_text("kept in its records")


@BOTH
def test_fever_is_for_the_doctor(clinic: ClinicPage) -> None:
    panel = clinic.open()
    panel.say(FEVER)
    expect(panel.card(CALL_DOCTOR)).to_contain_text(NUMBER["clinic"])
    expect(panel.card(CALL_DOCTOR).locator("details")).to_have_attribute("open", "")


@BOTH
def test_interview_in_own_words_ends_in_an_emergency(clinic: ClinicPage) -> None:
    panel = clinic.open()
    expect(panel.say(WEAK_LEGS)).to_contain_text(WORSE)
    expect(panel.say("No, they are not")).to_contain_text(CHEST)
    panel.say("No, I can not walk at all")
    expect(panel.card(EMERGENCY)).to_be_visible()


def _box_is_next(panel: Panel, size: Mapping[str, Any]) -> None:
    """The text box has the focus; where it would bring up a keyboard, the dialogue has it, and the box is tapped."""
    if size is PHONE:
        expect(panel.main).to_be_focused()
        panel.box.tap()
    expect(panel.box).to_be_focused()


@BOTH
def test_by_keyboard_alone_from_launcher_to_emergency_and_back(clinic: ClinicPage, size: Mapping[str, Any]) -> None:
    keys, panel = clinic.page.keyboard, clinic.panel
    clinic.tab_to(LAUNCHER)
    keys.press("Enter")
    panel.ready()
    _box_is_next(panel, size)
    _typed(panel, HOW_LONG)
    _tab_back_to(panel, WORDS["chat"]["sources"])
    keys.press("Enter")
    expect(panel.answers.last.locator("details blockquote").first).to_be_visible()
    _tab_on_to(panel, "words")
    _typed(panel, WEAK_LEGS)
    expect(panel.answers.last).to_contain_text(WORSE)
    _tab_back_to(panel, "No")
    expect(panel.choice("No")).to_be_enabled()
    keys.press("Space")
    expect(panel.answers.last).to_contain_text(CHEST)
    _box_is_next(panel, size)
    expect(panel.card(CALL_DOCTOR)).to_be_visible()
    _typed(panel, "I am numb between the legs")
    expect(panel.card(EMERGENCY)).to_be_visible()
    _tab_back_to(panel, f"Call {NUMBER['emergency']}")
    keys.press("Escape")
    expect(clinic.iframe).to_be_hidden()
    assert clinic.focused == LAUNCHER


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_launcher_opens_by_key(key: str, device: Device) -> None:
    clinic = device.visit()
    expect(clinic.launcher).to_have_attribute("aria-expanded", "false")
    clinic.tab_to(LAUNCHER)
    clinic.page.keyboard.press(key)
    expect(clinic.launcher).to_have_attribute("aria-expanded", "true")
    expect(clinic.panel.box).to_be_focused()
    assert clinic.focused == WORDS["launcher"]["frame_title"]


def test_launcher_asks_the_gateway_for_nothing_before_it_is_used(device: Device) -> None:
    clinic = device.visit()
    expect(clinic.launcher).to_be_visible()
    asked = [url for url in device.watch.requests if url.startswith(device.site.gateway)]
    assert asked == [f"{device.site.gateway}/aftercare.js"]


@BOTH
def test_closed_panel_is_not_in_the_tab_order(clinic: ClinicPage) -> None:
    clinic.open()
    clinic.page.keyboard.press("Escape")
    expect(clinic.iframe).to_be_hidden()
    reached = set()
    for _ in range(8):
        clinic.page.keyboard.press("Tab")
        reached.add(clinic.focused)
    assert reached - {""} == {"Visits", LAUNCHER}


def test_escape_leaves_the_menu_before_it_closes_the_chat(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.open_menu()
    panel.menu_item("end").click()
    clinic.page.keyboard.press("Escape")
    expect(panel.menu_item("end")).to_be_focused()
    clinic.page.keyboard.press("Escape")
    expect(panel.menu_button).to_be_focused()
    expect(clinic.iframe).to_be_visible()
    clinic.page.keyboard.press("Escape")
    expect(clinic.iframe).to_be_hidden()


def test_reopened_chat_stands_as_it_was_left(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(WEAK_LEGS)
    panel.box.fill("half a sent")
    clinic.close()
    clinic.launcher.click()
    expect(panel.box).to_be_focused()
    expect(panel.box).to_have_value("half a sent")
    expect(panel.answers.last).to_contain_text(WORSE)


def test_question_and_chosen_answer_stay_readable(device: Device) -> None:
    panel = device.open()
    panel.say(WEAK_LEGS)
    panel.press("No")
    expect(panel.answers.nth(1)).to_contain_text(WORSE)
    expect(panel.answers.nth(1).get_by_role("button")).to_have_count(0)
    assert panel.texts()[3] == "No"


def test_enter_sends_and_shift_enter_makes_a_line(device: Device) -> None:
    panel = device.open()
    panel.box.press_sequentially("The needle site")
    panel.box.press("Shift+Enter")
    panel.box.press_sequentially("is sore.")
    panel.box.press("Enter")
    expect(panel.check).to_be_visible()
    assert panel.mine.last.locator(".words").inner_text() == "The needle site\nis sore."


def test_nothing_is_sent_without_words(device: Device) -> None:
    panel = device.open()
    panel.type("   ")
    expect(panel.root.get_by_text(WORDS["composer"]["empty"]).last).to_be_visible()
    expect(panel.mine).to_have_count(0)


def test_too_long_a_text_comes_back_and_a_danger_sign_in_it_is_answered(device: Device) -> None:
    device.watch.tolerate("status of 413")
    panel = device.open()
    text = "It was a long day. " * 220 + "I like tea."
    panel.type(text)
    expect(panel.undelivered).to_contain_text(WORDS["delivery"]["refused"])
    expect(panel.box).to_have_value(text)
    panel.type(f"{text} I cant breathe")
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_numbers_stand_in_the_same_place_in_every_view(device: Device, server: Server) -> None:
    panel = device.panel()
    answered = server.ask("GET", "/session", panel.token).json()["to_call"]
    phones = panel.root.get_by_role("navigation", name=WORDS["phones"]["label"])
    place = phones.bounding_box()
    panel.say(FEVER)
    assert phones.bounding_box() == place
    menu = panel.open_menu()
    assert phones.bounding_box() == place
    assert tel_links(menu) == set(TEL.values())
    panel.menu_item("summary").click()
    expect(panel.root.get_by_role("heading", name=WORDS["summary"]["title"])).to_be_visible()
    assert phones.bounding_box() == place
    assert tel_links(phones) == {TEL["emergency"], TEL[answered]}
    panel.open_menu()
    panel.menu_item("end").click()
    panel.menu_item("end_yes").click()
    expect(panel.root.get_by_role("heading", name=WORDS["expiry"]["ended_title"])).to_be_visible()
    assert phones.bounding_box() == place


def test_the_browsers_way_back_leads_from_a_view_to_the_chat(device: Device) -> None:
    panel = device.panel()
    for open_view in (panel.open_menu, panel.open_menu):
        open_view()
        panel.page.go_back()
        expect(panel.root.locator("#menu")).to_have_count(0)
        expect(panel.menu_button).to_be_focused()
        expect(panel.box).to_be_visible()


def test_first_screen_offers_ways_to_begin(device: Device, server: Server) -> None:
    panel = device.open()
    words = WORDS["start"]
    panel.root.get_by_role("button", name=words["question"]).click()
    expect(panel.root.get_by_role("textbox", name=WORDS["composer"]["label_question"])).to_be_focused()
    panel.root.get_by_role("button", name=words["helper"]).click()
    expect(panel.root.get_by_role("button", name=words["helper"])).to_have_attribute("aria-pressed", "true")
    expect(panel.main).to_contain_text(WORDS["chat"]["writer_helper"])
    assert server.messages(panel.token) == []
    panel.say(HOW_LONG)
    expect(panel.root.get_by_role("button", name=words["symptom"])).to_have_count(0)


@pytest.mark.parametrize("words", [WORDS, SPANISH], ids=["en", "es"])
def test_the_example_of_a_question_is_one_that_the_leaflet_answers(words: Mapping[str, Any], device: Device) -> None:
    example = words["composer"]["hint_question"].partition(": ")[2]
    expect(device.open().say(example).locator("blockquote").first).to_be_visible()


def test_advice_that_stands_is_one_line_that_leads_back_to_its_card(device: Device) -> None:
    panel = device.open()
    panel.say(FEVER)
    panel.say(FEVER)
    expect(panel.root.locator(".care-call_doctor")).to_have_count(1)
    expect(panel.answers.last).to_contain_text(WORDS["card"]["stands"])
    panel.answers.last.get_by_role("button", name=WORDS["card"]["show"]).click()
    expect(panel.root.locator(".care-call_doctor")).to_be_focused()
    expect(panel.root.locator(".care-call_doctor h2")).to_be_in_viewport(ratio=1)


def _box_has_the_focus(panel: Panel, *, unless: bool) -> None:
    """By finger it has not: its keyboard would cover what is to be read or tapped."""
    if unless:
        expect(panel.box).not_to_be_focused()
    else:
        expect(panel.box).to_be_focused()


def _typed(panel: Panel, text: str) -> None:
    before = panel.answers.count()
    panel.page.keyboard.type(text)
    panel.page.keyboard.press("Enter")
    expect(panel.answers.nth(before)).to_be_visible()


def _tab_back_to(panel: Panel, name: str) -> None:
    _tab(panel, "Shift+Tab", name)


def _tab_on_to(panel: Panel, name: str) -> None:
    _tab(panel, "Tab", name)


def _tab(panel: Panel, key: str, name: str) -> None:
    for _ in range(25):
        panel.page.keyboard.press(key)
        if panel.focused == name:
            return
    raise AssertionError(f"{key} does not reach {name!r}")
