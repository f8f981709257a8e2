"""Why a case stands in the queue: the patient's own words, opened for one page, with nothing of them stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.cases.whys import Quote, Why
from gateway.console.services import ConsoleServices
from gateway.records.database import writing
from gateway.records.signals import rank_of
from gateway.records.store import Event
from gateway.records.tables import conversation, conversation_key, triage_case
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, RED_FLAG, Clock, Door, Patient


def _queue(services: ConsoleServices) -> Queue:
    return Queue(services.records.engine, services.policy, services.records.clock)


def _why(services: ConsoleServices, number: int) -> Why:
    row = _queue(services).one(number)
    assert row is not None
    return services.whys.of([row])[number]


def _set(services: ConsoleServices, number: int, **values: object) -> None:
    with writing(services.records.engine) as connection:
        connection.execute(update(triage_case).where(triage_case.c.id == number).values(**values))


def _line(nurse: Person, number: int, **query: str) -> str:
    """The text of a case's line."""
    page = nurse.get("/", params=query).text
    (row,) = re.findall(rf'<tr (?:(?!</tr>).)*id="case-{number}".*?</tr>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_the_line_quotes_what_alarmed_and_no_code_of_a_rule(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    line = _line(nurse, number)
    assert "“chest pain”" in line
    assert CANARY not in line
    assert "chest_pain" not in line


def test_of_a_tapped_row_the_line_has_question_and_answer(door: Door, services: ConsoleServices) -> None:
    patient = door.patient()
    answer = patient.say("The needle site is sore")
    row = answer["check"]["rows"][0]["text"]
    patient.answer_to(int(patient.tick(answer["check"], {row: "yes"}).json()["seq"]))
    why = _why(services, case_of(door, patient))
    assert why.rows == (f"{row} Yes",)
    assert why.quotes == ()


def test_telephone_numbers_are_masked(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say("qwertz 212-664-7665")
    number = case_of(door, patient)
    assert _why(services, number).quotes == (Quote("qwertz [phone number]"),)
    assert "664-7665" not in nurse.get("/", params={"view": "all"}).text


def test_deleted_words_are_gone_from_the_line_at_once(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    assert "“chest pain”" in _line(nurse, number)
    with writing(services.records.engine) as connection:
        connection.execute(delete(conversation_key))
    assert "Words deleted" in _line(nurse, number)
    assert "“" not in _line(nurse, number)


def test_the_words_of_an_unchanged_case_are_opened_once(door: Door, services: ConsoleServices, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    opened: list[list[str]] = []
    turns = services.records.turns

    def counted(names: Sequence[str]) -> dict[str, list[Event]]:
        opened.append([*names])
        return turns(names)

    monkeypatch.setattr(services.records, "turns", counted)
    rows = _queue(services).page(Filter()).rows
    first, second = services.whys.of(rows), services.whys.of(rows)
    assert first == second
    assert len(opened) == 1
    patient.say("and my arm hurts")
    services.whys.of(_queue(services).page(Filter()).rows)
    assert len(opened) == 2


def test_the_line_says_what_becomes_of_the_case(door: Door, nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number, now = case_of(door, patient), clock()
    nurse.post(f"/cases/{number}/acknowledge", seen=99)
    more = {"unread": 2, "words_at": now, "next_attempt_at": now + timedelta(minutes=9), "held_by": nurse.id}
    _set(services, number, **more, held_until=now + timedelta(minutes=5), lower_to=2, lower_asked_by=nurse.id)
    line = _line(nurse, number)
    for part in (
        "2 new messages, last",
        "Next try due",
        f"{nurse.name} holds the chat until",
        "Lowering to call doctor waits for a second person",
    ):
        assert part in line
    assert re.search(r"last \d{1,2}:\d\d [ap]m", line)


def test_the_tier_of_a_line_is_that_set_by_hand_and_the_rules_own_is_named(door: Door, nurse: Person, services: ConsoleServices) -> None:
    fever: Patient = door.patient()
    fever.say("I have a fever of 101")
    number = case_of(door, fever)
    nurse.post(f"/cases/{number}/raise", tier="emergency", reason="septic")
    line = _line(nurse, number)
    assert line.startswith("Emergency")
    assert "Raised by hand, by the rules: call doctor" in line
    assert [row.id for row in _queue(services).page(Filter(tier=3)).rows] == [number]
    assert [row.id for row in _queue(services).page(Filter(tier=2)).rows] == []


def test_a_call_that_is_overdue_counts_as_over_the_limit_also_when_acknowledged(
    door: Door, nurse: Person, services: ConsoleServices, clock: Clock
) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number, now = case_of(door, patient), clock()
    _set(services, number, callback_at=now, callback_due=now + timedelta(minutes=1))
    nurse.post(f"/cases/{number}/acknowledge", seen=99)
    before = _queue(services).fingerprint()
    assert (_queue(services).counts().breached, _queue(services).counts().callbacks) == (0, 1)
    assert "Asks for a call" in _line(nurse, number, only="callback")
    clock.travel(minutes=2)
    assert _queue(services).counts().breached == 1
    assert _queue(services).fingerprint() != before
    assert "late by" in _line(nurse, number, only="breached")
    nurse.post(f"/cases/{number}/close", seen=99, outcome="reached")
    assert _queue(services).counts().breached == 0


def test_ones_own_tries_that_are_due(door: Door, nurse: Person, lead: Person, services: ConsoleServices, clock: Clock) -> None:
    numbers = []
    for person in (nurse, lead):
        patient = door.patient()
        patient.say(RED_FLAG)
        numbers.append(case_of(door, patient))
        person.post(f"/cases/{numbers[-1]}/acknowledge", seen=99)
        _set(services, numbers[-1], next_attempt_at=clock())
    for person, number in zip((nurse, lead), numbers, strict=True):
        assert re.findall(r'id="case-(\d+)"', person.get("/", params={"only": "mine-due"}).text) == [str(number)]


def test_new_messages_are_a_filter_of_what_needs_a_nurse(door: Door, services: ConsoleServices, nurse: Person) -> None:
    for _ in range(2):
        door.patient().say(RED_FLAG)
    numbers = [row.id for row in _queue(services).page(Filter()).rows]
    _set(services, numbers[0], unread=0)
    assert [row.id for row in _queue(services).page(Filter(only="unread")).rows] == numbers[1:]


def test_left_checks_and_questions_never_bury_an_emergency(door: Door, services: ConsoleServices) -> None:
    door.patient().say(RED_FLAG)
    (red,) = _queue(services).page(Filter()).rows
    checks = ("unfinished", "left", "")
    _fill(services, [{"danger_check": checks[number % 3], "asking": number % 3 == 2} for number in range(120)])
    for view in ("work", "all"):
        page = _queue(services).page(Filter(view=view))
        assert page.rows[0].id == red.id
    assert services.whys.of(_queue(services).page(Filter(view="all")).rows)[red.id].quotes == (Quote("chest pain"),)


def _fill(services: ConsoleServices, cases: list[dict[str, Any]]) -> None:
    """Put cases into the queue that are older than every other, by what differs from a fresh one."""
    old = services.records.clock() - timedelta(hours=5)
    fresh = {
        "opened_at": old, "tier": 0, "state": "open", "fired_at": old, "fired_seq": 1, "last_at": old, "last_seq": 1, "failed": False,
        "silent": False, "asking": False, "danger_check": "", "escalated": 0, "version": 1, "changed_at": old,
    }  # fmt: skip
    with writing(services.records.engine) as connection:
        for number, case in enumerate(cases):
            row = {**fresh, **case, "conversation_id": f"{number:032x}"}
            started = {"id": row["conversation_id"], "embed_key": "demo", "started_at": old, "protocol": "vertebroplasty", "language": "en"}
            connection.execute(insert(conversation).values(**started))
            connection.execute(insert(triage_case).values(**row, rank=rank_of(row)))
