"""Forgetting: the words of conversations that are older than the clinic keeps them become unreadable; the rest of the record stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select

from gateway.records.database import writing
from gateway.records.tables import conversation, conversation_key, event


@dataclass(frozen=True)
class Purge:
    """What a purge forgets, or would: conversations whose last event is older than `before`."""

    before: datetime
    conversations: tuple[str, ...]


def purge(engine: Engine, before: datetime, *, dry_run: bool) -> Purge:
    """Delete the keys of the conversations that ended before a moment.

    Args:
        engine: the records' database.
        before: the moment.
        dry_run: change nothing, only tell.
    """
    old = (
        select(conversation_key.c.conversation_id)
        .join(event, event.c.conversation_id == conversation_key.c.conversation_id)
        .group_by(conversation_key.c.conversation_id)
        .having(func.max(event.c.at) < before)
    )
    with writing(engine) as connection:
        names = tuple(connection.scalars(old))
        if not dry_run:
            for name in names:
                connection.execute(delete(conversation_key).where(conversation_key.c.conversation_id == name))
    if not dry_run and engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    return Purge(before, names)


def count(engine: Engine) -> tuple[int, int]:
    """How many conversations there are, and how many of them can still be read."""
    with engine.connect() as connection:
        every = connection.scalar(select(func.count()).select_from(conversation)) or 0
        readable = connection.scalar(select(func.count()).select_from(conversation_key)) or 0
    return every, readable
