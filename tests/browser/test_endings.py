"""How a chat ends: by the patient, by time, on a shared computer; and how the next one begins."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Device, Panel, tel_links
from tests.browser.server import Server
from tests.browser.watch import spied
from tests.browser.words import EMERGENCY, FEVER, NUMB_LEGS, SELF_CARE, SORE, TEL, WEAK_LEGS, WORDS

EXPIRY = WORDS["expiry"]
_STORED = "() => [Object.keys(localStorage), Object.keys(sessionStorage)]"


@pytest.fixture
def device(device: Device) -> Device:
    """A computer whose console may say that an ended chat is asked for its state."""
    device.watch.tolerate("status of 401")
    return device


def _heading(panel: Panel, name: str) -> None:
    expect(panel.root.get_by_role("heading", name=EXPIRY[name])).to_be_visible()


def _end(panel: Panel) -> None:
    panel.open_menu()
    panel.menu_item("end").click()
    panel.menu_item("end_yes").click()
    _heading(panel, "ended_title")


def test_ended_chat_is_cleared_and_a_new_one_can_be_started(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(NUMB_LEGS)
    token = panel.token
    _end(panel)
    assert server.error(token) == "session_ended"
    assert panel.frame.evaluate(_STORED)[1] == []
    expect(panel.mine).to_have_count(0)
    expect(panel.box).to_have_count(0)
    panel.root.get_by_role("button", name=EXPIRY["start"], exact=True).click()
    panel.ready()
    panel.settle(SORE)
    expect(panel.card(SELF_CARE)).to_be_visible()
    assert panel.token not in ("", token)


def test_end_asks_first_and_takes_no_for_an_answer(device: Device, server: Server) -> None:
    panel = device.open()
    panel.open_menu()
    panel.menu_item("end").click()
    expect(panel.menu_item("end_yes")).to_be_focused()
    panel.menu_item("no").click()
    expect(panel.menu_item("end")).to_be_focused()
    assert server.error(panel.token) == ""


def test_chat_that_was_ended_elsewhere_says_so(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(FEVER)
    server.end(panel.token)
    _heading(panel, "ended_title")
    expect(panel.mine).to_have_count(0)


def test_chat_that_has_expired_says_so_with_numbers_and_keeps_what_was_typed(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(FEVER)
    token = panel.token
    panel.box.fill(SORE)
    server.age(token, timedelta(hours=5))
    _heading(panel, "expired_title")
    assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.root.locator(".over"))
    expect(panel.root.locator(".over")).to_contain_text(EXPIRY["unsent"])
    expect(panel.box).to_have_value(SORE)
    assert EXPIRY["expired_title"] in " ".join(spied(panel.frame, "polite"))
    assert server.error(token) == "session_expired"
    panel.send.click()
    expect(panel.check).to_be_visible()
    assert panel.token not in ("", token)
    assert server.messages(panel.token) == [SORE]
    expect(panel.box).to_have_value("")


def test_danger_sign_that_is_typed_into_an_expired_chat_is_answered_at_once(device: Device, server: Server) -> None:
    device.watch.tolerate("net::ERR_")
    for feed in ("**/session/stream*", "**/session/events*"):
        device.context.route(feed, lambda route: route.abort())
    panel = device.open()
    server.age(panel.token, timedelta(hours=5))
    panel.type(NUMB_LEGS)
    expect(panel.card(EMERGENCY)).to_be_visible()
    _heading(panel, "expired_title")
    expect(panel.root.locator(".over").get_by_role("button", name=EXPIRY["start_and_send"])).to_be_visible()


def test_idle_chat_is_warned_about_and_can_be_kept_open(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(FEVER)
    keep = panel.root.get_by_role("button", name=EXPIRY["keep"])
    expect(keep).to_have_count(0)
    panel.page.clock.set_system_time(time.time() + 24 * 60)
    panel.page.wait_for_timeout(2_500)
    expect(keep).to_have_count(0)
    panel.page.clock.set_system_time(time.time() + 28.5 * 60)
    expect(keep).to_be_visible()
    begin, end = EXPIRY["warning_idle"].split("{time}")
    panel.page.wait_for_timeout(1_500)
    said = [text for text in spied(panel.frame, "polite") if text.startswith(begin) and text.endswith(end)]
    assert len(said) == 1
    with panel.page.expect_response("**/session/extend") as extended:
        keep.click()
    assert extended.value.ok
    expect(keep).to_have_count(0)
    assert server.error(panel.token) == ""


def test_absolute_end_is_warned_about(device: Device, server: Server) -> None:
    panel = device.open()
    server.age(panel.token, timedelta(hours=4) - timedelta(seconds=100))
    panel.say(FEVER)
    begin = EXPIRY["warning_absolute"].split("{time}")[0]
    expect(panel.root.locator(".warning")).to_contain_text(begin)
    expect(panel.root.get_by_role("button", name=EXPIRY["keep"])).to_have_count(0)


def test_menu_says_how_long_the_chat_stays_open(device: Device) -> None:
    panel = device.open()
    panel.open_menu()
    expect(panel.root.locator(".until")).to_contain_text(WORDS["menu"]["until_idle"].split("{time}")[0])
    expect(panel.root.locator(".until")).to_contain_text(WORDS["menu"]["until_absolute"].split("{time}")[0])


def test_start_again_begins_a_new_conversation_in_which_no_emergency_stands(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(NUMB_LEGS)
    panel.say("Thank you.")
    expect(panel.card(EMERGENCY)).to_be_visible()
    token = panel.token
    panel.open_menu()
    panel.menu_item("restart").click()
    panel.menu_item("restart_yes").click()
    expect(panel.answers).to_have_count(1)
    expect(panel.box).to_be_focused()
    assert panel.token not in ("", token)
    assert server.error(token) == "session_ended"
    panel.settle(SORE)
    expect(panel.card(SELF_CARE)).to_be_visible()
    expect(panel.root.get_by_role("group", name=EMERGENCY)).to_have_count(0)
    assert server.messages(panel.token) == [SORE, ""]


def test_start_again_keeps_text_size_and_contrast(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.open_menu()
    panel.menu_item("size_large", "radio").check()
    panel.menu_item("restart").click()
    panel.menu_item("restart_yes").click()
    expect(panel.box).to_be_focused()
    clinic.page.reload()
    clinic.open()
    expect(panel.root.locator("html")).to_have_attribute("data-size", "large")


def test_ended_chat_keeps_text_size_and_contrast(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.open_menu()
    panel.menu_item("size_large", "radio").check()
    panel.menu_item("back").click()
    _end(panel)
    clinic.page.reload()
    clinic.open()
    expect(panel.root.locator("html")).to_have_attribute("data-size", "large")


def test_shared_computer_keeps_no_token_and_ends_the_chat_when_the_page_is_left(device: Device, server: Server) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(FEVER)
    token = panel.token
    panel.open_menu()
    panel.menu_item("shared", "checkbox").check()
    expect(panel.root.locator("#shared-help")).to_have_text(WORDS["menu"]["shared_help"])
    assert panel.frame.evaluate(_STORED) == [[], []]
    other = device.open()
    expect(other.answers).to_have_count(1)
    assert other.token not in ("", token)
    other.page.close()
    assert server.error(token) == ""
    clinic.page.reload()
    clinic.open()
    expect(panel.answers).to_have_count(1)
    expect(panel.mine).to_have_count(0)
    assert panel.token not in ("", token)
    assert server.error(token) == "session_ended"


def test_shared_computer_ends_the_chat_when_the_tab_is_closed(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(FEVER)
    token = panel.token
    panel.open_menu()
    panel.menu_item("shared", "checkbox").check()
    panel.page.close()
    end = time.monotonic() + 5
    while server.error(token) != "session_ended" and time.monotonic() < end:
        time.sleep(0.1)
    assert server.error(token) == "session_ended"


def test_clear_this_device_now_leaves_nothing(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(FEVER)
    token = panel.token
    panel.open_menu()
    panel.menu_item("contrast_high", "radio").check()
    panel.menu_item("clear").click()
    _heading(panel, "ended_title")
    assert server.error(token) == "session_ended"
    assert panel.frame.evaluate(_STORED) == [[], []]


def test_who_writes_for_somebody_else_is_told_to_stay_with_the_person(device: Device) -> None:
    panel = device.open()
    panel.open_menu()
    panel.menu_item("writer_helper", "radio").check()
    panel.menu_item("back").click()
    expect(panel.root.get_by_role("textbox", name=WORDS["composer"]["label_helper"])).to_be_visible()
    expect(panel.main).to_contain_text(WORDS["chat"]["writer_helper"])
    panel.say("She can not breathe")
    expect(panel.card(EMERGENCY)).to_be_visible()
    expect(panel.answers.last).to_contain_text("Stay with the person")


def test_who_writes_is_known_after_a_reload(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(WEAK_LEGS)
    panel.open_menu()
    with clinic.page.expect_response(lambda answer: answer.url.endswith("/session/writer")):
        panel.menu_item("writer_helper", "radio").check()
    clinic.page.reload()
    clinic.open().open_menu()
    expect(panel.menu_item("writer_helper", "radio")).to_be_checked()
