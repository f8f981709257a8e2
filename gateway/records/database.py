"""The records' database: SQLite in WAL mode, or PostgreSQL; made and brought up to date by migrations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, make_url

from gateway.records.tables import probe

THREADS = 16
_LOCK_SECONDS = 1.0
_PROBE_BYTES = 32_768
_TURN = "turn_to_write"
_MIGRATIONS = Path(__file__).with_name("migrations")


def connect(url: str) -> Engine:
    """The engine of a database address, `sqlite:///file` or `postgresql+psycopg://...`.

    A lock is waited for one second, so that a patient hears in time. No statement's values reach a log.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=THREADS,
            pool_timeout=_LOCK_SECONDS,
            connect_args={"connect_timeout": 2, "options": f"-c lock_timeout={int(_LOCK_SECONDS * 1000)} -c statement_timeout=3000"},
        )
    if parsed.database:
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(
        parsed,
        hide_parameters=True,
        pool_size=THREADS,
        pool_timeout=_LOCK_SECONDS,
        connect_args={"timeout": _LOCK_SECONDS, "isolation_level": None},
        execution_options={_TURN: Lock()},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; it is committed at the end of the block.

    SQLite has one writer at a time and lets others try again and again; within this process they stand in line.
    """
    turn: Lock | None = engine.get_execution_options().get(_TURN)
    mine = turn is not None and turn.acquire(timeout=_LOCK_SECONDS)
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
    finally:
        if turn is not None and mine:
            turn.release()


def migrate(engine: Engine) -> None:
    """Bring the database's tables to this release's."""
    old = os.umask(0o077)
    try:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        os.umask(old)


def is_current(engine: Engine) -> bool:
    """Whether the database answers and has this release's tables."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == ScriptDirectory.from_config(config).get_current_head()


def try_to_write(engine: Engine) -> None:
    """Write as much as a long message takes, and take it away again, to see that there is room and nothing is in the way.

    Raises:
        SQLAlchemyError: the database is full, read-only, locked, or not there.
    """
    with writing(engine) as connection:
        connection.execute(insert(probe).values(filler=secrets.token_bytes(_PROBE_BYTES)))
        connection.execute(delete(probe))
