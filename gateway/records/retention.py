"""Forgetting: the words of conversations that are older than the clinic keeps them become unreadable; the rest of the record stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, select, update

from gateway.records.database import writing
from gateway.records.sealing import Keyring, SealError, day_key_of
from gateway.records.tables import conversation, conversation_key, event, triage_case
from vault.day_keys import DayKeys

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Purge:
    """What a purge forgets, or would.

    Attributes:
        before: the last event of each conversation is older than this.
        conversations: their ids.
        keys: the names of the days' keys that nothing needs any more.
    """

    before: datetime
    conversations: tuple[str, ...]
    keys: tuple[str, ...] = ()


def purge(engine: Engine, before: datetime, *, dry_run: bool, days: DayKeys | None = None) -> Purge:
    """Delete the keys of the conversations that ended before a moment, and destroy the days' keys that wrapped only such.

    What the database's files and its backups still hold of a deleted key cannot be unwrapped once its day's key is destroyed: with the
    last conversation of that day.

    Args:
        engine: the records' database.
        before: the moment.
        dry_run: change nothing, only tell.
        days: the keys of the days.
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
                connection.execute(update(triage_case).where(triage_case.c.conversation_id == name).values(caller=None))
        keys = tuple(days.due(before.date(), _in_use(connection, names))) if days else ()
    if not dry_run:
        tidy(engine)
        if days:
            days.destroy(keys)
    return Purge(before, names, keys)


def wrap_anew(engine: Engine, keyring: Keyring) -> tuple[int, int]:
    """Wrap every conversation's key under the first master key and the key of its day, where it is not so yet.

    Returns:
        How many keys were wrapped anew, and how many could not be, for no key unwraps them.
    """
    done = failed = 0
    with engine.connect() as connection:
        rows = connection.execute(
            select(conversation_key, conversation.c.started_at).join(conversation, conversation.c.id == conversation_key.c.conversation_id)
        ).all()
    for start in range(0, len(rows), _AT_ONCE):
        with writing(engine) as connection:
            for row in rows[start : start + _AT_ONCE]:
                try:
                    wrapped = keyring.wrapped_anew(row.wrapped, row.conversation_id, row.started_at.date())
                except SealError:
                    failed += 1
                    continue
                if wrapped is not None:
                    mine = conversation_key.c.conversation_id == row.conversation_id
                    connection.execute(update(conversation_key).where(mine).values(wrapped=wrapped))
                    done += 1
    if done:
        tidy(engine, whole=True)
    return done, failed


def tidy(engine: Engine, *, whole: bool = False) -> None:
    """Take deleted keys out of the database's files, as far as it goes: PostgreSQL's only with `whole`, while nobody uses the records."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    elif whole:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM FULL conversation_key")
            connection.invalidate()


def _in_use(connection: Connection, forgotten: Collection[str]) -> set[str]:
    """The names of the days' keys that wrapped the key of a conversation that is not forgotten."""
    rows = connection.execute(select(conversation_key.c.conversation_id, conversation_key.c.wrapped))
    gone = set(forgotten)
    return {day_key_of(row.wrapped) for row in rows if row.conversation_id not in gone}


def count(engine: Engine) -> tuple[int, int]:
    """How many conversations there are, and how many of them can still be read."""
    with engine.connect() as connection:
        every = connection.scalar(select(func.count()).select_from(conversation)) or 0
        readable = connection.scalar(select(func.count()).select_from(conversation_key)) or 0
    return every, readable
