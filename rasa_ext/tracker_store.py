"""Rasa's SQL tracker store, with SQLite in WAL mode so that a reader never costs a turn."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain

_WAIT_FOR_LOCK_SECONDS = "0.5"


class WalTrackerStore(SQLTrackerStore):
    """SQLTrackerStore whose SQLite file is created in WAL mode and waits half a second, not five, for a lock."""

    def __init__(
        self,
        domain: Domain | None = None,
        dialect: str = "sqlite",
        event_broker: EventBroker | None = None,
        **kwargs: Any,
    ) -> None:
        if dialect == "sqlite":
            kwargs["query"] = {"timeout": _WAIT_FOR_LOCK_SECONDS}
        super().__init__(domain=domain, dialect=dialect, event_broker=event_broker, **kwargs)
        if dialect == "sqlite":
            with self.engine.connect() as connection:
                connection.execute(sa.text("PRAGMA journal_mode=WAL"))
