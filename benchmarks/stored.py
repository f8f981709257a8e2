"""What a message costs the records when a million conversations are stored already."""

from __future__ import annotations

import random
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table

from benchmarks.queue import insert_rows, settle
from gateway.records.database import connect, migrate, writing
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import conversation, conversation_key, event, session, triage_case
from scripts import postgresql

MARKS = (1_000, 100_000, 1_000_000)
_BATCH = 5_000
_TIMES = 60
_YEAR_SECONDS = 365 * 86_400
_SEALED_BYTES = {"greeting": 400, "message": 120, "answer": 1_500}
_FACTS = {"by": "rasa", "type": "triage", "rules": ["fever"], "codes": [["fever", "present"]], "protocol": {"id": "bench", "version": "1"}}
_WORDS = {"blocks": [{"kind": "say", "text": "x" * 900}], "buttons": [], "sources": [], "conversation": {}}


def measure(database: str, folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds of each step of a message, at the median, by the number of stored conversations.

    Args:
        database: `SQLite` or `PostgreSQL`.
        folder: for the SQLite file.

    Raises:
        RuntimeError: PostgreSQL is not installed.
    """
    if database == "SQLite":
        return _grown(f"sqlite:///{folder / 'stored.db'}")
    with postgresql.server() as address:
        postgresql.create_database(address, "stored")
        return _grown(address.format(database="stored"))


def _grown(url: str) -> dict[str, dict[str, float]]:
    engine = connect(url)
    migrate(engine)
    records, found, stored = Records(engine, Keyring([secrets.token_bytes(32)])), {}, 0
    for mark in MARKS:
        _fill(engine, range(stored + 1, mark + 1))
        stored = mark
        found[f"{mark:,}"] = _message(records)
    engine.dispose()
    return found


def _fill(engine: Engine, numbers: range) -> None:
    """Store conversations of one message each: a year of them, the newest last."""
    now, chance = datetime.now(UTC), random.Random(numbers.start)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        everything = _conversations(numbers, now, chance)
        while some := list(islice(everything, _BATCH)):
            for table in (conversation, conversation_key, session, event, triage_case):
                insert_rows(connection, table, [row for each in some for row in each[table]])
    settle(engine)


def _conversations(numbers: range, now: datetime, chance: random.Random) -> Iterator[Mapping[Table, list[dict[str, Any]]]]:
    for number in numbers:
        name, at = f"{number:032x}", now - timedelta(seconds=_YEAR_SECONDS * (1 - number / MARKS[-1]))
        events = []
        for seq, (kind, size) in enumerate(_SEALED_BYTES.items(), 1):
            answers = kind == "answer"
            events.append(
                {
                    "conversation_id": name, "seq": seq, "kind": kind, "at": at,
                    "client_id": f"client-{number}" if kind == "message" else None, "reply_to": 2 if answers else None,
                    "disposition": "call_doctor" if answers else None, "facts": _FACTS if answers else {}, "sealed": chance.randbytes(size),
                }
            )  # fmt: skip
        yield {
            conversation: [{"id": name, "embed_key": "demo", "started_at": at}],
            conversation_key: [{"conversation_id": name, "wrapped": chance.randbytes(60)}],
            session: [{"token_hash": chance.randbytes(32), "conversation_id": name, "started_at": at}],
            event: events,
            triage_case: [
                {
                    "conversation_id": name, "opened_at": at, "tier": 2, "rank": 9, "state": "closed", "fired_at": at,
                    "fired_seq": 3, "waiting_since": None, "last_at": at, "last_seq": 3, "failed": False, "silent": False, "asking": False,
                    "closed_at": at, "outcome": "reached", "escalated": 0, "version": 3, "changed_at": at,
                }
            ],
        }  # fmt: skip


def _message(records: Records) -> dict[str, float]:
    """The steps of one message, each the median over new conversations."""
    spent: dict[str, list[float]] = {}

    def timed(step: str, act: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        done = act()
        spent.setdefault(step, []).append((time.perf_counter() - begun) * 1_000)
        return done

    for number in range(_TIMES):
        token = timed("a chat is started", lambda: records.start("demo", {"blocks": []}, "patient", bound=("vertebroplasty", "en")))
        known = timed("its token is looked up", lambda: records.session(token))  # noqa: B023
        name = known.conversation
        message, _ = timed("a message is stored", lambda: records.add_message(name, f"message-{number:08d}", "I have a fever of 101"))  # noqa: B023
        timed("how the conversation stands", lambda: records.standing(name))  # noqa: B023
        timed("its answer is stored", lambda: records.add_answer(name, message.seq, _FACTS, _WORDS, "call_doctor"))  # noqa: B023
        timed("that it went out is noted", lambda: records.sent(name, message.seq + 1))  # noqa: B023
        timed("unanswered messages are looked for, every five seconds", records.unanswered)
    return {step: round(statistics.median(values), 2) for step, values in spent.items()}
