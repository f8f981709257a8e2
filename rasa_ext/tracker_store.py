"""Rasa's SQL tracker store with a window, and sealed: a turn costs the same in the thousandth message as in the tenth.

Rasa reads and replays a whole session for every message and counts what is stored before it adds to it. Here the last events are read,
with the latest value of each slot from before them; what was read is remembered with the tracker, and only what came behind it is added.
Nothing is ever left out of the database, and nothing in it can be read without the key of the day on which it was stored: neither words nor
slots nor what was made of them. A conversation needs the keys of its latest day alone, for on each day its slots are stored once more.
What cannot be opened any more is as if it were not there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.utils.common import all_subclasses
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import QueuePool

from rasa_ext.envelopes import Envelopes, key_of
from vault.day_keys import DayKeys, PassingDayKeys

_WAIT_FOR_LOCK_SECONDS = 0.5
_WINDOW = 30
_KINDS: dict[str, type[Event]] = {kind.type_name: kind for kind in all_subclasses(Event) if getattr(kind, "type_name", None)}
_STORED, _SEALED_UNDER = "stored_events", "sealed_under"

_events = SQLTrackerStore.SQLEvent.__table__.c
_mine = _events.sender_id == sa.bindparam("sender")
_LATEST = (
    sa.select([_events.id, _events.type_name, _events.action_name, _events.data]).where(_mine).order_by(_events.id.desc()).limit(_WINDOW)
)
_LAST_OF_EACH = sa.select([sa.func.max(_events.id)]).where(
    _mine, _events.type_name == SlotSet.type_name, _events.id < sa.bindparam("before")
)
_PLAIN = sa.select([_events.id, _events.sender_id, _events.data]).where(_events.data.like("{%"))
_NOW_SEALED = (
    SQLTrackerStore.SQLEvent.__table__.update()
    .where(_events.id == sa.bindparam("row"))
    .values(data=sa.bindparam("sealed"), intent_name=None)
)
_SLOTS_BEFORE = sa.select([_events.data]).where(_events.id.in_(_LAST_OF_EACH.group_by(_events.action_name))).order_by(_events.id)


class WindowedTrackerStore(SQLTrackerStore):
    """SQLTrackerStore that reads a bounded window; an SQLite file is in WAL mode, and a lock is waited for half a second, not five.

    The keys stand in the folder AFTERCARE_TRACKER_KEYS; where it is not set, in this process's memory, and end with it.

    Attributes:
        begun: conversations that began anew, because nothing was stored of them that can be opened. Whoever asks takes them out.
    """

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
        self.begun = set[str]()
        self._envelopes = Envelopes(_keys(os.environ.get("AFTERCARE_TRACKER_KEYS", "")))
        self._envelopes.key_name()
        self._seal_what_is_plain()

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest session, or as much of it as a turn needs; None for a conversation that is not known."""
        with self.engine.connect() as connection:
            stored = self._window(connection, sender_id)
        opened = [(sealed, text) for sealed in stored if (text := self._envelopes.open(sealed, sender_id)) is not None]
        if not opened or self.domain is None:
            self.begun.add(sender_id)
            return None
        events = [_event(json.loads(text)) for _, text in opened]
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _STORED, len(tracker.events))
        setattr(tracker, _SEALED_UNDER, key_of(opened[-1][0]))
        return tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """As `retrieve`: more than the window is never needed."""
        return await self.retrieve(conversation_id)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Add the events that are not stored yet."""
        await self.stream_events(tracker)
        events, key = [*self._additional_events(None, tracker)], self._envelopes.key_name()
        if events and getattr(tracker, _SEALED_UNDER, key) != key:
            events += [SlotSet(name, value) for name, value in tracker.current_slot_values().items() if value is not None]
        with self.session_scope() as session:
            if events:
                session.execute(self.SQLEvent.__table__.insert(), self._rows(tracker.sender_id, events))
            session.commit()
        setattr(tracker, _STORED, len(tracker.events))
        setattr(tracker, _SEALED_UNDER, key)

    def _additional_events(self, session: Any, tracker: DialogueStateTracker) -> Iterator[Event]:
        return islice(tracker.events, getattr(tracker, _STORED, 0), len(tracker.events))

    def _rows(self, sender_id: str, events: Iterable[Event]) -> list[dict[str, Any]]:
        """Events as Rasa's table keeps them. The names of slots and actions stand in clear; an intent would tell what is reported."""
        return [
            {
                "sender_id": sender_id,
                "type_name": event.type_name,
                "timestamp": data.get("timestamp"),
                "intent_name": None,
                "action_name": data.get("name"),
                "data": self._envelopes.seal(json.dumps(data), sender_id),
            }
            for event, data in ((event, event.as_dict()) for event in events)
        ]

    def _seal_what_is_plain(self) -> None:
        """Seal what earlier releases stored, and write the table anew, so that its file does not hold it either."""
        with self.engine.begin() as connection:
            plain = connection.execute(_PLAIN).all()
            for row in plain:
                connection.execute(_NOW_SEALED, {"row": row.id, "sealed": self._envelopes.seal(row.data, row.sender_id)})
        if plain:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                sqlite = self.engine.dialect.name == "sqlite"
                connection.exec_driver_sql("VACUUM" if sqlite else "VACUUM FULL events")
                if sqlite:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

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


def _keys(folder: str) -> DayKeys:
    """The keys in a folder, which is made if missing, or passing ones.

    Raises:
        FolderError: the folder cannot be used.
    """
    if not folder:
        return PassingDayKeys()
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = DayKeys(Path(folder))
    keys.check()
    return keys


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
        raise ValueError(f"a stored event of kind {parameters['event']} cannot be read")
    return event
