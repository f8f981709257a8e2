"""The figures of nurses' work: how long cases took, what came of them, when work comes, and whether patients were reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine

from gateway.console.audit.log import AuditLog
from gateway.console.cases.acts import Acts
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.cases.tier_acts import TierActs
from gateway.console.cases.transactions import CaseActs
from gateway.console.identity.staff import StaffBook
from gateway.console.insights.figures import Book, Figures
from gateway.console.policy import read_policy
from gateway.records.database import writing
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tier import Tier
from tests.gateway.console.begun import NOON, Still, conversation_of, said
from tests.gateway.support import MASTER_KEY, clinic_in, library_in

_ANY = 99
_Kind = TypeVar("_Kind", bound=CaseActs)


@pytest.fixture
def still() -> Still:
    return Still()


@pytest.fixture
def records(engine: Engine, still: Still) -> Records:
    """Records in either sort of database."""
    return Records(engine, Keyring([MASTER_KEY]), still)


@pytest.fixture
def ann(records: Records) -> int:
    return _hired(records, "Ann")


@pytest.fixture
def ben(records: Records) -> int:
    return _hired(records, "Ben")


def _hired(records: Records, name: str) -> int:
    person, _ = StaffBook(records.engine, records.keyring, records.clock).invite(name, "nurse")
    return person.id


def _made(kind: type[_Kind], records: Records) -> _Kind:
    return kind(records, read_policy(), AuditLog(records.engine, bytes(32), records.clock), library_in("UTC"))


def _read(records: Records, zone: str = "UTC", *, names: bool = False) -> Figures:
    return Book(records, read_policy(), clinic_in(zone)).read(7, words=False, names=names)


def _add(records: Records, case: int, kind: str, **facts: Any) -> None:
    with writing(records.engine) as connection:
        records.add_within(connection, conversation_of(records, case), kind, facts)


def _call_asked(records: Records, case: int, minutes: float = 60) -> None:
    _add(records, case, "callback", due=(records.clock() + timedelta(minutes=minutes)).isoformat())


def test_time_to_close_counts_from_the_rule_also_of_a_case_that_opened_again(records: Records, still: Still, ann: int) -> None:
    acts, number = _made(Acts, records), said(records, "emergency", ("red_flag",))
    for minutes in (10, 30):
        still.travel(minutes=minutes)
        acts.acknowledge(number, ann, _ANY)
        acts.close(number, ann, _ANY, "reached")
        acts.reopen(number, ann)
    red = _read(records).closings.tiers[Tier.EMERGENCY]
    assert (red.closed, red.median, red.slowest_tenth) == (2, timedelta(minutes=10), timedelta(minutes=30))
    assert red.still_open == 1


def test_outcomes_stand_under_the_tier_that_a_nurse_set(records: Records, ann: int, ben: int) -> None:
    acts, tiers = _made(Acts, records), _made(TierActs, records)
    lowered, mild = said(records, "emergency", ("red_flag",)), said(records, "self_care")
    tiers.lower_to(lowered, ann, Tier.CALL_DOCTOR, "it was the needle")
    tiers.confirm_lowering(lowered, ben, _ANY)
    for case in (lowered, mild):
        acts.acknowledge(case, ann, _ANY)
        acts.close(case, ann, _ANY, "advised")
    figures = _read(records)
    assert figures.closings.outcomes == {"advised": {Tier.CALL_DOCTOR: 1, Tier.SELF_CARE: 1}}
    assert figures.closings.tiers[Tier.EMERGENCY].closed == 0
    assert figures.tiers == {Tier.CALL_DOCTOR: 1, Tier.SELF_CARE: 1}
    assert figures.speed[Tier.CALL_DOCTOR].summary.acknowledged == 1


def test_an_acknowledgement_that_was_taken_back_is_no_act(records: Records, still: Still, ann: int) -> None:
    acts, number = _made(Acts, records), said(records, "emergency", ("red_flag",))
    acts.acknowledge(number, ann, _ANY)
    acts.undo(number, ann)
    still.travel(minutes=7)
    figures = _read(records)
    assert (figures.speed[3].summary.acknowledged, figures.speed[3].waiting, figures.speed[3].overdue) == (0, 1, 1)
    assert (figures.speed[3].in_time, figures.speed[3].decided) == (0, 1)
    assert figures.load.team == {}
    assert figures.load.people == 0


def test_hours_are_those_of_the_clinics_day(records: Records, still: Still, ann: int) -> None:
    number = said(records, "emergency", ("red_flag",))
    said(records)
    still.travel(hours=2)
    _made(Acts, records).acknowledge(number, ann, _ANY)
    hours = _read(records, "America/New_York").load.hours
    assert NOON.hour == 12
    assert [(each.hour, each.conversations, each.urgent, each.acts) for each in hours if each.conversations or each.acts] == [
        (8, 2, 1, 0),
        (10, 0, 0, 1),
    ]


def test_acts_by_nurse_have_names_only_where_they_may_be_read(records: Records, ann: int, ben: int) -> None:
    acts, contact = _made(Acts, records), _made(ContactActs, records)
    number = said(records, "emergency", ("red_flag",))
    acts.acknowledge(number, ann, _ANY)
    contact.attempt(number, ann, Attempt.NO_ANSWER)
    acts.note(number, ben, "asleep")
    load = _read(records, names=True).load
    assert [(each.name, dict(each.acts)) for each in load.nurses] == [("Ann", {"acknowledge": 1, "attempt": 1}), ("Ben", {"note": 1})]
    hidden = _read(records).load
    assert hidden.nurses == ()
    assert (hidden.people, dict(hidden.team)) == (2, {"acknowledge": 1, "attempt": 1, "note": 1})


def test_requests_for_a_call_are_kept_when_somebody_was_reached(records: Records, still: Still, ann: int) -> None:
    acts, contact = _made(Acts, records), _made(ContactActs, records)
    tried, late, unreached, advised, waits = (said(records, "call_doctor", ("fever",)) for _ in range(5))
    for case in (tried, late, unreached, advised, waits):
        _call_asked(records, case)
        acts.acknowledge(case, ann, _ANY)
    _call_asked(records, tried, 600)
    acts.acknowledge(tried, ann, _ANY)
    still.travel(minutes=20)
    contact.attempt(tried, ann, Attempt.VOICEMAIL)
    contact.attempt(tried, ann, Attempt.REACHED)
    acts.close(tried, ann, _ANY, "no_answer")
    acts.close(unreached, ann, _ANY, "no_answer")
    acts.close(advised, ann, _ANY, "advised")
    still.travel(minutes=50)
    contact.attempt(late, ann, Attempt.REACHED)
    kept = _read(records).callbacks
    assert (kept.asked, kept.kept, kept.in_time, kept.late, kept.not_kept) == (5, 3, 2, 1, 1)
    assert (kept.waiting, kept.overdue, kept.median) == (1, 1, timedelta(minutes=20))
    assert _read(records).attempts == {Attempt.REACHED: 2, Attempt.VOICEMAIL: 1, Attempt.NO_ANSWER: 0, Attempt.WRONG_NUMBER: 0}


def test_a_call_that_nobody_asked_for_keeps_no_request(records: Records, ann: int) -> None:
    acts, contact, number = _made(Acts, records), _made(ContactActs, records), said(records, "call_doctor", ("fever",))
    acts.acknowledge(number, ann, _ANY)
    contact.attempt(number, ann, Attempt.REACHED)
    _call_asked(records, number)
    kept = _read(records).callbacks
    assert (kept.asked, kept.kept, kept.waiting, kept.overdue) == (1, 0, 1, 0)


def test_follow_up_answers_stand_by_tier(records: Records) -> None:
    for answer in ("reached", "nobody", ""):
        case = said(records, "emergency", ("red_flag",))
        _add(records, case, "followup", tier="emergency")
        if answer:
            _add(records, case, "followed", tier="emergency", answer=answer)
    (each,) = _read(records).follow_ups
    assert (each.tier, each.asked, each.unanswered) == ("emergency", 3, 1)
    assert each.answers == {"reached": 1, "nobody": 1, "not_yet": 0}


def test_signals_say_what_brought_cases_and_how_many_needed_no_contact(records: Records, ann: int) -> None:
    acts = _made(Acts, records)
    for outcome in ("not_needed", "advised", ""):
        case = said(records, "call_doctor", ("fever",))
        if outcome:
            acts.acknowledge(case, ann, _ANY)
            acts.close(case, ann, _ANY, outcome)
    said(records, type="trouble")
    found = {each.name: (each.cases, each.acknowledged, each.not_needed) for each in _read(records).signals if each.cases}
    assert found == {"Call doctor": (3, 2, 1), "Failed": (1, 0, 0)}


def test_what_the_leaflet_does_not_say_stands_by_subject(records: Records) -> None:
    heard = [{"finding": "fever", "code": "fever", "status": "absent", "evidence": "no fever"}]
    said(records, type="not_in_leaflet", meaning="ask_not_in_leaflet", heard=heard)
    said(records, type="not_in_leaflet", meaning="ask_not_in_leaflet", topic="cement")
    said(records, type="not_in_leaflet", meaning="ask_not_in_leaflet", topic="cement")
    found = [(each.topic, each.findings, each.count) for each in _read(records).answers.unanswered]
    assert found == [("cement", (), 2), ("", ("fever",), 1)]
