"""The database is made and brought up to date by migrations, and refuses to forget."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.records import database
from gateway.records.database import connect, is_current, migrate, writing
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import metadata
from tests.gateway.support import BOUND, MASTER_KEY, Json, new_id

SORTS = ["sqlite", "postgresql"]
_GREETING: Json = {"blocks": [], "buttons": [], "sources": []}


def _down(engine: Engine) -> None:
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def _to(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _tables(engine: Engine) -> set[str]:
    return set(sqlalchemy.inspect(engine).get_table_names())


@pytest.mark.parametrize("sort", SORTS)
def test_the_tables_are_made_and_taken_away_and_made_again(sort: str, empty_url: Callable[[str], str]) -> None:
    engine = connect(empty_url(sort))
    assert not is_current(engine)
    migrate(engine)
    assert is_current(engine)
    assert set(metadata.tables) <= _tables(engine)
    migrate(engine)
    assert is_current(engine)
    _down(engine)
    assert not is_current(engine)
    assert _tables(engine) == {"alembic_version"}
    migrate(engine)
    assert is_current(engine)
    engine.dispose()


def test_the_migrations_make_what_the_code_works_with(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize("sort", SORTS)
def test_a_database_of_an_unknown_release_is_not_current(sort: str, empty_url: Callable[[str], str]) -> None:
    engine = connect(empty_url(sort))
    migrate(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not is_current(engine)
    engine.dispose()


@pytest.mark.parametrize("sort", SORTS)
def test_what_is_on_record_is_bound_to_the_first_protocol_in_english(sort: str, empty_url: Callable[[str], str]) -> None:
    engine = connect(empty_url(sort))
    _to(engine, "0006")
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO conversation (id, embed_key, started_at) VALUES ('old', 'demo', '2024-05-15 12:00:00')"))
    _to(engine, "head")
    assert Records(engine, Keyring([MASTER_KEY])).bound("old") == ("vertebroplasty", "en")
    engine.dispose()


def test_a_new_conversation_is_bound_to_what_it_starts_with(engine: Engine) -> None:
    records = Records(engine, Keyring([MASTER_KEY]))
    for bound in (("second", "es"), BOUND):
        session = records.session(records.start("demo", _GREETING, "patient", bound=bound))
        assert session is not None
        assert session.bound == records.bound(session.conversation) == bound


@pytest.fixture
def filled(engine: Engine) -> Engine:
    records = Records(engine, Keyring([MASTER_KEY]))
    session = records.session(records.start("demo", _GREETING, "patient", bound=BOUND))
    assert session is not None
    records.add_message(session.conversation, new_id(), "words")
    return engine


def _events(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM event ORDER BY id"))]


_COPY = "INTO event (id, conversation_id, seq, kind, at, facts) SELECT id, conversation_id, seq, kind, at, '{}' FROM event"
_CHANGES = {
    "update": "UPDATE event SET disposition = 'self_care'",
    "update of one": "UPDATE event SET sealed = NULL WHERE seq = 2",
    "delete": "DELETE FROM event",
    "delete of one": "DELETE FROM event WHERE seq = 2",
    "delete of the conversation": "DELETE FROM conversation",
    "truncate": "TRUNCATE event",
    "truncate of all": "TRUNCATE conversation CASCADE",
    "replace": f"INSERT OR REPLACE {_COPY}",
    "upsert": f"INSERT {_COPY} WHERE true ON CONFLICT (id) DO UPDATE SET sealed = NULL",
}
_OF_ONE_SORT = {"truncate": "postgresql", "truncate of all": "postgresql", "replace": "sqlite"}


@pytest.mark.parametrize("change", _CHANGES)
def test_an_event_is_never_changed_or_deleted(change: str, filled: Engine) -> None:
    if _OF_ONE_SORT.get(change, filled.dialect.name) != filled.dialect.name:
        pytest.skip(f"{filled.dialect.name} has no such statement")
    before = _events(filled)
    assert len(before) == 2
    with pytest.raises(DBAPIError), writing(filled) as connection:
        connection.execute(text(_CHANGES[change]))
    assert _events(filled) == before


def test_a_second_event_at_the_same_place_is_refused(filled: Engine) -> None:
    same = "INSERT INTO event (conversation_id, seq, kind, at, facts) SELECT conversation_id, seq, kind, at, facts FROM event"
    with pytest.raises(IntegrityError), writing(filled) as connection:
        connection.execute(text(same))


def test_an_event_without_its_conversation_is_refused(filled: Engine) -> None:
    lost = "INSERT INTO event (conversation_id, seq, kind, at, facts) SELECT 'nobody', seq, kind, at, facts FROM event LIMIT 1"
    with pytest.raises(IntegrityError), writing(filled) as connection:
        connection.execute(text(lost))


def test_a_new_file_and_its_folder_are_for_this_user_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "records.db"
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    Records(engine, Keyring([MASTER_KEY])).start("demo", _GREETING, "patient", bound=BOUND)
    made = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    assert {"records.db", "records.db-wal"} <= set(made)
    assert set(made.values()) == {0o600}, made
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    engine.dispose()


def test_sqlite_writes_ahead_and_to_the_disk(sqlite_url: str, file: Path) -> None:
    engine = connect(sqlite_url)
    with engine.connect() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    engine.dispose()
    reader = sqlite3.connect(file)
    assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reader.close()
