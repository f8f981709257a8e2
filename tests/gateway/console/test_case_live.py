"""The case's page goes on by itself: what it asks for, what comes back, what is on record, and whose reading counts."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import Row, select

from gateway.console.audit.log import Wanted
from gateway.console.cases.queue import Queue
from gateway.console.cases.reading import mark_read, shown_now
from gateway.console.services import ConsoleServices
from gateway.records.tables import triage_case
from tests.gateway.console.people import Person
from tests.gateway.support import Clock, Door, Patient


def shown(page: httpx.Response) -> str:
    """Up to where a page shows the case."""
    found = re.search(r'data-shown="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def live(person: Person, number: int, seen: str) -> httpx.Response:
    return person.get(f"/cases/{number}/live?seen={seen}", headers={"HX-Request": "true", "X-Live": "1"})


def case(door: Door, number: int) -> Row[Any]:
    with door.records.engine.connect() as connection:
        return connection.execute(select(triage_case).where(triage_case.c.id == number)).one()


def views(services: ConsoleServices) -> list[Any]:
    return [entry.detail for entry in services.audit_log.read(Wanted(act="view_case"), size=50).entries][::-1]


def test_nothing_comes_while_nothing_has_changed(nurse: Person, number: int) -> None:
    page = nurse.get(f"/cases/{number}")
    answer = live(nurse, number, shown(page))
    assert (answer.status_code, answer.text) == (204, "")


def test_new_words_come_with_the_whole_case_and_without_the_frame(nurse: Person, red: Patient, number: int) -> None:
    seen = shown(nurse.get(f"/cases/{number}"))
    red.say("I can not move my legs")
    answer = live(nurse, number, seen)
    assert answer.status_code == 200
    assert "I can not move my legs" in answer.text
    assert "<html" not in answer.text
    for name in ("bar", "situation", "assessment", "recommendation", "transcript", "history", "notes", "reply", "attempt"):
        assert f'id="part-{name}" data-part' in answer.text, name
    assert live(nurse, number, shown(answer)).status_code == 204


@pytest.mark.parametrize("what", ["act", "delivery", "end", "note"])
def test_whatever_changes_on_the_page_makes_it_new(nurse: Person, lead: Person, red: Patient, number: int, what: str) -> None:
    seen = shown(nurse.get(f"/cases/{number}"))
    if what == "act":
        lead.post(f"/cases/{number}/acknowledge", seen=10_000)
    elif what == "note":
        lead.post(f"/cases/{number}/note", text="a note")
    elif what == "end":
        red.ask("DELETE", "")
    else:
        lead.post(f"/cases/{number}/acknowledge", seen=10_000)
        lead.post(f"/cases/{number}/reply", seen=10_000, text="a letter")
        seen = shown(live(nurse, number, seen))
        red.events()
    assert live(nurse, number, seen).status_code == 200


def test_looking_on_is_on_record_every_ten_minutes_and_not_each_second(
    nurse: Person, number: int, services: ConsoleServices, clock: Clock
) -> None:
    seen = shown(nurse.get(f"/cases/{number}"))
    for _ in range(3):
        live(nurse, number, seen)
    assert views(services) == [{}]
    clock.travel(minutes=9)
    nurse.get("/me")
    clock.travel(minutes=2)
    live(nurse, number, seen)
    assert views(services) == [{}, {"live": True}]


def test_who_comes_straight_to_the_live_part_is_on_record(nurse: Person, number: int, services: ConsoleServices) -> None:
    live(nurse, number, "")
    assert views(services) == [{"live": True}]


def test_reading_counts_for_the_queue(door: Door, nurse: Person, red: Patient, number: int, services: ConsoleServices) -> None:
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    assert case(door, number).unread == 1
    before, version = queue.fingerprint(), case(door, number).version
    page = nurse.get(f"/cases/{number}")
    assert (case(door, number).unread, case(door, number).version) == (0, version + 1)
    assert queue.fingerprint() != before
    assert live(nurse, number, shown(page)).status_code == 204
    red.say("thank you")
    assert case(door, number).unread == 1
    live(nurse, number, shown(page))
    assert case(door, number).unread == 0
    version = case(door, number).version
    nurse.get(f"/cases/{number}")
    assert case(door, number).version == version


def test_who_only_breaks_the_glass_has_read_nothing_for_the_team(door: Door, auditor: Person, number: int) -> None:
    auditor.post(f"/cases/{number}/break-glass", reason="quality")
    page = auditor.get(f"/cases/{number}")
    assert "You broke the glass" in page.text
    assert "case.js" not in page.text
    assert case(door, number).unread == 1
    assert live(auditor, number, "").status_code == 403


def test_words_that_come_behind_what_is_shown_stay_unread(door: Door, number: int, red: Patient, services: ConsoleServices) -> None:
    before = shown_now(services.records, number)
    assert before is not None
    red.say("thank you")
    assert mark_read(services.records, number, before) == before
    assert case(door, number).unread == 2


def test_a_case_that_does_not_exist_has_no_live_part(nurse: Person, number: int) -> None:
    assert live(nurse, number + 1, "").status_code == 404
