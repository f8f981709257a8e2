"""The queue: what is in it, in which order, and what is live."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.console.audit.log import Wanted
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.notify.escalation import Escalation
from gateway.console.services import ConsoleServices
from gateway.console.times import brief
from gateway.records.database import writing
from gateway.records.tables import triage_case
from gateway.records.tier import Rank
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, HARMLESS, RED_FLAG, Clock, Door


def test_an_emergency_stands_above_what_came_before_it(door: Door, nurse: Person) -> None:
    fever, red = door.patient(), door.patient()
    fever.say("I have a fever of 101")
    red.say(RED_FLAG)
    page = nurse.get("/")
    assert page.status_code == 200, page.text
    assert re.findall(r'id="case-(\d+)"', page.text) == [str(case_of(door, red)), str(case_of(door, fever))]
    assert "quokkaberry" not in page.text


def test_self_care_needs_no_nurse_and_is_found_among_all(door: Door, nurse: Person) -> None:
    sore = door.patient()
    sore.say(HARMLESS)
    assert "Nothing here" in nurse.get("/").text
    assert f'id="case-{case_of(door, sore)}"' in nurse.get("/", params={"view": "all"}).text


def test_the_live_part_is_silent_until_something_changes(door: Door, nurse: Person) -> None:
    part = nurse.get("/queue").text
    seen = re.search(r'data-fingerprint="([^"]+)"', part)
    assert seen is not None
    assert nurse.get("/queue", params={"seen": seen[1]}).status_code == 204
    door.patient().say(RED_FLAG)
    again = nurse.get("/queue", params={"seen": seen[1]})
    assert again.status_code == 200
    assert "Emergency" in again.text


def test_looking_at_the_queue_is_on_record_and_goes_on_being_so(
    door: Door, nurse: Person, lead: Person, services: ConsoleServices, clock: Clock
) -> None:
    def seen() -> list[tuple[str | None, object]]:
        return [(entry.person, entry.detail.get("filter")) for entry in services.audit_log.read(Wanted(act="view_queue")).entries][::-1]

    nurse.get("/")
    for _ in range(3):
        nurse.get("/queue", headers={"X-Live": "1"})
    assert seen() == [(nurse.name, {})]
    lead.get("/queue", headers={"X-Live": "1"})
    nurse.get("/queue", params={"view": "closed"})
    assert seen()[1:] == [(lead.name, {}), (nurse.name, {"view": "closed"})]
    clock.travel(minutes=6)
    nurse.get("/me")
    clock.travel(minutes=6)
    nurse.get("/queue", headers={"X-Live": "1"})
    nurse.get("/queue", headers={"X-Live": "1"})
    assert seen()[3:] == [(nurse.name, {})]


@pytest.mark.parametrize("query", [{"view": "closed"}, {"number": "999999"}, {"assignee": "1"}, {"after": "9|2020-01-01T00:00:00+00:00|1"}])
def test_no_filter_and_no_page_keeps_an_emergency_from_the_alarm(door: Door, nurse: Person, query: dict[str, str]) -> None:
    red = door.patient()
    red.say(RED_FLAG)
    number = case_of(door, red)
    part = nurse.get("/queue", params=query).text
    assert f'data-red="{number}"' in part
    assert nurse.get("/alarm").json() == {"red": [number], "emergency": [number], "call": [], "callback": []}
    nurse.post(f"/cases/{number}/acknowledge", seen=99)
    assert not any(nurse.get("/alarm").json().values())


def test_a_case_that_became_an_emergency_while_it_was_snoozed_is_in_the_queue(door: Door, services: ConsoleServices, nurse: Person) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    with writing(services.records.engine) as connection:
        mine = update(triage_case).where(triage_case.c.id == number)
        connection.execute(mine.values(snoozed_until=services.records.clock() + timedelta(hours=24)))
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    assert [row.id for row in queue.page(Filter()).rows] == [number]
    assert f'id="case-{number}"' in nurse.get("/").text


def test_a_snoozed_case_is_counted_and_stands_among_those_over_the_limit(
    door: Door, services: ConsoleServices, nurse: Person, clock: Clock
) -> None:
    fever = door.patient()
    fever.say("I have a fever of 101")
    number = case_of(door, fever)
    assert nurse.post(f"/cases/{number}/snooze", seen=99, minutes=240, reason="calls back").status_code == 303
    assert "<strong>1</strong> snoozed" in nurse.get("/").text
    clock.travel(minutes=9)
    nurse.get("/me")
    clock.travel(minutes=9)
    with writing(services.records.engine) as connection:
        connection.execute(update(triage_case).values(fired_at=clock() - services.policy.limits[2] - timedelta(minutes=1)))
    nurse.log_in()
    page = nurse.get("/", params={"only": "breached"}).text
    assert "<strong>1</strong> over the limit" in page
    assert f'id="case-{number}"' in page


def test_a_closed_case_is_not_unanswered(door: Door, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    queue, now = Queue(services.records.engine, services.policy, services.records.clock), services.records.clock()
    for rank, counted in ((Rank.RED_SEEN, 1), (Rank.CLOSED, 0)):
        with writing(services.records.engine) as connection:
            connection.execute(update(triage_case).values(rank=rank, waiting_since=now - timedelta(hours=1)))
        assert queue.counts().unanswered == counted


def test_an_escalation_that_reached_nobody_says_so(door: Door, services: ConsoleServices, nurse: Person, clock: Clock) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    clock.travel(minutes=6)
    assert Escalation(services.records, services.settings, services.audit_log, services.clinic).look() == 1
    row = Queue(services.records.engine, services.policy, clock).one(number)
    assert row is not None
    assert f"Escalated, step 1: nobody was told since {brief(services.clinic, row.steps[0].taken, clock())}" in nurse.get("/").text
    case = nurse.get(f"/cases/{number}").text
    assert "Escalated, step 1: nobody was told" in case
    assert "told nobody: nobody had acknowledged it" in case
    assert "passed it on" not in case


def test_what_is_typed_into_an_address_is_no_filter_and_stands_in_no_entry(services: ConsoleServices, nurse: Person) -> None:
    words = f"{CANARY} Quimby"
    assert nurse.get("/", params={"finding": words, "rule": words, "only": CANARY}).status_code == 200
    nurse.post("/search", finding=words, only=words)
    nurse.post("/views", name="Mine", rule=words)
    nurse.post("/me", sound="1")
    for act in ("view_queue", "search", "save_view", "preferences"):
        (entry,) = services.audit_log.read(Wanted(act=act)).entries
        assert CANARY not in str(entry.detail)


@pytest.mark.parametrize(
    "after", ["x", "0|2026-01-01|1", "0|2026-01-01T00:00:00+00:00|99999999999999999999", "0|2026-01-01T00:00:00+00:00|x"]
)
def test_an_address_that_is_no_place_in_the_queue_leads_to_its_beginning(door: Door, nurse: Person, after: str) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    page = nurse.get("/", params={"after": after})
    assert page.status_code == 200
    assert f'id="case-{case_of(door, patient)}"' in page.text
