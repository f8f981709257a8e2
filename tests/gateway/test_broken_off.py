"""A patient who leaves a question unanswered is told what holds to be safe, and the nurses see it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from gateway.records.database import connect
from gateway.records.store import OvertakenError, Records
from gateway.records.tables import triage_case
from gateway.records.tier import Rank
from tests.gateway.support import HARMLESS, Clock, Door, Json, Patient, is_emergency, stored

_MINUTES = 10
_VAGUE = "My legs feel weak"


@pytest.fixture
def asked(patient: Patient) -> Json:
    """A question that the patient was asked."""
    answer = patient.say(_VAGUE)
    assert answer["type"] == "question"
    return answer


def _follow_up(door: Door) -> None:
    door.portal.call(door.services.answering.follow_up)


def _place(door: Door) -> int:
    with door.records.engine.connect() as connection:
        return int(connection.scalars(select(triage_case.c.rank)).one())


def test_the_more_urgent_answer_is_told_and_the_nurses_see_it(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    assert _place(door) == Rank.CALL
    clock.travel(minutes=_MINUTES, seconds=1)
    _follow_up(door)
    (told,) = patient.events(after=asked["seq"])
    assert is_emergency(told)
    assert "reply_to" not in told
    assert told["blocks"][-1]["text"].startswith("I got no answer")
    assert _place(door) == Rank.RED
    facts = door.stored(patient)[-1].facts
    assert (facts["by"], facts["cause"], facts["kept"], facts["asks"]) == ("core", "broken_off", False, False)


def test_it_is_told_once(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    clock.travel(minutes=_MINUTES, seconds=1)
    for _ in range(3):
        _follow_up(door)
        clock.travel(minutes=5)
    assert len(patient.events(after=asked["seq"])) == 1


@pytest.mark.parametrize("seconds", [0, _MINUTES * 60 - 20])
def test_who_still_has_time_is_left_alone(door: Door, patient: Patient, asked: Json, clock: Clock, seconds: int) -> None:
    clock.travel(seconds=seconds)
    _follow_up(door)
    assert patient.events(after=asked["seq"]) == []


def test_who_wrote_again_is_left_alone(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    """The message is stored and not answered yet: the question is no longer the last event."""
    door.rasa.after(1.5)
    clock.travel(minutes=_MINUTES - 1)
    seq = stored(patient.send("no, I have none of these"))
    clock.travel(minutes=2)
    _follow_up(door)
    assert [event["kind"] for event in patient.events(after=asked["seq"])] == ["message"]
    assert patient.answer_to(seq)["kind"] == "answer"


@pytest.mark.parametrize("act", ["extend", "writer", "end"])
def test_who_did_something_else_has_not_answered(door: Door, patient: Patient, asked: Json, clock: Clock, act: str) -> None:
    name = door.name(patient)
    if act == "extend":
        clock.travel(minutes=_MINUTES - 1)
        patient.ask("POST", "/extend")
    elif act == "writer":
        patient.ask("PUT", "/writer", json={"writer": "helper"})
    else:
        patient.ask("DELETE", "")
    clock.travel(minutes=_MINUTES, seconds=1)
    _follow_up(door)
    _follow_up(door)
    assert [event.disposition for event in door.records.events(name) if event.follows_up] == ["emergency"]


def test_who_was_told_what_to_do_is_left_alone(door: Door, patient: Patient, clock: Clock) -> None:
    answer = patient.settled(HARMLESS)
    assert answer["disposition"] == "self_care"
    clock.travel(minutes=25)
    _follow_up(door)
    assert door.stored(patient)[-1].seq == answer["seq"]


def test_a_question_of_long_ago_is_left_alone(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    name = door.name(patient)
    clock.travel(hours=5)
    _follow_up(door)
    assert door.records.events(name)[-1].seq == asked["seq"]


def test_the_watch_looks_by_itself_and_whoever_listens_hears_it(patient: Patient, asked: Json, clock: Clock) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient.events, asked["seq"], 15)
        time.sleep(0.2)
        clock.travel(minutes=_MINUTES, seconds=1)
        (told,) = waiting.result()
    assert is_emergency(told)


def test_several_gateways_tell_it_once(door: Door, patient: Patient, asked: Json, clock: Clock, sqlite_url: str) -> None:
    other = Records(connect(sqlite_url), door.records.keyring, clock)
    clock.travel(minutes=_MINUTES, seconds=1)
    ((name, seq),) = other.asked_and_left(_MINUTES)
    _follow_up(door)
    with pytest.raises(OvertakenError):
        other.add(name, "answer", {}, words={}, right_behind=seq)


def test_the_talk_goes_on_from_there_and_nothing_is_taken_back(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    """Monotone: what was told to be safe stays told when the patient says no afterwards."""
    clock.travel(minutes=_MINUTES, seconds=1)
    _follow_up(door)
    answer = patient.say("no")
    assert door.rasa.heard[-1]["conversation"]["disposition"] == "emergency"
    assert answer["kind"] == "answer"
    assert _place(door) == Rank.RED
