"""What a screen reader says: each new answer once, an emergency at once, nothing twice, and the focus stays where it is."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.chat import Device, Panel
from tests.browser.server import Server
from tests.browser.watch import spied
from tests.browser.words import CALL_DOCTOR, EMERGENCY, FEVER, HOW_LONG, NUMB_LEGS, SORE, WEAK_LEGS, WORDS

QUEUE_MS = 1_300


def _polite(panel: Panel) -> list[str]:
    panel.page.wait_for_timeout(QUEUE_MS)
    return spied(panel.frame, "polite")


def _alerts(panel: Panel) -> list[str]:
    return spied(panel.frame, "alert")


def test_each_new_answer_is_said_once_politely(device: Device) -> None:
    panel = device.open()
    panel.say(HOW_LONG)
    panel.settle(SORE)
    panel.say(FEVER)
    panel.page.wait_for_timeout(5 * QUEUE_MS)
    said = _polite(panel)
    assert len(said) == 6, said
    assert said[0].startswith("Hello. I am a computer program")
    assert "30-60 minutes" in said[1]
    assert said[2].endswith(WORDS["check"]["spoken"].replace("{count}", "12"))
    assert said[3] == WORDS["check"]["complete"]
    assert said[4].startswith(WORDS["card"]["self_care_prefix"])
    assert said[5].startswith(CALL_DOCTOR)
    assert _alerts(panel) == []


def test_question_is_said_with_its_answers(device: Device) -> None:
    panel = device.open()
    panel.say(WEAK_LEGS)
    said = _polite(panel)[-1]
    assert said.endswith(WORDS["chat"]["choices"].replace("{titles}", "Yes, No, Not sure"))


def test_emergency_is_said_once_as_an_alert_and_not_politely(device: Device) -> None:
    panel = device.open()
    panel.say(NUMB_LEGS)
    assert not [text for text in _polite(panel) if EMERGENCY in text or "emergency. Call" in text]
    alerts = _alerts(panel)
    assert len(alerts) == 1
    assert alerts[0].startswith(EMERGENCY)
    assert "911" in alerts[0]


def test_own_words_are_not_said(device: Device) -> None:
    panel = device.open()
    panel.say(f"{SORE} Marmalade.")
    assert "Marmalade" not in " ".join([*_polite(panel), *_alerts(panel)])


def test_nothing_is_said_again_after_a_reload(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(SORE)
    panel.say(NUMB_LEGS)
    clinic.page.reload()
    clinic.open()
    expect(panel.card(EMERGENCY)).to_be_visible()
    assert _polite(panel) == []
    assert _alerts(panel) == []


def test_regions_are_emptied_and_the_transcript_itself_is_not_live(device: Device) -> None:
    panel = device.open()
    panel.say(NUMB_LEGS)
    expect(panel.root.locator("#polite")).to_have_text("")
    expect(panel.root.locator("#alert")).to_have_text("")
    live = panel.frame.evaluate(
        "() => [...document.querySelectorAll('[aria-live], [role=log], [role=status], [role=alert]')].map((e) => e.id)"
    )
    assert live == ["polite", "alert"]


def test_answer_that_comes_in_does_not_move_the_focus(device: Device, server: Server) -> None:
    panel = device.open()
    for place in (panel.menu_button, panel.root.locator(".phone").first, panel.main, panel.box):
        place.focus()
        before, focused = panel.answers.count(), panel.focused
        server.say(panel.token, NUMB_LEGS)
        expect(panel.answers).to_have_count(before + 1)
        panel.page.wait_for_timeout(200)
        expect(place).to_be_focused()
        assert panel.focused == focused


def test_answer_that_comes_in_does_not_move_the_focus_into_the_chat(device: Device, server: Server) -> None:
    clinic = device.visit()
    panel = clinic.open()
    clinic.close()
    link = clinic.page.get_by_role("link", name="Visits")
    link.focus()
    server.say(panel.token, NUMB_LEGS)
    expect(clinic.launcher).to_contain_text(WORDS["launcher"]["unread_one"])
    expect(link).to_be_focused()


def test_reader_who_scrolled_up_is_told_and_not_moved(device: Device, server: Server) -> None:
    panel = device.open()
    for text in (HOW_LONG, SORE, FEVER):
        panel.say(text)
    panel.main.evaluate("(e) => { e.scrollTop = 0; }")
    below = panel.root.get_by_role("button", name=WORDS["chat"]["new_below"])
    panel.page.wait_for_timeout(200)
    server.say(panel.token, NUMB_LEGS)
    expect(below).to_be_visible()
    assert panel.main.evaluate("(e) => e.scrollTop") == 0
    below.click()
    expect(below).to_have_count(0)
    expect(panel.card(EMERGENCY)).to_be_in_viewport()


def test_new_emergency_begins_in_sight(device: Device) -> None:
    panel = device.open()
    for text in (HOW_LONG, SORE, NUMB_LEGS):
        panel.say(text)
    expect(panel.card(EMERGENCY).get_by_role("heading")).to_be_in_viewport()
    expect(panel.card(EMERGENCY).get_by_role("link", name="Call 911")).to_be_in_viewport()
