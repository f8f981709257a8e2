"""The danger check in the browser: one card on a phone, by finger, by keyboard alone, and told to a screen reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import PHONE, Device, Panel
from tests.browser.conftest import NewDevice
from tests.browser.server import Server
from tests.browser.watch import spied
from tests.browser.words import A_BIT_SORE, CALL_DOCTOR, CHEST, EMERGENCY, FEVER, ICE, NUMB_LEGS, SEAT, SELF_CARE, SORE, WORDS

CHECK: dict[str, str] = WORDS["check"]
FRESH_MS = 1_000
SMALL_PHONE = {**PHONE, "viewport": {"width": 360, "height": 640}}


@pytest.fixture(params=[PHONE, SMALL_PHONE], ids=["390x844", "360x640"])
def phone(new_device: NewDevice, request: pytest.FixtureRequest) -> Panel:
    return new_device(**request.param).open()


def _progress(panel: Panel, done: int, count: int) -> str:
    return CHECK["progress"].replace("{done}", str(done)).replace("{count}", str(count))


def _send(panel: Panel) -> Locator:
    return panel.check.get_by_role("button", name=CHECK["send"])


def test_a_harmless_opening_shows_the_card_and_no_to_all_gives_self_care(phone: Panel) -> None:
    phone.say(A_BIT_SORE)
    expect(phone.check).to_be_visible()
    expect(phone.card(SELF_CARE)).to_have_count(0)
    count = phone.check.get_by_role("group").count()
    assert count == 12
    expect(phone.check).to_contain_text(_progress(phone, 0, count))
    phone.deny_all()
    expect(phone.card(SELF_CARE)).to_be_visible()
    expect(phone.check).to_have_count(0)
    expect(phone.mine.last).to_contain_text(CHECK["denied"].replace("{count}", str(count)))


def test_the_first_yes_to_danger_gives_the_emergency_at_once(phone: Panel, server: Server) -> None:
    phone.say(A_BIT_SORE)
    phone.tick(CHEST, "no")
    expect(phone.check).to_contain_text(_progress(phone, 1, 12))
    phone.tick(SEAT, "yes")
    expect(phone.card(EMERGENCY).get_by_role("heading")).to_be_in_viewport()
    expect(phone.card(EMERGENCY)).to_contain_text("Go to the ER now")
    expect(phone.mine.last).to_contain_text(SEAT)
    expect(phone.check).to_have_count(0)
    rows = server.events(phone.token)[-2]["rows"]
    assert rows == [{"text": CHEST, "answer": "no"}, {"text": SEAT, "answer": "yes"}]


def test_a_question_gets_the_leaflet_and_the_card_behind_it(phone: Panel) -> None:
    answer = phone.say(ICE)
    expect(answer).to_contain_text("ice")
    expect(answer.locator("blockquote").first).to_be_visible()
    expect(answer.locator(".check-line")).to_contain_text(CHEST)
    expect(phone.check).to_have_count(0)
    phone.unfold.click()
    expect(phone.check.get_by_role("group")).to_have_count(8)
    expect(phone.radio(CHEST, "yes")).to_be_focused()


def test_behind_an_answer_it_may_be_passed_over(phone: Panel) -> None:
    phone.say(ICE)
    phone.say(FEVER)
    expect(phone.card(CALL_DOCTOR)).to_be_visible()
    expect(phone.unfold).to_have_count(1)


def test_the_rows_are_shown_once(device: Device) -> None:
    panel = device.open()
    answer = panel.say(SORE)
    assert answer.inner_text().count(CHEST) == 1
    answer = panel.say(FEVER)
    assert answer.inner_text().count(CHEST) == 1


def test_not_sure_about_danger_waits_for_send_and_counts_as_yes(device: Device) -> None:
    panel = device.open()
    panel.say(SORE)
    panel.tick(SEAT, "unsure")
    expect(panel.check).to_contain_text(_progress(panel, 1, 12))
    for row in panel.check.get_by_role("group").all()[:3] + panel.check.get_by_role("group").all()[4:]:
        row.get_by_role("radio", name=CHECK["no"], exact=True).click()
    _send(panel).click()
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_send_leads_to_the_row_that_is_missing(phone: Panel, server: Server) -> None:
    phone.say(SORE)
    for answered in (CHEST, SEAT):
        phone.tick(answered, "no")
    second = phone.check.get_by_role("group").nth(1)
    _send(phone).click()
    expect(second).to_contain_text(CHECK["missing"])
    expect(second.get_by_role("radio").first).to_be_focused()
    for part in (second.locator("legend"), second.locator(".tick").last):
        expect(part).to_be_in_viewport(ratio=1)
    assert server.messages(phone.token) == [SORE]
    second.get_by_role("radio", name=CHECK["no"], exact=True).click()
    expect(phone.check.get_by_text(CHECK["missing"])).to_have_count(0)


def test_typing_works_too_and_takes_the_answers_along(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(SORE)
    panel.tick(CHEST, "no")
    panel.say("none of the others")
    message = [event for event in server.events(panel.token) if event["kind"] == "message"][-1]
    assert (message["text"], message["rows"]) == ("none of the others", [{"text": CHEST, "answer": "no"}])


def test_no_button_takes_a_tap_in_its_first_second(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(SORE)
    panel.radio(SEAT, "yes").click(force=True)
    expect(panel.radio(SEAT, "yes")).not_to_be_checked()
    panel.page.wait_for_timeout(FRESH_MS)
    assert server.messages(panel.token) == [SORE]
    panel.say("My legs feel weak.")
    panel.choice("Yes").click(force=True)
    panel.page.wait_for_timeout(FRESH_MS + 200)
    assert server.messages(panel.token) == [SORE, "My legs feel weak."]
    panel.press("Yes")


_DIALLED = """() => {
  window.__dialled = [];
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='tel:']");
    if (link && !event.defaultPrevented) window.__dialled.push(link.href);
    if (link) event.preventDefault();
  });
}"""


def test_the_second_tap_of_a_double_tap_dials_nobody(new_device: NewDevice) -> None:
    panel = new_device(**SMALL_PHONE).open()
    panel.frame.evaluate(_DIALLED)
    panel.say(SORE)
    panel.page.wait_for_timeout(FRESH_MS + 200)
    panel.radio(SEAT, "yes").tap()
    call = panel.card(EMERGENCY).get_by_role("link", name="Call 911").first
    call.tap()
    panel.root.locator("header").get_by_role("link", name="Call 911").tap()
    assert panel.frame.evaluate("() => window.__dialled") == ["tel:911"]
    panel.page.wait_for_timeout(FRESH_MS + 200)
    call.tap()
    assert panel.frame.evaluate("() => window.__dialled") == ["tel:911"] * 2


def test_a_yes_by_mistake_is_taken_back_for_a_minute(phone: Panel, server: Server) -> None:
    words = WORDS["chat"]["mistake"]
    mistake = phone.answers.last.get_by_role("button", name=words)
    phone.say(A_BIT_SORE)
    phone.tick(SEAT, "yes")
    call = phone.card(EMERGENCY).get_by_role("link", name="Call 911").first
    for part in (phone.card(EMERGENCY).get_by_role("heading"), call, mistake):
        expect(part).to_be_in_viewport(ratio=1)
    assert _top(mistake) >= _top(call) + call.evaluate("(e) => e.offsetHeight")
    phone.page.wait_for_timeout(FRESH_MS + 200)
    mistake.click()
    expect(phone.row(SEAT)).to_be_visible()
    assert server.messages(phone.token)[-1] == words
    phone.page.clock.install()
    phone.page.clock.fast_forward(FRESH_MS + 200)
    phone.tick(SEAT, "yes")
    expect(mistake).to_be_visible()
    before = _top(call)
    phone.page.clock.fast_forward(60_000)
    expect(mistake).to_have_count(0)
    assert _top(call) == before


def test_a_key_dials_at_once(device: Device) -> None:
    panel = device.open()
    panel.frame.evaluate(_DIALLED)
    panel.say(NUMB_LEGS)
    panel.card(EMERGENCY).get_by_role("link", name="Call 911").first.press("Enter")
    assert panel.frame.evaluate("() => window.__dialled") == ["tel:911"]


def test_answers_of_one_meaning_stand_in_one_place(device: Device) -> None:
    panel = device.open()
    panel.say(SORE)
    for answer in ("yes", "no", "unsure"):
        places = {round(_left(radio)) for radio in panel.check.get_by_role("radio", name=CHECK[answer], exact=True).all()}
        assert len(places) == 1
    assert _left(panel.radio(CHEST, "yes")) < _left(panel.radio(CHEST, "no")) < _left(panel.radio(CHEST, "unsure"))


def _in_the_first_row(device: Device) -> Panel:
    """The danger check, with the focus in its first row by the Tab key."""
    panel = device.open()
    panel.say(SORE)
    panel.page.wait_for_timeout(FRESH_MS + 200)
    panel.main.focus()
    _tab_into(panel, CHEST)
    return panel


def test_by_keyboard_alone(device: Device) -> None:
    panel = _in_the_first_row(device)
    keys = panel.page.keyboard
    expect(panel.radio(CHEST, "yes")).to_be_focused()
    for row in range(12):
        keys.press("ArrowRight")
        expect(panel.check.get_by_role("radio", name=CHECK["no"], exact=True).nth(row)).to_be_checked()
        keys.press("Tab")
    expect(_send(panel)).to_be_focused()
    keys.press("Enter")
    expect(panel.card(SELF_CARE)).to_be_visible()


def test_a_yes_that_arrow_keys_pass_is_not_sent_until_the_row_is_left_with_it(device: Device, server: Server) -> None:
    panel = _in_the_first_row(device)
    keys = panel.page.keyboard
    keys.press("ArrowRight")
    keys.press("ArrowLeft")
    expect(panel.radio(CHEST, "yes")).to_be_checked()
    keys.press("ArrowRight")
    panel.page.wait_for_timeout(300)
    assert server.messages(panel.token) == [SORE]
    keys.press("ArrowLeft")
    keys.press("Tab")
    expect(panel.card(EMERGENCY)).to_be_visible()


@pytest.mark.parametrize("key", ["Space"])
def test_a_yes_by_key_is_sent_at_once(key: str, device: Device) -> None:
    panel = device.open()
    panel.say(SORE)
    panel.page.wait_for_timeout(FRESH_MS + 200)
    panel.main.focus()
    _tab_into(panel, CHEST)
    panel.page.keyboard.press(key)
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_a_screen_reader_is_told_of_it_and_of_its_end(device: Device) -> None:
    panel = device.open()
    panel.say(SORE)
    panel.page.wait_for_timeout(1_500)
    assert spied(panel.frame, "polite")[-1].endswith(CHECK["spoken"].replace("{count}", "12"))
    for radio in panel.check.get_by_role("radio", name=CHECK["no"], exact=True).all():
        radio.click()
    panel.page.wait_for_timeout(1_500)
    assert spied(panel.frame, "polite")[-1] == CHECK["complete"]


def test_an_answer_sent_again_changes_nothing(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(SORE)
    panel.tick(SEAT, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()
    bodies: list[Any] = [json.loads(body) for _, url, body in device.watch.bodies if url.endswith("/messages")]
    sent = next(body for body in bodies if "rows" in body)
    assert server.ask("POST", "/session/messages", panel.token, json=sent).status_code == 200
    again = server.ask("POST", "/session/messages", panel.token, json={**sent, "client_id": "0" * 32})
    assert again.status_code == 409
    assert server.messages(panel.token) == [SORE, ""]


def test_the_reader_stays_where_the_rows_are(new_device: NewDevice) -> None:
    panel = new_device(**SMALL_PHONE).open()
    panel.say(SORE)
    panel.page.wait_for_timeout(FRESH_MS + 200)
    last = panel.check.get_by_role("radio", name=CHECK["no"], exact=True).last
    last.scroll_into_view_if_needed()
    before = panel.main.evaluate("(e) => e.scrollTop")
    last.click()
    panel.page.wait_for_timeout(200)
    assert panel.main.evaluate("(e) => e.scrollTop") == before


def _left(part: Locator) -> float:
    return float(part.evaluate("(e) => e.getBoundingClientRect().left"))


def _top(part: Locator) -> float:
    return float(part.evaluate("(e) => e.getBoundingClientRect().top"))


def _tab_into(panel: Panel, text: str) -> None:
    inside = panel.row(text).get_by_role("radio")
    for _ in range(25):
        panel.page.keyboard.press("Tab")
        if any(radio.evaluate("(e) => e === document.activeElement") for radio in inside.all()):
            return
    raise AssertionError(f"Tab does not reach {text!r}")
