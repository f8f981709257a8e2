"""How long a chat stays open: half an hour after the patient's last act, four hours at most."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.records.sealing import Keyring
from gateway.records.store import Records, Session
from tests.gateway.support import BOUND, MASTER_KEY, Clock, Json, new_id

_GREETING: Json = {"blocks": [], "buttons": [], "sources": []}


@pytest.fixture
def records(engine: Engine, clock: Clock) -> Records:
    return Records(engine, Keyring([MASTER_KEY]), clock)


@pytest.fixture
def token(records: Records) -> str:
    return records.start("demo", _GREETING, "patient", bound=BOUND)


def _session(records: Records, token: str) -> Session:
    session = records.session(token)
    assert session is not None
    return session


def _is_over(records: Records, token: str) -> bool:
    return _session(records, token).is_over(records.clock())


def test_a_new_chat_is_open_for_half_an_hour_and_four_at_most(records: Records, token: str) -> None:
    session = _session(records, token)
    assert session.embed_key == "demo"
    assert session.writer == "patient"
    assert not session.ended
    assert abs(session.idle_expires_at - records.clock() - timedelta(minutes=30)) < timedelta(seconds=2)
    assert session.expires_at - session.started_at == timedelta(hours=4)


def test_it_runs_out_after_half_an_hour_without_a_word(records: Records, token: str, clock: Clock) -> None:
    clock.travel(minutes=29, seconds=50)
    assert not _is_over(records, token)
    clock.travel(seconds=10)
    assert _is_over(records, token)


_ACTS: dict[str, Callable[[Records, str], object]] = {
    "message": lambda records, name: records.add_message(name, new_id(), "words"),
    "extended": lambda records, name: records.add(name, "extended", {}),
    "writer": lambda records, name: records.add(name, "writer", {"writer": "helper"}),
}


@pytest.mark.parametrize("act", _ACTS)
def test_what_the_patient_does_renews_it(act: str, records: Records, token: str, clock: Clock) -> None:
    clock.travel(minutes=20)
    _ACTS[act](records, _session(records, token).conversation)
    clock.travel(minutes=20)
    assert not _is_over(records, token)
    clock.travel(minutes=10, seconds=1)
    assert _is_over(records, token)


def test_an_answer_does_not_renew_it(records: Records, token: str, clock: Clock) -> None:
    name = _session(records, token).conversation
    message, _ = records.add_message(name, new_id(), "words")
    clock.travel(minutes=20)
    records.add_answer(name, message.seq, {}, {}, None)
    clock.travel(minutes=10, seconds=1)
    assert _is_over(records, token)


def test_nothing_keeps_it_open_beyond_four_hours(records: Records, token: str, clock: Clock) -> None:
    session = _session(records, token)
    for _ in range(12):
        clock.travel(minutes=19, seconds=50)
        records.add(session.conversation, "extended", {})
    assert not _is_over(records, token)
    assert _session(records, token).idle_expires_at == session.expires_at
    clock.travel(minutes=2)
    assert _is_over(records, token)


def test_an_ended_chat_stays_ended(records: Records, token: str) -> None:
    name = _session(records, token).conversation
    records.add(name, "ended", {})
    records.add(name, "extended", {})
    assert _session(records, token).ended
    assert _is_over(records, token)


def test_the_writer_is_the_one_told_last(records: Records, clock: Clock) -> None:
    token = records.start("demo", _GREETING, "helper", bound=BOUND)
    assert _session(records, token).writer == "helper"
    name = _session(records, token).conversation
    records.add(name, "writer", {"writer": "patient"})
    assert _session(records, token).writer == "patient"
    assert records.again(_session(records, token)) == _session(records, token)
