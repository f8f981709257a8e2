"""The log says what happened, in JSON, and never a word of a patient, a token or an address."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy.exc import OperationalError
from trapped import DEADFALL, TRIPWIRE

from gateway.limiting import Limiter
from gateway.logs import set_up_logs
from gateway.records.store import Records
from readers.pool import Readers
from tests.gateway.support import ADDRESS, API, CANARY, EVIL, HARMLESS, RED_FLAG, Clock, Door, Json, Patient, new_id, stored
from tests.gateway.test_limits import limits
from tests.gateway.test_locked_records import locked


class Log:
    """What was written to standard output."""

    def __init__(self, written: io.StringIO) -> None:
        self._written = written

    @property
    def text(self) -> str:
        return self._written.getvalue()

    @property
    def lines(self) -> list[Json]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The log as the gateway's command sets it up, for the length of one test."""
    written, configure, root = io.StringIO(), structlog.configure, logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setattr(structlog, "configure", lambda **options: configure(**{**options, "cache_logger_on_first_use": False}))
    root.handlers = []
    set_up_logs()
    yield Log(written)
    root.handlers = handlers
    root.setLevel(level)
    configure(**before)


@pytest.fixture
def patient(log: Log, door: Door) -> Patient:
    return door.patient()


def _check(log: Log, *patients: Patient) -> None:
    assert log.lines
    for secret in (CANARY, CANARY.upper(), ADDRESS, "Bearer", *(patient.token for patient in patients)):
        assert secret not in log.text, [line for line in log.text.splitlines() if secret in line]
    for line in log.lines:
        assert {"event", "level", "timestamp"} <= set(line)


def _raise(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def test_an_ordinary_chat_is_logged_by_routes_and_ids(log: Log, door: Door, patient: Patient) -> None:
    patient.say(f"I have chest pain {CANARY}")
    patient.say(f"My legs feel weak {CANARY}")
    patient.ask("GET", "/summary")
    patient.ask("DELETE", "")
    _check(log, patient)
    requests = [line for line in log.lines if line["event"] == "request"]
    routes = {line["route"] for line in requests}
    assert {f"{API}/sessions", f"{API}/session/messages", f"{API}/session/events", f"{API}/session/summary", f"{API}/session"} <= routes
    assert all({"method", "route", "status", "ms", "request"} <= set(line) for line in requests)
    answered = [line for line in log.lines if line["event"] == "answered"]
    assert [line["conversation"] for line in answered] == [door.name(patient)] * 2


def test_the_log_does_not_tell_what_a_patient_has(log: Log, patient: Patient) -> None:
    patient.say(RED_FLAG)
    assert "chest_pain" not in log.text
    assert "emergency" not in log.text


def test_addresses_paths_and_queries_are_not_logged(log: Log, door: Door, patient: Patient) -> None:
    door.client.get(f"/{CANARY}")
    door.client.get(f"/panel/{CANARY}")
    door.client.get("/panel/demo", params={"lang": CANARY, "token": patient.token})
    door.client.get(f"/assets/{CANARY}.js")
    patient.ask("GET", "/events", params={"after": 0, "q": CANARY})
    patient.ask("GET", "/events", params={"after": CANARY})
    patient.ask("GET", f"/{CANARY}", headers={"User-Agent": CANARY, "Referer": f"https://{CANARY}.example", "X-Forwarded-For": ADDRESS})
    door.client.request("BREW", "/healthz", headers={"X-Request-ID": CANARY})
    _check(log, patient)


def test_refused_requests_are_logged_without_their_words(log: Log, open_door: Callable[..., Door], patient: Patient, clock: Clock) -> None:
    patient.send(HARMLESS, "message-1")
    for text in (RED_FLAG, f"x {CANARY} " * 1_000, f"x {CANARY} " * 10_000, f"\ud800{CANARY}\0"):
        patient.send(text, "message-1")
    patient.press(CANARY)
    patient.ask("POST", "/messages", content=f'{{"text": "{CANARY}'.encode(), headers={"Content-Type": "application/json"})
    patient.ask("POST", "/messages", json={"client_id": new_id(), "text": HARMLESS, CANARY: CANARY})
    patient.ask("GET", "", headers={"Origin": EVIL})
    patient.ask("GET", "", headers={"Authorization": f"Bearer {CANARY}"})
    limited = open_door(limits=limits(message_session="1 per hour"), maintenance=False).patient()
    for _ in range(3):
        limited.send(RED_FLAG)
    clock.travel(minutes=31)
    patient.send(RED_FLAG)
    _check(log, patient, limited)


def test_a_failing_rasa_is_logged_by_its_cause(log: Log, door: Door, patient: Patient) -> None:
    acts: list[Callable[[Json], httpx.Response]] = [
        _raise(httpx.ConnectError(CANARY)),
        lambda body: httpx.Response(500, text=body["message"]),
        lambda body: httpx.Response(200, text=body["message"]),
        lambda body: httpx.Response(200, json=[{"text": body["message"], "custom": {"type": "chat"}}]),
    ]
    for act in acts:
        door.rasa.say(act)
        patient.say(HARMLESS)
    _check(log, patient)
    causes = [line["cause"] for line in log.lines if line["event"] == "answered without Rasa"]
    assert causes == ["down", "raised", "invalid", "invalid"]


@pytest.mark.parametrize(("trap", "error"), [(TRIPWIRE, "hear: ValueError"), (DEADFALL, None)])
def test_a_failing_core_is_logged_by_the_errors_name(
    trap: str, error: str | None, log: Log, open_door: Callable[..., Door], trapped_readers: Readers, capfd: pytest.CaptureFixture[str]
) -> None:
    door = open_door(readers=trapped_readers)
    door.rasa.act = door.rasa.down
    patient = door.patient()
    assert patient.say(f"{HARMLESS} {trap}")["type"] == "trouble"
    _check(log, patient)
    assert [line["error"] for line in log.lines if line["event"] == "core failed"] == [error] * bool(error)
    assert CANARY not in "".join(capfd.readouterr())


def test_failing_records_are_logged_by_the_errors_name(log: Log, door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(door.file):
        patient.send(HARMLESS)
        patient.send(RED_FLAG)
        door.start()
    with monkeypatch.context() as patch:
        patch.setattr(Records, "events", _raise(OperationalError(CANARY, {"text": CANARY}, ValueError(CANARY))))
        patient.ask("GET", "/events")
        patch.setattr(Records, "events", _raise(RuntimeError(CANARY)))
        patient.ask("GET", "/events")
        patch.setattr(Limiter, "wait", _raise(RuntimeError(CANARY)))
        patient.send(RED_FLAG)
    with monkeypatch.context() as patch:
        patch.setattr(Records, "add_answer", _raise(RuntimeError(CANARY)))
        stored(patient.send(HARMLESS))
        patient.events(after=2, wait=1)
    _check(log, patient)
    assert {"records failed", "request failed", "message not stored", "answer not stored"} <= {line["event"] for line in log.lines}


def test_the_warnings_of_libraries_are_logged_without_their_text(log: Log) -> None:
    for name in ("uvicorn.error", "httpx", "sqlalchemy.engine", "asyncio", "anything"):
        try:
            raise RuntimeError(CANARY)
        except RuntimeError:
            logging.getLogger(name).exception("while handling %s", CANARY)
        logging.getLogger(name).warning(CANARY, extra={"words": CANARY})
        logging.getLogger(name).info(CANARY)
    assert CANARY not in log.text
    assert len(log.lines) == 10
    assert {line["error"] for line in log.lines} == {"RuntimeError", None}


def test_python_warnings_do_not_carry_words_into_the_log(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        try:
            warnings.warn(CANARY, stacklevel=1)
        finally:
            logging.captureWarnings(capture=False)
    assert CANARY not in log.text
