"""A message that was stored is answered, also when the process that stored it died."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from gateway.records.database import connect
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from tests.gateway.support import BOUND, HARMLESS, MASTER_KEY, RED_FLAG, Clock, Door, Json, Patient, is_emergency, new_id

_GREETING: Json = {"blocks": [], "buttons": [], "sources": []}


def _left(records: Records, words: str) -> str:
    """A conversation with a message that nobody answered; its token."""
    token = records.start("demo", _GREETING, "patient", bound=BOUND)
    session = records.session(token)
    assert session is not None
    records.add_message(session.conversation, new_id(), words)
    return token


def _answered(records: Records, token: str, seconds: float = 4.0) -> bool:
    session = records.session(token)
    assert session is not None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not records.unanswered(session.conversation):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def dead(sqlite_url: str, clock: Clock) -> Records:
    """The records as a process saw them that died after it had stored its messages."""
    return Records(connect(sqlite_url), Keyring([MASTER_KEY]), clock)


def test_what_a_dead_process_left_is_answered_when_the_patient_looks(door: Door, dead: Records, clock: Clock) -> None:
    patient = Patient(door.client, {"token": _left(dead, RED_FLAG)})
    clock.travel(seconds=6)
    answer = patient.answer_to(2, seconds=3)
    assert is_emergency(answer)
    assert door.recorded(patient, 2).facts["cause"] == "recovered"


def test_what_a_dead_process_left_is_answered_at_the_start(open_door: Callable[..., Door], dead: Records, clock: Clock) -> None:
    tokens = [_left(dead, RED_FLAG), _left(dead, HARMLESS)]
    clock.travel(seconds=6)
    door = open_door()
    assert all(_answered(dead, token) for token in tokens)
    urgent, harmless = (Patient(door.client, {"token": token}) for token in tokens)
    assert is_emergency(urgent.events()[-1])
    assert harmless.events()[-1]["check"]["waits"]


def test_what_another_process_is_still_answering_is_left_to_it(open_door: Callable[..., Door], dead: Records, clock: Clock) -> None:
    token = _left(dead, HARMLESS)
    clock.travel(seconds=3)
    door = open_door()
    patient = Patient(door.client, {"token": token})
    assert patient.events(after=2, wait=1) == []
    session = dead.session(token)
    assert session is not None
    assert dead.unanswered(session.conversation)


def test_every_message_that_was_left_is_answered_once(door: Door, dead: Records, clock: Clock) -> None:
    token = _left(dead, "My legs feel weak")
    session = dead.session(token)
    assert session is not None
    dead.add_message(session.conversation, new_id(), "No")
    clock.travel(seconds=6)
    patient = Patient(door.client, {"token": token})
    answers = [patient.answer_to(2), patient.answer_to(3)]
    assert [answer["type"] for answer in answers] == ["question", "triage"]
    assert answers[0]["blocks"] != answers[1]["blocks"]
    for _ in range(3):
        patient.events(after=99, wait=1)
    assert len(patient.events()) == 5


def test_two_processes_give_one_answer(open_door: Callable[..., Door], dead: Records, clock: Clock) -> None:
    token = _left(dead, HARMLESS)
    one, two = open_door(), open_door()
    clock.travel(seconds=6)
    found = [Patient(each.client, {"token": token}).answer_to(2) for each in (one, two)]
    assert found[0] == found[1]
    assert [event["kind"] for event in Patient(one.client, {"token": token}).events()] == ["greeting", "message", "answer"]


def test_a_conversation_that_no_key_opens_does_not_keep_others_from_their_answer(
    open_door: Callable[..., Door], dead: Records, sqlite_url: str, clock: Clock
) -> None:
    foreign = Records(connect(sqlite_url), Keyring([bytes(range(1, 33))]), clock)
    _left(foreign, RED_FLAG)
    token = _left(dead, RED_FLAG)
    clock.travel(seconds=6)
    open_door()
    assert _answered(dead, token)


def test_an_answer_that_could_not_be_stored_is_given_later(door: Door, patient: Patient, clock: Clock, dead: Records) -> None:
    """The message is stored, and then the database is locked for longer than the answer can wait."""
    door.rasa.after(0.3)
    seq = patient.send(HARMLESS).json()["seq"]
    with dead.engine.connect().execution_options(writes=True) as other:
        other.execute(text("SELECT 1"))
        time.sleep(4.0)
        other.rollback()
    clock.travel(seconds=6)
    assert patient.answer_to(seq)["check"]["waits"]
