"""After a while the words become unreadable for good; that they were said, and what was advised, stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway.records.database import connect
from gateway.records.retention import count, purge
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from tests.gateway.support import BOUND, CANARY, MASTER_KEY, Clock, new_id

_GREETING = {"blocks": [{"kind": "say", "text": "Hello"}], "buttons": [], "sources": []}


@pytest.fixture
def records(engine: Engine, clock: Clock) -> Records:
    return Records(engine, Keyring([MASTER_KEY]), clock)


def _talk(records: Records) -> str:
    session = records.session(records.start("demo", _GREETING, "patient", bound=BOUND))
    assert session is not None
    name = session.conversation
    message, _ = records.add_message(name, new_id(), f"chest pain {CANARY}")
    facts = {"by": "core", "rules": ["chest_pain"]}
    records.add_answer(name, message.seq, facts, {"blocks": [{"kind": "advice", "text": CANARY}]}, "emergency")
    return name


def _wrapped(engine: Engine, name: str) -> bytes:
    with engine.connect() as connection:
        return bytes(
            connection.execute(text("SELECT wrapped FROM conversation_key WHERE conversation_id = :name"), {"name": name}).scalar_one()
        )


def test_a_dry_run_tells_and_changes_nothing(records: Records, clock: Clock) -> None:
    name = _talk(records)
    clock.travel(days=400)
    done = purge(records.engine, clock(), dry_run=True)
    assert done.conversations == (name,)
    assert count(records.engine) == (1, 1)
    assert records.events(name)[1].words == {"text": f"chest pain {CANARY}"}


def test_purged_words_are_unreadable_and_the_facts_stay(records: Records, records_url: str, clock: Clock) -> None:
    name = _talk(records)
    before = records.events(name)
    clock.travel(days=400)
    assert purge(records.engine, clock(), dry_run=False).conversations == (name,)
    assert count(records.engine) == (1, 0)
    later = Records(connect(records_url), Keyring([MASTER_KEY]), clock)
    after = later.events(name)
    later.engine.dispose()
    assert [event.words for event in after] == [None, None, None]
    kept = ("seq", "kind", "at", "client_id", "reply_to", "disposition", "facts")
    assert [[getattr(event, each) for each in kept] for event in after] == [[getattr(event, each) for each in kept] for event in before]
    assert after[2].disposition == "emergency"
    assert after[2].facts["rules"] == ["chest_pain"]


def test_a_gateway_that_read_the_words_before_the_purge_cannot_read_them_after_it(records: Records, clock: Clock) -> None:
    name = _talk(records)
    assert records.events(name)[1].words is not None
    clock.travel(days=400)
    purge(records.engine, clock(), dry_run=False)
    assert [event.words for event in records.events(name)] == [None, None, None]


def test_only_conversations_that_rested_long_enough_are_purged(records: Records, clock: Clock) -> None:
    old, kept = _talk(records), _talk(records)
    clock.travel(days=10)
    records.add(kept, "extended", {})
    fresh = _talk(records)
    clock.travel(days=5)
    middle = clock()
    clock.travel(days=-10)
    done = purge(records.engine, clock(), dry_run=False)
    assert done.conversations == (old,)
    assert count(records.engine) == (3, 2)
    assert purge(records.engine, clock(), dry_run=False).conversations == ()
    assert set(purge(records.engine, middle, dry_run=True).conversations) == {kept, fresh}


def test_the_wrapped_key_is_gone_from_the_files(sqlite_url: str, file: Path, clock: Clock) -> None:
    records = Records(connect(sqlite_url), Keyring([MASTER_KEY]), clock)
    younger, name, youngest = [_talk(records) for _ in range(3)]
    wrapped = _wrapped(records.engine, name)
    assert any(wrapped in each.read_bytes() for each in file.parent.iterdir() if each.is_file())
    clock.travel(days=400)
    for kept in (younger, youngest):
        records.add(kept, "extended", {})
    clock.travel(days=-1)
    assert purge(records.engine, clock(), dry_run=False).conversations == (name,)
    assert [each.name for each in file.parent.iterdir() if each.is_file() and wrapped in each.read_bytes()] == []
    records.engine.dispose()
