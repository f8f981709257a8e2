"""A test message to the rota, and what each step of it reached, in the queue and on the page Notices."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.console.audit.log import Wanted
from gateway.console.cases.queue import Queue
from gateway.console.cases.steps import Fate
from gateway.console.notify.delivery import NoticeDelivery
from gateway.console.notify.escalation import Escalation
from gateway.console.policy import Step
from gateway.console.services import ConsoleServices
from gateway.console.times import brief
from gateway.records.database import writing
from gateway.records.tables import notice
from gateway.settings import Settings
from tests.gateway.console.people import Person, case_of, hired, services_of
from tests.gateway.support import CANARY, RED_FLAG, Clock, Door, clinic_in

_ROTA = (
    Step("second nurse", ("ward@a.example",), ("pager",)),
    Step("on-call doctor", ("doctor@a.example",), ()),
    Step("management", (), ()),
)


@pytest.fixture
def door(open_door: Callable[..., Door], settings: Settings) -> Door:
    """A gateway whose rota names somebody."""
    return open_door(policy=replace(settings.policy, rota=_ROTA))


def _notices(services: ConsoleServices) -> list[Any]:
    with services.records.engine.connect() as connection:
        return list(connection.execute(select(notice).order_by(notice.c.id)))


def test_a_test_message_goes_to_the_whole_rota_through_the_outbox(door: Door, lead: Person, services: ConsoleServices) -> None:
    door.patient().say(RED_FLAG)
    assert lead.post("/notices/test").status_code == 303
    rows = _notices(services)
    assert [(row.channel, row.recipient, row.level, row.case_id) for row in rows] == [
        ("email", "ward@a.example", 0, None), ("webhook", "pager", 0, None), ("email", "doctor@a.example", 0, None), ("none", "", 0, None),
    ]  # fmt: skip
    assert {row.body["about"] for row in rows} == {"test"}
    assert CANARY not in str([row.body for row in rows])
    (entry,) = services.audit_log.read(Wanted(act="test_notice")).entries
    assert (entry.person, entry.detail) == (lead.name, {"told": 3})
    page = lead.get("/notices").text
    assert "Test message" in page
    again = lead.post("/notices/test")
    assert (again.status_code, len(_notices(services))) == (409, 4)
    assert "within the last minute" in again.text


def test_an_admin_sees_what_became_of_it_and_no_link_to_a_case(door: Door, services: ConsoleServices, clock: Clock) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    clock.travel(minutes=6)
    Escalation(services.records, services.settings, services.audit_log, services.clinic).look()
    page = hired(door, "Ada Admin", "admin").get("/notices").text
    assert f"Case {case_of(door, patient)}" in page
    assert "/console/cases/" not in page
    assert "Send a test message" in page
    assert "Send a test message" not in hired(door, "Nina Nurse", "nurse").get("/notices").text


def test_a_test_message_keeps_no_silence_from_being_told(door: Door, lead: Person, services: ConsoleServices) -> None:
    lead.post("/notices/test")
    last = services.records.clock() - timedelta(hours=1)
    with services.records.engine.connect() as connection:
        assert not Escalation(services.records, services.settings, services.audit_log, services.clinic)._knows(connection, last)


def test_a_test_letter_says_that_nothing_has_to_be_done(services: ConsoleServices, clock: Clock) -> None:
    outbox = NoticeDelivery(services.records.engine, services.settings, clock, clinic_in("America/New_York"))
    body = {"about": "test", "step": "second nurse", "at": clock().isoformat(), "link": "https://console.example/console/notices"}
    letter = outbox._letter(type("Row", (), {"id": 1, "recipient": "ward@a.example", "body": body}))
    assert letter["subject"] == "Test message of Aftercare"
    assert "you need to do nothing" in letter.get_content()


@pytest.mark.parametrize(
    ("changes", "fate", "said"),
    [
        ({"sent": True}, Fate.DELIVERED, "e-mail delivered"),
        ({"problem": "HTTP 503"}, Fate.REFUSED, "refused (HTTP 503), it is tried again"),
        ({"given_up": True, "problem": "HTTP 503"}, Fate.GIVEN_UP, "nobody was told since "),
        ({}, Fate.SENDING, "being sent"),
    ],
)
def test_the_line_tells_what_became_of_each_step(door: Door, clock: Clock, changes: dict[str, Any], fate: Fate, said: str) -> None:
    services = services_of(door)
    patient = door.patient()
    patient.say(RED_FLAG)
    clock.travel(minutes=6)
    escalation = Escalation(services.records, services.settings, services.audit_log, services.clinic)
    escalation.look()
    now = clock()
    values = {"sent_at": now if "sent" in changes else None, "given_up_at": now if "given_up" in changes else None}
    with writing(services.records.engine) as connection:
        connection.execute(update(notice).where(notice.c.level == 1).values(**values, problem=changes.get("problem")))
    row = Queue(services.records.engine, services.policy, clock).one(case_of(door, patient))
    assert row is not None
    assert [(step.level, step.fate) for step in row.steps] == [(1, fate)]
    assert row.untold == (fate is Fate.GIVEN_UP)
    assert row.steps[0].taken == _notices(services)[0].created_at
    page = " ".join(hired(door, "Nina Nurse", "nurse").get("/").text.split())
    assert "Escalated, step 1:" in page
    assert said in page


def test_steps_that_reached_nobody_share_one_line_and_leave_it_once_somebody_is_reached(door: Door, clock: Clock) -> None:
    services = services_of(door)
    patient = door.patient()
    patient.say(RED_FLAG)
    escalation = Escalation(services.records, services.settings, services.audit_log, services.clinic)
    for _ in _ROTA:
        clock.travel(minutes=6)
        assert escalation.look() == 1
    at, nurse = clock(), hired(door, "Nina Nurse", "nurse")
    first, third = (next(row.created_at for row in _notices(services) if row.level == level) for level in (1, 3))
    now, since, then = (brief(services.clinic, each, at) for each in (at, first, third))
    for level in (1, 2):
        _became(services, level, given_up_at=at, problem="HTTP 503")
    given_up = f"step 1: webhook given up {now}; step 2: e-mail given up {now}"
    assert _tags(nurse) == [f"Escalated, steps 1–3: nobody was told since {since}; {given_up}"]
    _became(services, 2, sent_at=at)
    delivered = f"Escalated, step 2: e-mail delivered {now}"
    assert _tags(nurse) == [delivered, f"Escalated, steps 1, 3: nobody was told since {since}; step 1: webhook given up {now}"]
    _became(services, 1, sent_at=at)
    assert _tags(nurse) == [
        f"Escalated, step 1: e-mail delivered {now}", delivered, f"Escalated, step 3: nobody was told since {then}",
    ]  # fmt: skip


def _became(services: ConsoleServices, level: int, **values: Any) -> None:
    """Let this become of a step's notices."""
    with writing(services.records.engine) as connection:
        connection.execute(update(notice).where(notice.c.level == level).values(**values))


def _tags(nurse: Person) -> list[str]:
    """What the queue says of the rota's steps."""
    found = re.findall(r'<span class="tag warn">(Escalated.*?)</span>', nurse.get("/").text, re.DOTALL)
    return [" ".join(text.split()) for text in found]
