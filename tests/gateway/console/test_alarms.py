"""Which cases sound when they arrive, for whom, and that what makes no sound stands in the queue all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import update

from gateway.console.cases.queue import Queue
from gateway.console.notify.escalation import Escalation
from gateway.console.services import ConsoleServices
from gateway.records.database import writing
from gateway.records.tables import triage_case
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import RED_FLAG, Clock, Door

Hire = Callable[..., Person]


def _set(services: ConsoleServices, number: int, **values: object) -> None:
    with writing(services.records.engine) as connection:
        connection.execute(update(triage_case).where(triage_case.c.id == number).values(**values))


def _said(door: Door, text: str) -> int:
    patient = door.patient()
    patient.say(text)
    return case_of(door, patient)


def test_each_kind_has_its_numbers_and_nothing_more(door: Door, nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    red, fever, called = _said(door, RED_FLAG), _said(door, "I have a fever of 101"), _said(door, RED_FLAG)
    _set(services, called, callback_at=clock(), callback_due=clock() + timedelta(hours=1))
    _said(door, "thank you")
    assert nurse.get("/alarm").json() == {"red": [red, called], "emergency": [red, called], "call": [fever], "callback": [called]}
    for number in (red, fever, called):
        nurse.post(f"/cases/{number}/acknowledge", seen=99)
    assert not any(nurse.get("/alarm").json().values())


def test_who_has_a_case_hears_nothing_of_it_and_the_others_do(door: Door, nurse: Person, lead: Person) -> None:
    number = _said(door, RED_FLAG)
    nurse.post(f"/cases/{number}/assign", to=nurse.id)
    assert nurse.get("/alarm").json() == {"red": [number], "emergency": [], "call": [], "callback": []}
    assert lead.get("/alarm").json()["emergency"] == [number]


def test_what_a_question_that_was_left_assumed_sounds_no_alarm_but_stands_and_escalates(
    door: Door, hire: Hire, services: ConsoleServices, clock: Clock
) -> None:
    patient = door.patient()
    patient.say("The needle site is sore")
    name = door.name(patient)
    number = case_of(door, patient)
    facts = {"type": "triage", "rules": ["loss_of_control"], "codes": [["bladder_bowel", "assumed"]], "assumed": ["loss_of_control"]}
    services.records.add(name, "answer", facts, disposition="emergency")
    row = Queue(services.records.engine, services.policy, services.records.clock).one(number)
    assert row is not None
    clock.travel(minutes=6)
    assert Escalation(services.records, services.settings, services.audit_log, services.clinic).look() == 1
    nurse = hire("nurse")
    assert nurse.get("/alarm").json() == {"red": [number], "emergency": [], "call": [], "callback": []}
    assert "Assumed only: no alarm sounds" in nurse.get("/").text
    patient.say("yes it is true")
    assert nurse.get("/alarm").json()["emergency"] == [number]


def test_what_was_said_beside_what_was_assumed_sounds(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    facts = {"type": "triage", "rules": ["loss_of_control"], "codes": [["bladder_bowel", "assumed"]], "assumed": ["loss_of_control"]}
    services.records.add(door.name(patient), "answer", facts, disposition="emergency")
    assert nurse.get("/alarm").json()["emergency"] == [case_of(door, patient)]


def test_a_failure_of_the_assistant_sounds_as_a_call_does(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say("thank you")
    number = case_of(door, patient)
    services.records.add(door.name(patient), "answer", {"type": "trouble"})
    assert nurse.get("/alarm").json() == {"red": [], "emergency": [], "call": [number], "callback": []}
