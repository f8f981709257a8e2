"""While somebody else holds the database, the patient is told soon that nothing was stored, and nothing is stored by halves."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.records.database import connect, try_to_write
from gateway.records.tables import probe
from tests.gateway.support import HARMLESS, RED_FLAG, Door, Patient, is_emergency, refused, stored

_SECONDS = 3.0


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another connection holds the only write lock."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def in_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < _SECONDS


def _rows(file: Path) -> list[int]:
    reader = sqlite3.connect(file)
    tables = ("conversation", "conversation_key", "session", "event")
    counted = [reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    reader.close()
    return counted


def test_a_message_that_cannot_be_stored_is_told_and_can_be_sent_again(door: Door, patient: Patient) -> None:
    before = _rows(door.file)
    with locked(door.file):
        with in_time():
            response = patient.send(HARMLESS, "message-1")
        body = refused(response, 503, "not_stored")
        assert "answer" not in body
        assert "555-0100" in body["message"]
    assert _rows(door.file) == before
    response = patient.send(HARMLESS, "message-1")
    assert response.status_code == 202
    assert patient.answer_to(stored(response))["check"]["waits"]
    assert patient.texts() == [HARMLESS]
    assert len(door.rasa.heard) == 1


def test_a_red_flag_that_cannot_be_stored_is_answered(door: Door, patient: Patient) -> None:
    before = _rows(door.file)
    with locked(door.file):
        with in_time():
            response = patient.send(RED_FLAG, "message-1")
        assert is_emergency(refused(response, 503, "not_stored")["answer"])
    assert _rows(door.file) == before
    assert is_emergency(patient.answer_to(stored(patient.send(RED_FLAG, "message-1"))))


def test_a_button_that_cannot_be_stored_can_be_pressed_again(door: Door, patient: Patient) -> None:
    button = patient.say("My legs feel weak")["buttons"][0]["id"]
    with locked(door.file), in_time():
        refused(patient.press(button, "message-1"), 503, "not_stored")
    assert is_emergency(patient.answer_to(stored(patient.press(button, "message-1"))))


def test_a_chat_that_cannot_be_stored_is_not_started(door: Door) -> None:
    before = _rows(door.file)
    with locked(door.file), in_time():
        refused(door.start(), 503, "not_stored")
    assert _rows(door.file) == before
    door.patient()


def test_every_change_is_refused_in_time(door: Door, patient: Patient) -> None:
    with locked(door.file):
        for method, path, request in [
            ("POST", "/extend", {}),
            ("PUT", "/writer", {"json": {"writer": "helper"}}),
            ("DELETE", "", {}),
        ]:
            with in_time():
                refused(patient.ask(method, path, **request), 503, "not_stored")
    assert patient.ask("GET", "").json()["writer"] == "patient"


def test_the_chat_can_be_read_while_nothing_can_be_stored(door: Door, patient: Patient) -> None:
    patient.say(HARMLESS)
    with locked(door.file):
        assert len(patient.events()) == 3
        assert patient.ask("GET", "/summary").status_code == 200


def test_an_answer_outlasts_a_short_lock(door: Door, patient: Patient) -> None:
    door.rasa.after(0.3)
    seq = stored(patient.send(HARMLESS))
    with locked(door.file):
        time.sleep(1.6)
    assert patient.answer_to(seq)["check"]["waits"]


def test_a_database_that_is_gone_is_told(door: Door, patient: Patient) -> None:
    """The tables are dropped under the running gateway."""
    other = sqlite3.connect(door.file)
    other.execute("DROP TABLE session")
    other.commit()
    other.close()
    with in_time():
        refused(patient.ask("GET", "/events"), 503, "not_stored")
    assert is_emergency(refused(patient.send(RED_FLAG), 503, "not_stored")["answer"])
    refused(door.start(), 503, "not_stored")


def test_readiness_tells_that_the_records_are_locked(door: Door) -> None:
    with locked(door.file), in_time():
        response = door.client.get("/readyz")
    assert (response.status_code, response.json()["records"]) == (503, "down")
    assert door.client.get("/readyz").status_code == 200


@pytest.mark.parametrize("pragma", ["query_only=ON", "max_page_count=1"])
def test_readiness_tells_that_the_records_are_read_only_or_full(door: Door, pragma: str) -> None:
    engine = door.records.engine
    engine.dispose()

    @event.listens_for(engine, "connect")
    def hinder(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA {pragma}")

    with in_time():
        response = door.client.get("/readyz")
    assert (response.status_code, response.json()["records"]) == (503, "down")
    event.remove(engine, "connect", hinder)
    engine.dispose()
    assert door.client.get("/readyz").status_code == 200


def test_asking_for_readiness_leaves_nothing(engine: Engine) -> None:
    for _ in range(3):
        try_to_write(engine)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(probe)) == 0


def test_a_postgresql_that_takes_no_writes_is_not_ready(postgresql_url: str) -> None:
    engine = connect(postgresql_url)
    with engine.begin() as connection:
        name = make_url(postgresql_url).database
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    engine.dispose()
    with pytest.raises(SQLAlchemyError):
        try_to_write(engine)
    engine.dispose()


def test_readiness_tells_that_records_are_missing(door: Door) -> None:
    assert door.client.get("/readyz").json() == {"records": "ok", "rasa": "ok", "proxies": "ok"}
    door.rasa.act = door.rasa.down
    response = door.client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"records": "ok", "rasa": "down", "proxies": "ok"})
    other = sqlite3.connect(door.file)
    other.execute("DROP TABLE alembic_version")
    other.commit()
    other.close()
    response = door.client.get("/readyz")
    assert (response.status_code, response.json()["records"]) == (503, "down")
    assert door.client.get("/healthz").status_code == 200
