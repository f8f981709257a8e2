"""What other gateways add is overheard, also when a transaction ends later than one that began behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, insert

import gateway.live
from gateway.live import Bell, Overhearing
from gateway.records.sealing import Keyring
from gateway.records.store import Records, utc_now
from gateway.records.tables import event
from tests.gateway.support import MASTER_KEY


@pytest.fixture
def records(engine: Engine) -> Records:
    return Records(engine, Keyring([MASTER_KEY]))


def _chat(records: Records) -> str:
    session = records.session(records.start("demo", {"blocks": []}, "patient"))
    assert session is not None
    return session.conversation


def _rang(records: Records, name: str, *steps: Callable[[], object]) -> list[bool]:
    """Whether a listener was woken by the look after each step."""
    bell = Bell()
    overhearing = Overhearing(records, bell)

    async def run() -> list[bool]:
        found = []
        await overhearing.look()
        with bell.listening(name) as listener:
            for step in steps:
                step()
                await overhearing.look()
                found.append(listener.rung.is_set())
                listener.rung.clear()
        return found

    return asyncio.run(run())


def _nothing() -> None:
    pass


def test_each_event_rings_once(records: Records) -> None:
    mine, other = _chat(records), _chat(records)

    def add(name: str) -> Callable[[], object]:
        return lambda: records.add(name, "extended", {})

    found = _rang(records, mine, _nothing, add(mine), _nothing, add(other), add(mine), _nothing)
    assert found == [False, True, False, False, True, False]


def test_an_event_whose_transaction_ends_late_rings_too(records: Records) -> None:
    if records.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    mine, other = _chat(records), _chat(records)
    connection = records.engine.connect()
    transaction = connection.begin()

    def begin() -> None:
        row = {"conversation_id": mine, "seq": 2, "kind": "extended", "at": utc_now(), "facts": {}}
        connection.execute(insert(event).values(**row))
        records.add(other, "extended", {})

    found = _rang(records, mine, begin, transaction.commit, _nothing)
    connection.close()
    assert found == [False, True, False]


def test_what_was_added_before_anyone_listened_is_not_rung_for_ever(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.live, "_LONGEST_TRANSACTION_SECONDS", 0.0)
    mine = _chat(records)
    records.add(mine, "extended", {})
    assert _rang(records, mine, _nothing, _nothing) == [False, False]
