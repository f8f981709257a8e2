"""The windowed tracker store gives what Rasa's own gives, and loses nothing; the lock lets one through after the other."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from rasa.core.lock_store import LockError
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from rasa_ext.lock_store import FifoLockStore
from rasa_ext.tracker_store import WindowedTrackerStore

SENDER = "patient"
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
async def test_slots_and_last_turn_are_those_of_rasas_own_store(store: WindowedTrackerStore, file: Path, turns: int) -> None:
    await _talk(store, turns)
    own = await SQLTrackerStore(DOMAIN, db=str(file)).retrieve(SENDER)
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
    with store.session_scope() as session:
        stored = [json.loads(row.data) for row in session.query(store.SQLEvent).order_by(store.SQLEvent.id)]
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
