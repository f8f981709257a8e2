"""A database of the first release is brought up to date: its conversations can be read, go on, and have become cases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, insert, select

import gateway.__main__
from gateway.records import database
from gateway.records.database import connect, is_current, writing
from gateway.records.sealing import Keyring
from gateway.records.store.reader import hash_of, place_of
from gateway.records.tables import case_rule, conversation, conversation_key, event, session, triage_case
from tests.deploy import house
from tests.deploy.cluster import MASTER_KEY, PostgreSql
from tests.gateway.support import Patient, is_emergency

_numbers = count(1)
_PROTOCOL = {"id": "vertebroplasty", "version": "1"}
_MESSAGE = {"text": "I have chest pain"}
_EMERGENCY = {"by": "core", "cause": "", "kept": False, "type": "triage", "rules": ["chest_pain"], "codes": [["chest_pain", "present"]]}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    server: PostgreSql = request.getfixturevalue("server")
    name = f"upgrade_{next(_numbers)}"
    server.run("createdb", name)
    return server.url(name)


@pytest.fixture
def old(url: str) -> Iterator[Engine]:
    """A database as the first release left it, with one conversation in it."""
    engine = connect(url)
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    name, now = "0" * 32, datetime.now(UTC)
    sealer, wrapped = Keyring([MASTER_KEY]).new_key(name)
    answer = {"blocks": [{"kind": "advice", "text": "Call 911."}], "buttons": [], "sources": [], "findings": [], "conversation": {}}
    greeting: dict[str, Any] = {"blocks": [], "buttons": [], "sources": []}
    rows: list[tuple[int, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        (1, "greeting", {}, greeting, {}),
        (2, "message", {}, _MESSAGE, {"client_id": "an-old-message"}),
        (3, "answer", {**_EMERGENCY, "protocol": _PROTOCOL, "model": "", "ms": 9}, answer, {"reply_to": 2, "disposition": "emergency"}),
    ]
    with writing(engine) as connection:
        connection.execute(insert(conversation).values(id=name, embed_key="demo", started_at=now))
        connection.execute(insert(conversation_key).values(conversation_id=name, wrapped=wrapped))
        connection.execute(insert(session).values(token_hash=hash_of("old-token"), conversation_id=name, started_at=now))
        for seq, kind, facts, words, more in rows:
            sealed = sealer.seal(words, place_of(name, seq, kind))
            values = {"conversation_id": name, "seq": seq, "kind": kind, "at": now, "facts": facts, "sealed": sealed, **more}
            connection.execute(insert(event).values(**values))
    yield engine
    engine.dispose()


def _command(env: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run one of the gateway's commands in this process."""
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["gateway", name])
    return gateway.__main__.main()


def test_an_old_database_is_brought_up_to_date(
    old: Engine, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    env = house.environment(url)
    assert _command(env, "serve", monkeypatch) == 1
    assert "python -m gateway migrate" in capsys.readouterr().err
    assert not is_current(old)
    assert _command(env, "migrate", monkeypatch) == 0
    assert is_current(old)
    with old.connect() as connection:
        case = connection.execute(select(triage_case)).one()
        rules = list(connection.scalars(select(case_rule.c.rule)))
    assert (case.conversation_id, case.tier, case.state, case.fired_seq) == ("0" * 32, 3, "open", 3)
    assert rules == ["chest_pain"]
    with house.door(env) as door:
        patient = Patient(door.client, {"token": "old-token"})
        events = patient.events()
        assert [each["kind"] for each in events] == ["greeting", "message", "answer"]
        assert events[1]["text"] == _MESSAGE["text"]
        assert is_emergency(patient.say("Now I cannot breathe"))
    assert _command(env, "migrate", monkeypatch) == 0, "a second time changes nothing"
