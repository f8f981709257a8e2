"""The dialogue goes on: after a reload, in a second tab, after going back, and until it is ended."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.chat import Device
from tests.browser.conftest import NewDevice
from tests.browser.server import Server
from tests.browser.words import CALL_DOCTOR, CHEST, EMERGENCY, FEVER, SORE, WEAK_LEGS, WORDS, WORSE


def test_reload_in_mid_interview_keeps_dialogue_and_question(device: Device, server: Server) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(SORE)
    panel.say(WEAK_LEGS)
    panel.press("No")
    before, token = panel.texts(), panel.token
    clinic.page.reload()
    clinic.open()
    expect(panel.answers.last).to_contain_text(CHEST)
    assert panel.texts() == before
    assert panel.token == token
    panel.tick(CHEST, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()
    assert server.messages(token) == [SORE, WEAK_LEGS, "No", ""]


def test_reload_of_the_panel_as_a_page_keeps_the_dialogue(device: Device) -> None:
    panel = device.panel()
    panel.say(WEAK_LEGS)
    before = panel.texts()
    panel.page.reload()
    expect(panel.answers).to_have_count(2)
    assert panel.texts() == before
    expect(panel.press("No")).to_contain_text(CHEST)


def test_second_tab_shows_the_same_dialogue_and_both_see_what_follows(device: Device) -> None:
    first = device.open()
    first.say(WEAK_LEGS)
    second = device.open()
    expect(second.answers.last).to_contain_text(WORSE)
    assert second.token == first.token
    assert second.texts() == first.texts()
    second.press("No")
    expect(first.answers.last).to_contain_text(CHEST)
    expect(first.mine.last).to_contain_text("No")
    first.tick(CHEST, "yes")
    expect(second.card(EMERGENCY)).to_be_visible()
    expect(first.card(EMERGENCY)).to_be_visible()
    assert second.texts() == first.texts()


def test_in_five_tabs_all_see_what_follows(device: Device) -> None:
    """Three of them by a stream; the others ask again and again."""
    tabs = [device.open() for _ in range(5)]
    tabs[-1].say(WEAK_LEGS)
    for tab in tabs:
        expect(tab.answers.last).to_contain_text(WORSE)
    tabs[0].press("No")
    for tab in tabs:
        expect(tab.answers.last).to_contain_text(CHEST)


def test_button_pressed_in_one_tab_can_not_be_pressed_in_the_other(device: Device) -> None:
    first = device.open()
    first.say(WEAK_LEGS)
    second = device.open()
    expect(second.choice("No")).to_be_visible()
    first.press("No")
    expect(second.answers.last).to_contain_text(CHEST)
    expect(second.choices).to_have_count(0)


def test_row_answered_in_one_tab_can_not_be_answered_in_the_other(device: Device) -> None:
    first = device.open()
    first.say(FEVER)
    second = device.open()
    expect(second.unfold).to_be_visible()
    first.tick(CHEST, "yes")
    expect(second.card(EMERGENCY)).to_be_visible()
    expect(second.unfold).to_have_count(0)
    expect(second.mine.last).to_contain_text(CHEST)


def test_end_in_one_tab_is_told_in_the_other(device: Device, server: Server) -> None:
    device.watch.tolerate("status of 401")
    first = device.open()
    first.say(FEVER)
    token = first.token
    second = device.open()
    expect(second.answers).to_have_count(2)
    first.open_menu()
    first.menu_item("end").click()
    first.menu_item("end_yes").click()
    for panel in (first, second):
        expect(panel.root.get_by_role("heading", name=WORDS["expiry"]["ended_title"])).to_be_visible()
        expect(panel.mine).to_have_count(0)
        assert panel.token == ""
    assert server.error(token) == "session_ended"


def test_start_again_in_one_tab_takes_the_other_along(device: Device) -> None:
    first = device.open()
    first.say(FEVER)
    second = device.open()
    expect(second.answers).to_have_count(2)
    first.open_menu()
    first.menu_item("restart").click()
    first.menu_item("restart_yes").click()
    for panel in (first, second):
        expect(panel.answers).to_have_count(1)
        expect(panel.mine).to_have_count(0)
    assert first.token == second.token != ""
    first.say(SORE)
    expect(second.answers).to_have_count(2)


def test_going_to_another_page_and_back_keeps_the_dialogue(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(WEAK_LEGS)
    before, token = panel.texts(), panel.token
    clinic.close()
    clinic.page.get_by_role("link", name="Visits").click()
    clinic.page.wait_for_url("**/visits")
    clinic.open()
    expect(panel.answers).to_have_count(2)
    assert (panel.texts(), panel.token) == (before, token)
    clinic.page.go_back()
    clinic.page.wait_for_url(lambda url: not url.endswith("/visits"))
    clinic.open()
    expect(panel.answers).to_have_count(2)
    assert (panel.texts(), panel.token) == (before, token)
    clinic.page.go_forward()
    clinic.page.wait_for_url("**/visits")
    clinic.open()
    expect(panel.press("No")).to_contain_text(CHEST)


def test_new_browser_starts_a_new_dialogue(device: Device, new_device: NewDevice) -> None:
    first = device.open()
    first.say(FEVER)
    other = new_device().open()
    expect(other.answers).to_have_count(1)
    assert other.token != first.token


def test_message_that_came_while_the_panel_was_closed_is_counted_on_the_launcher(device: Device) -> None:
    clinic = device.visit()
    first = clinic.open()
    second = device.open()
    clinic.close()
    second.say(FEVER)
    name = f"{WORDS['launcher']['open_name']}, {WORDS['launcher']['unread_one']}"
    expect(clinic.page.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(clinic.launcher).to_contain_text(WORDS["launcher"]["unread_one"])
    clinic.launcher.click()
    expect(first.card(CALL_DOCTOR)).to_be_visible()
    expect(clinic.launcher).not_to_contain_text(WORDS["launcher"]["unread_one"])
