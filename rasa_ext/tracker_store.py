"""Rasa's SQL tracker store with a window: a turn costs the same in the thousandth message as in the tenth.

Rasa reads and replays a whole session for every message and counts what is stored before it adds to it. Here the last events are read,
with the latest value of each slot from before them; what was read is remembered with the tracker, and only what came behind it is added.
Nothing is ever left out of the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT_NAME_KEY
from rasa.shared.utils.common import all_subclasses
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import QueuePool

_WAIT_FOR_LOCK_SECONDS = 0.5
_WINDOW = 30
_KINDS: dict[str, type[Event]] = {kind.type_name: kind for kind in all_subclasses(Event) if getattr(kind, "type_name", None)}
_STORED = "stored_events"

_events = SQLTrackerStore.SQLEvent.__table__.c
_mine = _events.sender_id == sa.bindparam("sender")
_LATEST = (
    sa.select([_events.id, _events.type_name, _events.action_name, _events.data]).where(_mine).order_by(_events.id.desc()).limit(_WINDOW)
)
_LAST_OF_EACH = sa.select([sa.func.max(_events.id)]).where(
    _mine, _events.type_name == SlotSet.type_name, _events.id < sa.bindparam("before")
)
_SLOTS_BEFORE = sa.select([_events.data]).where(_events.id.in_(_LAST_OF_EACH.group_by(_events.action_name))).order_by(_events.id)


class WindowedTrackerStore(SQLTrackerStore):
    """SQLTrackerStore that reads a bounded window; an SQLite file is in WAL mode, and a lock is waited for half a second, not five."""

    def __init__(
        self,
        domain: Domain | None = None,
        dialect: str = "sqlite",
        event_broker: EventBroker | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain=domain, dialect=dialect, event_broker=event_broker, **kwargs)
        if dialect == "sqlite":
            self.engine = _kept_open(self.engine)
            self.sessionmaker = sessionmaker(bind=self.engine)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest session, or as much of it as a turn needs; None for a conversation that is not known."""
        with self.engine.connect() as connection:
            events = [_event(json.loads(data)) for data in self._window(connection, sender_id)]
        if not events or self.domain is None:
            return None
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _STORED, len(tracker.events))
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Add the events that are not stored yet."""
        await self.stream_events(tracker)
        with self.session_scope() as session:
            rows = [_row(tracker.sender_id, event) for event in self._additional_events(session, tracker)]
            if rows:
                session.execute(self.SQLEvent.__table__.insert(), rows)
            session.commit()
        setattr(tracker, _STORED, len(tracker.events))

    def _additional_events(self, session: Any, tracker: DialogueStateTracker) -> Iterator[Event]:
        stored = getattr(tracker, _STORED, None)
        if stored is None:
            return super()._additional_events(session, tracker)
        return islice(tracker.events, stored, len(tracker.events))

    def _window(self, connection: sa.engine.Connection, sender_id: str) -> list[str]:
        """The stored events of the window, in order."""
        rows = list(reversed(connection.execute(_LATEST, {"sender": sender_id}).all()))
        start = _start(rows, whole=len(rows) < _WINDOW)
        rows = rows[start:]
        if not rows or rows[0].type_name == SessionStarted.type_name or (start == 0 and len(rows) < _WINDOW):
            return [row.data for row in rows]
        slots = connection.execute(_SLOTS_BEFORE, {"sender": sender_id, "before": rows[0].id})
        return [*(row.data for row in slots), *(row.data for row in rows)]


def _kept_open(engine: sa.engine.Engine) -> sa.engine.Engine:
    """An SQLite engine in WAL mode that keeps its connections: Rasa's opens the file for every use, and the last to close tidies it up."""
    with engine.connect() as connection:
        connection.execute(sa.text("PRAGMA journal_mode=WAL"))
    engine.dispose()
    options = {"timeout": _WAIT_FOR_LOCK_SECONDS, "check_same_thread": False}
    return sa.create_engine(engine.url, poolclass=QueuePool, connect_args=options)


def _row(sender_id: str, event: Event) -> dict[str, Any]:
    """An event as Rasa's table of events keeps it."""
    data = event.as_dict()
    return {
        "sender_id": sender_id,
        "type_name": event.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get(INTENT_NAME_KEY),
        "action_name": data.get("name"),
        "data": json.dumps(data),
    }


def _start(rows: list[Any], *, whole: bool) -> int:
    """Where the window begins: at the latest session's start, else, where it is cut, at a turn's end."""
    for index in range(len(rows) - 1, -1, -1):
        if rows[index].type_name == SessionStarted.type_name:
            return index
    if whole:
        return 0
    ends = (i for i, row in enumerate(rows) if row.type_name == ActionExecuted.type_name and row.action_name == ACTION_LISTEN_NAME)
    return next(ends, 0)


def _event(parameters: dict[str, Any]) -> Event:
    """A stored event; Rasa looks through every class of events for each of them."""
    event = _KINDS[parameters["event"]]._from_parameters(parameters)
    if event is None:
        raise ValueError(f"a stored event of kind {parameters['event']} can not be read")
    return event
