"""A nurse's work by keyboard alone: what arrives, acknowledging, notes, disagreeing, closing; and when things go wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.nurses import PASSWORD, Nurse
from tests.browser.server import Server

Hire = Callable[..., Nurse]
EMERGENCY = "mom just wet the bed and didnt feel it"


def emergency(ward: Server, text: str = EMERGENCY) -> str:
    """A patient's chat with an emergency that was answered; its token."""
    token = str(ward.start().json()["token"])
    assert ward.say(token, text).status_code in (200, 202)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        if any(event["kind"] == "answer" for event in ward.events(token)):
            return token
    raise AssertionError("the patient was not answered")


def test_an_emergency_arrives_within_two_seconds_without_reload_with_sound_and_words(ward: Server, hire: Hire) -> None:
    nurse = hire()
    nurse.press("m", "m")  # a browser makes no sound before somebody has touched it
    before = set(nurse.page.locator("#live a.case").all_inner_texts())
    emergency(ward)
    fired = time.monotonic()
    expect(nurse.page.locator("#arrived")).to_contain_text("Emergency: case", timeout=2_000)
    assert time.monotonic() - fired < 2
    now = nurse.page.locator("#live a.case").all_inner_texts()
    (arrived,) = set(now) - before
    assert re.search(rf"\b{arrived.split()[1]}\b", nurse.page.locator("#arrived").inner_text())
    assert int(nurse.page.evaluate("() => document.body.dataset.beeps")) >= 2
    assert "Emergency" in nurse.page.title()
    row = nurse.page.locator("tr", has=nurse.page.get_by_role("link", name=arrived, exact=True))
    expect(row).to_contain_text("Emergency")
    expect(row).to_contain_text("Not acknowledged")


def test_a_case_from_the_queue_to_its_end_without_a_mouse(ward: Server, hire: Hire) -> None:
    emergency(ward, "I have chest pain since this morning, call me at 212-664-7665")
    nurse = hire("lead")
    number = nurse.waiting()[-1]
    nurse.press(*["j"] * len(nurse.waiting()))
    expect(nurse.case_link(number)).to_be_focused()
    nurse.press("a")
    expect(nurse.page.locator("#told")).to_contain_text(f"Acknowledged: case {number}")
    expect(nurse.page.locator("tr", has=nurse.case_link(number))).to_contain_text("Acknowledged by")
    nurse.go("/?tier=3")
    nurse.tab_to(nurse.case_link(number))
    nurse.press("Enter")
    expect(nurse.page.get_by_role("heading", level=1)).to_contain_text(f"Case {number}")
    expect(nurse.page.get_by_text("[phone number]").first).to_be_visible()
    nurse.press("n")
    nurse.type("Reached her son, they are on the way.", "Tab")
    nurse.press("Enter")
    expect(nurse.page.locator("article.note")).to_contain_text("on the way")
    nurse.press("d")
    _disagree(nurse)
    nurse.press("o")
    nurse.type("Reached", "Tab")
    nurse.press("Enter")
    expect(nurse.page.get_by_role("heading", level=1).locator("xpath=following-sibling::p").first).to_contain_text("Closed")
    nurse.go("/")
    expect(nurse.case_link(number)).to_have_count(0)


def _disagree(nurse: Nurse) -> None:
    nurse.tab_to(nurse.page.get_by_label("What is wrong"))
    nurse.type("Over")
    nurse.tab_to(nurse.page.get_by_role("checkbox", name=re.compile("call", re.IGNORECASE)).first)
    nurse.press("Space")
    nurse.tab_to(nurse.page.get_by_label("Why", exact=True).last)
    nurse.type("It was an old scar.", "Tab")
    nurse.press("Enter")
    expect(nurse.page.get_by_role("heading", name="Disagreements")).to_be_visible()


def test_a_case_is_exported_without_a_mouse(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    row = nurse.page.locator("#live tr", has_text="wet the bed").first
    number = row.locator("a.case").inner_text().removeprefix("Case ")
    nurse.go("/export")
    nurse.tab_to(nurse.page.get_by_label("Numbers of cases"))
    nurse.type(number)
    nurse.tab_to(nurse.page.get_by_label("Reason"))
    nurse.type("Quality")
    nurse.tab_to(nurse.page.get_by_role("button", name="Preview"))
    nurse.press("Enter")
    expect(nurse.page.get_by_role("heading", name="Export preview")).to_be_visible()
    nurse.tab_to(nurse.page.get_by_role("button", name="Download"))
    with nurse.page.expect_download() as download:
        nurse.press("Enter")
    file = download.value.path().read_text(encoding="utf-8-sig")
    assert "wet the bed" in file
    assert "deidentified" in file
    assert nurse.name not in file


def test_of_two_nurses_who_acknowledge_at_once_one_wins_and_the_other_is_told(ward: Server, hire: Hire) -> None:
    emergency(ward)
    one, other = hire(), hire()
    number = one.waiting()[-1]
    for nurse in (one, other):
        nurse.watch.tolerate("409")  # the browser's own line about the one who came second
        expect(nurse.case_link(number)).to_be_visible()
        nurse.case_link(number).focus()
    one.press("a")
    other.press("a")
    expect(one.page.locator("#told .told")).to_be_visible()
    expect(other.page.locator("#told .told")).to_be_visible()
    told = {nurse.name: nurse.page.locator("#told").inner_text() for nurse in (one, other)}
    winners = [name for name, text in told.items() if "done" in str(_told_class(one if name == one.name else other))]
    assert len(winners) == 1, told
    (loser,) = set(told) - set(winners)
    assert winners[0] in told[loser], told


def _told_class(nurse: Nurse) -> str | None:
    return nurse.page.locator("#told .told").get_attribute("class")


def test_the_other_nurse_sees_it_change_without_reload(ward: Server, hire: Hire) -> None:
    emergency(ward)
    one, other = hire(), hire()
    number = one.waiting()[-1]
    one.case_link(number).focus()
    one.press("a")
    row = other.page.locator("tr", has=other.case_link(number))
    expect(row).to_contain_text(f"Acknowledged by {one.name}", timeout=3_000)


def test_a_lost_connection_is_told_in_words_within_ten_seconds_with_the_age_of_the_list(hire: Hire) -> None:
    nurse = hire()
    nurse.watch.tolerate(r"net::ERR_|htmx:")
    nurse.context.set_offline(True)
    expect(nurse.page.locator("#stale")).to_be_visible(timeout=10_000)
    expect(nurse.page.locator("#stale")).to_contain_text(re.compile(r"No connection.*list is \d+ s old"))
    nurse.context.set_offline(False)
    expect(nurse.page.locator("#stale")).to_be_hidden(timeout=5_000)


def test_no_single_key_acts_while_somebody_types_and_the_keys_are_shown(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    nurse.press("/")
    expect(nurse.page.locator("#search")).to_be_focused()
    nurse.type("aaa jjj ?")
    assert nurse.page.locator("#search").input_value() == "aaa jjj ?"
    assert not nurse.page.locator("dialog[open]").count()
    expect(nurse.page.locator("#told .told")).to_have_count(0)
    nurse.go("/")
    nurse.press("?")
    expect(nurse.page.get_by_role("dialog", name="Keys")).to_be_visible()
    nurse.press("Escape")
    expect(nurse.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_single_keys_can_be_switched_off(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    nurse.go("/me")
    nurse.tab_to(nurse.page.get_by_label("Single keys act"))
    nurse.press("Space")
    nurse.tab_to(nurse.page.get_by_role("button", name="Save"))
    with nurse.page.expect_navigation():
        nurse.press("Enter")
    expect(nurse.page.get_by_label("Single keys act")).not_to_be_checked()
    nurse.go("/")
    nurse.press("j", "?", "a")
    assert not nurse.page.locator("dialog[open]").count()
    expect(nurse.page.locator("#told .told")).to_have_count(0)
    assert nurse.page.evaluate("() => document.activeElement === document.body")


def test_an_idle_screen_locks_and_keeps_what_was_typed(ward: Server, hire: Hire) -> None:
    emergency(ward)
    nurse = hire()
    nurse.go(f"/cases/{nurse.first_case()}")
    nurse.page.clock.install()
    nurse.go(nurse.at.removeprefix("/console"))
    nurse.press("n")
    nurse.type("half a note")
    nurse.page.clock.fast_forward(11 * 60 * 1_000)
    lock = nurse.page.get_by_role("dialog", name="Locked")
    expect(lock).to_be_visible()
    assert nurse.page.evaluate("() => document.getElementById('main').inert")
    nurse.page.emulate_media(media="print")
    expect(nurse.page.get_by_role("heading", name="Locked")).to_be_visible()
    expect(nurse.page.locator("#main")).to_be_hidden()
    nurse.page.emulate_media(media="screen")
    expect(nurse.page.locator("#main")).to_be_visible()
    nurse.watch.tolerate("422")
    nurse.type("not the password", "Enter")
    expect(nurse.page.locator("#lock-told")).to_contain_text("password is not right")
    nurse.page.get_by_label(f"Password of {nurse.name}").fill("")
    nurse.type(PASSWORD, "Enter")
    expect(lock).to_be_hidden()
    nurse.page.emulate_media(media="print")
    expect(nurse.page.locator("#main")).to_be_visible()
    nurse.page.emulate_media(media="screen")
    assert nurse.page.locator("[data-key=n]").input_value() == "half a note"
