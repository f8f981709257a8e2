"""The windowed tracker store gives what Rasa's own gives, loses nothing and shows nothing; the lock lets one through after the other."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rasa.core.lock_store import LockError
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

import rasa_ext.envelopes
from rasa_ext.lock_store import FifoLockStore
from rasa_ext.tracker_store import WindowedTrackerStore
from scripts import postgresql

SENDER = "patient"
CANARY = "quokkaberry"
_SLOTS = ("findings", "pending", "disposition", "asked")
DOMAIN = Domain.from_dict({"slots": {name: {"type": "any", "mappings": [{"type": "custom"}]} for name in _SLOTS}, "intents": ["report"]})


def _turn(number: int) -> list[Event]:
    """The events of one turn; slots change now and then, as a conversation's do."""
    slots: list[Event] = [SlotSet("pending", f"question {number}")]
    if number == 1:
        slots.append(SlotSet("findings", {"fever": "present"}))
    if number % 7 == 0:
        slots.append(SlotSet("asked", [str(number)]))
    said = UserUttered(f"message {number}", intent={"name": "report", "confidence": 0.9}, message_id=str(number))
    return [said, ActionExecuted("action_respond"), *slots, BotUttered(f"answer {number}"), ActionExecuted("action_listen")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the keys."""
    folder = tmp_path / "tracker-keys"
    monkeypatch.setenv("AFTERCARE_TRACKER_KEYS", str(folder))
    return folder


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let days go by."""
    passed = 0

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=passed)

    monkeypatch.setattr(rasa_ext.envelopes, "datetime", Later)

    def go(days: int) -> None:
        nonlocal passed
        passed += days

    return go


@pytest.fixture
def store(file: Path) -> WindowedTrackerStore:
    return WindowedTrackerStore(DOMAIN, db=str(file))


async def _talk(store: SQLTrackerStore, turns: int) -> None:
    for number in range(1, turns + 1):
        tracker = await store.get_or_create_tracker(SENDER)
        if number == 1:
            tracker.update_with_events([ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")], DOMAIN)
        tracker.update_with_events(_turn(number), DOMAIN)
        await store.save(tracker)


def _slots(tracker: DialogueStateTracker | None) -> dict[str, Any]:
    assert tracker is not None
    return dict(tracker.current_slot_values())


@pytest.mark.parametrize("turns", [1, 2, 9, 10, 11, 12, 13, 60])
async def test_slots_and_last_turn_are_those_of_rasas_own_store(store: WindowedTrackerStore, tmp_path: Path, turns: int) -> None:
    plain = SQLTrackerStore(DOMAIN, db=str(tmp_path / "plain.db"))
    await _talk(store, turns)
    await _talk(plain, turns)
    own = await plain.retrieve(SENDER)
    found = await store.retrieve(SENDER)
    assert _slots(found) == _slots(own)
    assert found is not None
    assert own is not None
    assert found.latest_message is not None
    assert own.latest_message is not None
    assert found.latest_message.text == own.latest_message.text == f"message {turns}"
    assert found.latest_action_name == own.latest_action_name


async def test_every_event_is_stored_once_and_in_order(store: WindowedTrackerStore) -> None:
    await _talk(store, 60)
    stored = _stored(store)
    assert [event["text"] for event in stored if event["event"] == "user"] == [f"message {number}" for number in range(1, 61)]
    assert [event["text"] for event in stored if event["event"] == "bot"] == [f"answer {number}" for number in range(1, 61)]


async def test_what_is_read_does_not_grow(store: WindowedTrackerStore) -> None:
    await _talk(store, 200)
    found = await store.retrieve(SENDER)
    assert found is not None
    assert len(found.events) < 80


async def test_only_the_latest_session_is_read(store: WindowedTrackerStore) -> None:
    await _talk(store, 3)
    tracker = await store.get_or_create_tracker(SENDER)
    tracker.update_with_events([ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")], DOMAIN)
    await store.save(tracker)
    found = await store.retrieve(SENDER)
    assert found is not None
    assert isinstance(found.events[0], SessionStarted)
    assert _slots(found)["findings"] is None


async def test_a_tracker_that_is_saved_twice_is_stored_once(store: WindowedTrackerStore) -> None:
    await _talk(store, 1)
    tracker = await store.get_or_create_tracker(SENDER)
    tracker.update_with_events(_turn(2), DOMAIN)
    await store.save(tracker)
    await store.save(tracker)
    with store.session_scope() as session:
        assert session.query(store.SQLEvent).filter(store.SQLEvent.type_name == "user").count() == 2


def _stored(store: WindowedTrackerStore) -> list[dict[str, Any]]:
    """The events of the patient as they were stored, opened."""
    with store.session_scope() as session:
        rows = session.query(store.SQLEvent).order_by(store.SQLEvent.id).all()
    opened = [store._envelopes.open(row.data, SENDER) for row in rows]
    return [json.loads(text) for text in opened if text is not None]


# Nothing can be read.


async def _report(store: SQLTrackerStore, sender: str = SENDER, said: str = f"chest pain {CANARY}") -> None:
    tracker = await store.get_or_create_tracker(sender)
    reported = UserUttered(said, intent={"name": f"report_{CANARY}"}, entities=[{"entity": CANARY, "value": CANARY}])
    tracker.update_with_events(
        [reported, SlotSet("findings", {CANARY: "present"}), BotUttered(CANARY), ActionExecuted("action_listen")], DOMAIN
    )
    await store.save(tracker)


def _holding(folder: Path, word: str) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and word.encode() in file.read_bytes()]


async def test_no_file_of_the_database_holds_a_word(store: WindowedTrackerStore, file: Path) -> None:
    for number in range(20):
        await _report(store, f"patient {number}")
    assert _holding(file.parent, "patient 7"), "nothing was read of what is not yet in the file"
    assert not _holding(file.parent, CANARY)
    store.engine.dispose()
    assert not _holding(file.parent, CANARY)
    with closing(sqlite3.connect(file)) as reader:
        assert reader.execute("SELECT DISTINCT intent_name FROM events").fetchall() == [(None,)]


async def test_a_conversation_outlives_the_worker_where_the_keys_do(store: WindowedTrackerStore, file: Path) -> None:
    await _report(store)
    assert _slots(await WindowedTrackerStore(DOMAIN, db=str(file)).retrieve(SENDER))["findings"] == {CANARY: "present"}


async def test_without_a_folder_the_keys_end_with_the_worker(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTERCARE_TRACKER_KEYS")
    first = WindowedTrackerStore(DOMAIN, db=str(file))
    await _report(first)
    assert _slots(await first.retrieve(SENDER))["findings"] == {CANARY: "present"}
    second = WindowedTrackerStore(DOMAIN, db=str(file))
    assert await second.retrieve(SENDER) is None
    assert second.begun == {SENDER}
    await _report(second, said="hello again")
    assert [event["text"] for event in _stored(second) if event["event"] == "user"] == ["hello again"]


async def test_what_one_conversation_says_does_not_open_in_another(store: WindowedTrackerStore) -> None:
    await _report(store)
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE events SET sender_id = 'somebody else'"))
    assert await store.retrieve("somebody else") is None


async def test_after_a_day_of_rest_the_key_is_destroyed(store: WindowedTrackerStore, keys: Path, travel: Callable[[int], None]) -> None:
    await _report(store)
    (key,) = keys.iterdir()
    travel(1)
    await _report(store, "another")
    assert await store.retrieve(SENDER) is not None
    travel(1)
    await _report(store, "a third")
    assert not key.exists()
    assert await store.retrieve(SENDER) is None


async def test_a_conversation_that_goes_on_keeps_its_slots(store: WindowedTrackerStore, travel: Callable[[int], None]) -> None:
    """A red flag stands for good, though the day on which it was said cannot be read any more."""
    await _report(store)
    for number in range(1, 5):
        travel(1)
        tracker = await store.get_or_create_tracker(SENDER)
        tracker.update_with_events([UserUttered(f"day {number}"), SlotSet("pending", f"question {number}")], DOMAIN)
        await store.save(tracker)
        found = await store.retrieve(SENDER)
        assert _slots(found)["findings"] == {CANARY: "present"}
        assert _slots(found)["pending"] == f"question {number}"
    assert CANARY not in " ".join(str(event.get("text")) for event in _stored(store))


async def test_a_day_without_a_message_costs_nothing(store: WindowedTrackerStore, travel: Callable[[int], None]) -> None:
    await _report(store)
    travel(1)
    tracker = await store.get_or_create_tracker(SENDER)
    before = len(_stored(store))
    await store.save(tracker)
    assert len(_stored(store)) == before


async def test_what_an_earlier_release_stored_is_sealed_at_the_start(file: Path) -> None:
    plain = SQLTrackerStore(DOMAIN, db=str(file))
    for number in range(20):
        await _report(plain, f"patient {number}")
    plain.engine.dispose()
    assert _holding(file.parent, CANARY)
    store = WindowedTrackerStore(DOMAIN, db=str(file))
    assert not _holding(file.parent, CANARY)
    assert _slots(await store.retrieve("patient 3"))["findings"] == {CANARY: "present"}


async def test_postgresqls_tables_hold_no_word_either() -> None:
    if postgresql.binaries() is None:
        pytest.skip(postgresql.NOT_INSTALLED)
    with postgresql.server() as address:
        folder = Path(address.partition("host=")[2])
        where: dict[str, Any] = {"dialect": "postgresql", "host": str(folder), "db": "postgres", "username": "aftercare"}
        plain = SQLTrackerStore(DOMAIN, **where)
        await _report(plain)
        _checkpoint(plain)
        assert _holding(folder / "data" / "base", CANARY), "this test looks in the wrong place"
        store = WindowedTrackerStore(DOMAIN, **where)
        await _report(store, "another")
        _checkpoint(store)
        assert _holding(folder / "data" / "base", "another")
        assert not _holding(folder / "data" / "base", CANARY)
        assert _slots(await store.retrieve(SENDER))["findings"] == {CANARY: "present"}
        for each in (plain, store):
            each.engine.dispose()


def _checkpoint(store: SQLTrackerStore) -> None:
    """Let the server write what it holds in memory."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")


def test_a_folder_that_others_can_read_is_refused(file: Path, keys: Path) -> None:
    keys.mkdir(mode=0o755)
    with pytest.raises(OSError, match="chmod 0700"):
        WindowedTrackerStore(DOMAIN, db=str(file))


async def test_messages_of_one_conversation_pass_one_by_one_and_in_order() -> None:
    store, order, inside = FifoLockStore(), list[int](), 0

    async def turn(number: int) -> None:
        nonlocal inside
        async with store.lock(SENDER):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.001)
            order.append(number)
            inside -= 1

    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(turn(number) for number in range(20)))
    assert order == list(range(20))
    assert asyncio.get_running_loop().time() - started < 0.5
    assert not store._turns


async def test_other_conversations_do_not_wait() -> None:
    store = FifoLockStore()
    async with store.lock("one"), store.lock("other", lock_lifetime=0.05):
        pass


async def test_a_lock_that_stays_busy_is_given_up() -> None:
    store = FifoLockStore()
    async with store.lock(SENDER):
        with pytest.raises(LockError):
            async with store.lock(SENDER, lock_lifetime=0.05):
                pass
    async with store.lock(SENDER):
        pass


async def test_who_gives_up_waiting_does_not_keep_the_lock() -> None:
    store = FifoLockStore()
    async with store.lock(SENDER):
        waiting = asyncio.create_task(_hold(store))
        await asyncio.sleep(0.01)
        waiting.cancel()
    async with store.lock(SENDER, lock_lifetime=0.5):
        pass


async def _hold(store: FifoLockStore) -> None:
    async with store.lock(SENDER):
        pass
