"""A message costs as much beside many stored conversations as beside few: every statement of its path goes by the conversation."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Select, insert
from sqlalchemy.event import listen

from gateway.records import statements
from gateway.records.database import connect, writing
from gateway.records.tables import conversation, event

_CONVERSATIONS = 2_000
_PARAMETERS: dict[str, Any] = {
    "name": "0" * 32,
    "names": ["0" * 32, f"{1:032x}"],
    "seq": 1,
    "client_id": "client-1",
    "kind": "answer",
    "case": 1,
    "message": 1,
    "token_hash": b"",
    "ranks": [0, 1],
    "until": datetime.now(UTC),
    "since": datetime.now(UTC),
}
_READS = {name: found for name, found in vars(statements).items() if name[0].isupper() and isinstance(found, Select)}


@pytest.fixture
def crowded(sqlite_url: str) -> Engine:
    """A database with many conversations, which has no statistics: SQLite makes none by itself."""
    engine, now = connect(sqlite_url), datetime.now(UTC) - timedelta(days=30)
    names = [f"{number:032x}" for number in range(_CONVERSATIONS)]
    rows: list[dict[str, Any]] = [
        {
            "conversation_id": name, "seq": seq, "kind": kind, "at": now + timedelta(minutes=number), "facts": {},
            "client_id": f"client-{number}" if kind == "message" else None, "reply_to": 2 if kind == "answer" else None,
            "sealed": secrets.token_bytes(40),
        }
        for number, name in enumerate(names)
        for seq, kind in enumerate(("greeting", "message", "answer"), 1)
    ]  # fmt: skip
    with writing(engine) as connection:
        connection.execute(insert(conversation), [{"id": name, "embed_key": "demo", "started_at": now} for name in names])
        connection.execute(insert(event), rows)
    return engine


@pytest.mark.parametrize("name", _READS)
def test_no_statement_goes_through_other_conversations(name: str, crowded: Engine) -> None:
    sent: list[tuple[str, Any]] = []
    listen(crowded, "before_cursor_execute", lambda _connection, _cursor, said, given, *_rest: sent.append((said, given)))
    with crowded.connect() as connection:
        connection.execute(_READS[name], _PARAMETERS)
        said, given = next(each for each in sent if each[0].startswith("SELECT"))
        plan = [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)]
    assert plan
    assert [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step] == []
    assert [step for step in plan if "event_by" in step] == []
