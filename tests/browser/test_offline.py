"""The internet goes away and comes back: nothing is lost, nothing is sent twice, and the patient knows whom to call."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.chat import ClinicPage, Device, tel_links, text_of
from tests.browser.server import Server
from tests.browser.watch import spied
from tests.browser.words import FEVER, NUMB_LEGS, NUMBER, SORE, TEL, WORDS, filled

STATES = WORDS["delivery"]
DELIVERY_MS = 15_000
FAILED = filled(STATES["failed"], answered=NUMBER["clinic"])


def test_messages_typed_offline_wait_are_told_not_delivered_and_arrive_once_in_order(device: Device, server: Server) -> None:
    panel = device.open()
    token = panel.token
    device.go_offline()
    panel.type("First I was tired.")
    panel.type(SORE)
    expect(panel.mine.first).to_contain_text(STATES["waiting"])
    expect(panel.mine.last).to_contain_text(STATES["waiting"])
    expect(panel.safety).to_have_count(1)
    expect(panel.root.locator(".notes")).to_contain_text(WORDS["link"]["lost"])
    expect(panel.undelivered).to_have_count(2, timeout=DELIVERY_MS)
    for bubble in panel.undelivered.all():
        assert FAILED in text_of(bubble)
        assert tel_links(bubble) == {TEL["emergency"], TEL["clinic"]}
        expect(bubble.get_by_role("button", name=STATES["try_again"])).to_be_visible()
    expect(panel.safety).to_have_count(1)
    assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.safety)
    panel.page.wait_for_timeout(3_000)
    spoken = spied(panel.frame, "polite")
    assert WORDS["link"]["lost"] in spoken
    assert FAILED in spoken
    assert server.messages(token) == []
    device.context.set_offline(False)
    expect(panel.answers).to_have_count(3, timeout=20_000)
    expect(panel.undelivered).to_have_count(0)
    expect(panel.mine.filter(has_text=STATES["stored"])).to_have_count(2)
    assert server.messages(token) == ["First I was tired.", SORE]
    assert [text for text in panel.texts() if text in (SORE, "First I was tired.")] == ["First I was tired.", SORE]


def test_short_outage_is_hardly_noticed(device: Device, server: Server) -> None:
    panel = device.open()
    device.go_offline()
    panel.type(FEVER)
    expect(panel.mine.last).to_contain_text(STATES["waiting"])
    device.context.set_offline(False)
    expect(panel.answers).to_have_count(2)
    expect(panel.mine.last).to_contain_text(STATES["stored"])
    expect(panel.undelivered).to_have_count(0)
    assert server.messages(panel.token) == [FEVER]


def test_message_whose_receipt_was_lost_is_stored_once(device: Device, server: Server) -> None:
    device.watch.tolerate("net::ERR_")
    panel = device.open()
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort()

    panel.page.route("**/session/messages", lose_first)
    panel.type(FEVER)
    expect(panel.answers).to_have_count(2)
    expect(panel.mine).to_have_count(1)
    expect(panel.mine.last).to_contain_text(STATES["stored"])
    panel.page.wait_for_timeout(2_000)
    assert lost
    assert server.messages(panel.token) == [FEVER]
    expect(panel.mine).to_have_count(1)
    expect(panel.answers).to_have_count(2)


def test_try_again_sends_at_once(device: Device, server: Server) -> None:
    device.watch.tolerate("net::ERR_")
    panel = device.open()
    panel.page.route("**/session/messages", lambda route: route.abort())
    panel.page.clock.install()
    panel.type(NUMB_LEGS)
    expect(panel.mine.last).to_contain_text(STATES["waiting"])
    panel.page.clock.fast_forward(10_100)
    expect(panel.undelivered).to_be_visible()
    panel.page.unroute("**/session/messages")
    panel.undelivered.get_by_role("button", name=STATES["try_again"]).click()
    expect(panel.answers).to_have_count(2, timeout=2_500)
    expect(panel.undelivered).to_have_count(0)
    assert server.messages(panel.token) == [NUMB_LEGS]


def test_answers_that_were_given_meanwhile_are_shown_when_the_internet_is_back(device: Device, server: Server) -> None:
    panel = device.open()
    device.go_offline()
    assert server.say(panel.token, FEVER).status_code == 202
    panel.page.wait_for_timeout(500)
    device.context.set_offline(False)
    expect(panel.answers).to_have_count(2, timeout=20_000)
    expect(panel.mine).to_have_count(1)


def test_panel_that_never_had_a_connection_still_takes_words(device: Device) -> None:
    device.watch.tolerate("net::ERR_|status of 503")
    device.context.route("**/api/v1/**", lambda route: route.abort())
    clinic = device.visit()
    panel = clinic.open()
    expect(panel.answers.first).to_contain_text(WORDS["greeting"])
    expect(panel.safety).to_have_count(1)
    panel.type(FEVER)
    expect(panel.mine.last).to_contain_text(STATES["waiting"])
    device.context.unroute("**/api/v1/**")
    expect(panel.answers.filter(has_text="Call your doctor now")).to_have_count(1, timeout=20_000)
    expect(panel.mine).to_have_count(1)


def test_long_polls_bring_the_answers_where_streams_do_not_get_through(device: Device) -> None:
    device.watch.tolerate("net::ERR_")
    device.context.route("**/session/stream", lambda route: route.abort())
    panel = device.open()
    panel.type(FEVER)
    expect(panel.answers).to_have_count(2, timeout=12_000)
    panel.type(SORE)
    expect(panel.answers).to_have_count(3)


def test_launcher_shows_its_own_safety_card_when_the_panel_does_not_come(device: Device) -> None:
    clinic = device.visit()
    device.go_offline()
    clinic.launcher.click()
    expect(clinic.card).to_be_visible(timeout=7_000)
    expect(clinic.iframe).to_be_hidden()
    assert set(TEL.values()) <= tel_links(clinic.card)
    expect(clinic.card).to_contain_text("chest pain")
    expect(clinic.card).to_be_focused()
    _try_again(clinic)
    expect(clinic.card.get_by_role("status")).to_have_text(WORDS["launcher"]["still_down"], timeout=8_000)
    device.context.set_offline(False)
    _try_again(clinic)
    expect(clinic.card).to_have_count(0)
    clinic.panel.ready()
    expect(clinic.panel.box).to_be_focused()


def test_safety_card_in_the_launcher_closes_by_escape_and_by_button(device: Device) -> None:
    clinic = device.visit()
    device.go_offline()
    clinic.open_in_vain()
    clinic.page.keyboard.press("Escape")
    expect(clinic.card).to_be_hidden()
    assert clinic.focused == WORDS["launcher"]["open_name"]
    clinic.launcher.click()
    expect(clinic.card).to_be_visible()
    clinic.card.get_by_role("button", name=WORDS["launcher"]["close"]).click()
    expect(clinic.card).to_be_hidden()
    assert clinic.focused == WORDS["launcher"]["open_name"]


def _try_again(clinic: ClinicPage) -> None:
    clinic.card.get_by_role("button", name=WORDS["launcher"]["try_again"]).click()
