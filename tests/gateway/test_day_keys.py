"""A purge holds also against whoever has the database's raw files, its backups and the master key: the day's key is gone."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, make_url, select, update

from gateway.records.database import writing
from gateway.records.retention import purge, wrap_anew
from gateway.records.sealing import Keyring, SealError, day_key_of
from gateway.records.store import Event, Records
from gateway.records.tables import conversation_key, event
from tests.gateway.support import BOUND, CANARY, MASTER_KEY, Clock, Door, Json, new_id, refused
from vault.day_keys import DayKeys, FolderError

_GREETING: Json = {"blocks": [], "buttons": [], "sources": []}
_UNDER_MASTER_ALONE = 60
_DAY = date(2026, 3, 1)


@pytest.fixture
def days(tmp_path: Path) -> DayKeys:
    return DayKeys(tmp_path / "day-keys")


@pytest.fixture
def records(engine: Engine, clock: Clock, days: DayKeys) -> Records:
    return Records(engine, Keyring([MASTER_KEY], days), clock)


def _talk(records: Records) -> str:
    session = records.session(records.start("demo", _GREETING, "patient", bound=BOUND))
    assert session is not None
    records.add_message(session.conversation, new_id(), f"chest pain {CANARY}")
    return session.conversation


def _message(records: Records, name: str) -> Event:
    return records.events(name)[1]


@dataclass
class Thief:
    """Somebody with every file of the database, the master key, and a folder of days' keys.

    Attributes:
        wrapped: what the files hold of keys that were wrapped under the day's key.
        name: the conversation that is to be read.
        sealed: its message.
    """

    wrapped: set[bytes]
    name: str
    sealed: bytes

    def reads(self, keys: Path) -> list[object]:
        """What can be read of a message with every wrapped key that the files hold."""
        keyring, found = Keyring([MASTER_KEY], DayKeys(keys)), []
        for wrapped in self.wrapped:
            for attempt in (wrapped, wrapped[-_UNDER_MASTER_ALONE:]):
                with suppress(SealError):
                    found.append(keyring.unwrap(attempt, self.name).open(self.sealed, f"{self.name}/2/message"))
        return found


def _thief(engine: Engine, name: str, day_key: str) -> Thief:
    with engine.connect() as connection:
        sealed = bytes(connection.scalar(select(event.c.sealed).where(event.c.conversation_id == name, event.c.seq == 2)) or b"")
        folders = _folders(connection)
    begins = re.compile(rb"(?s)(?=(" + re.escape(day_key.encode()) + rb".{%d}))" % _UNDER_MASTER_ALONE)
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and "day-keys" not in str(file)]
    return Thief({each for file in files for each in begins.findall(file.read_bytes())}, name, sealed)


def _folders(connection: Connection) -> list[Path]:
    """Where the database's own files are and, of PostgreSQL, the log of what was written."""
    address = make_url(connection.engine.url)
    if connection.dialect.name == "sqlite":
        return [Path(address.database or "").parent]
    connection.exec_driver_sql("CHECKPOINT")
    own = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar_one()
    data = Path(str(address.query["host"])) / "data"
    return [data / "base" / str(own), data / "pg_wal"]


def test_a_purged_message_can_not_be_read_from_the_raw_files(records: Records, clock: Clock, days: DayKeys, tmp_path: Path) -> None:
    """In PostgreSQL heap and log still hold the deleted key; with the day's key it opens the message, without it, it does not."""
    engine, name = records.engine, _talk(records)
    kept, (day_key,) = shutil.copytree(days.folder, tmp_path / "kept day-keys"), list(days.names())
    backup = _thief(engine, name, day_key)
    clock.travel(days=400)
    done = purge(engine, clock(), dry_run=False, days=days)
    assert done.conversations == (name,)
    assert len(done.keys) == 1
    assert list(days.names()) == []
    raw = _thief(engine, name, day_key)
    assert backup.reads(kept) == [{"text": f"chest pain {CANARY}"}], "this is how a backup is read"
    if engine.dialect.name == "postgresql":
        assert raw.reads(kept), "this test looks for keys in the wrong place"
    assert raw.reads(days.folder) == []
    assert backup.reads(days.folder) == []
    assert _message(records, name).words is None


def test_a_days_key_lives_as_long_as_a_conversation_of_the_day(records: Records, clock: Clock, days: DayKeys) -> None:
    old, goes_on = _talk(records), _talk(records)
    clock.travel(days=10)
    records.add(goes_on, "extended", {})
    clock.travel(days=-1)
    done = purge(records.engine, clock(), dry_run=False, days=days)
    assert (done.conversations, done.keys) == ((old,), ())
    assert _message(records, goes_on).words == {"text": f"chest pain {CANARY}"}
    clock.travel(days=5)
    assert len(purge(records.engine, clock(), dry_run=True, days=days).keys) == 1
    assert _message(records, goes_on).words is not None
    assert len(purge(records.engine, clock(), dry_run=False, days=days).keys) == 1
    assert _message(records, goes_on).words is None


def test_each_day_has_its_key_and_days_to_come_keep_theirs(records: Records, clock: Clock, days: DayKeys) -> None:
    days.make_ahead(clock().date(), 31)
    made = set(days.names())
    wrapped = []
    for _ in range(3):
        name = _talk(records)
        with records.engine.connect() as connection:
            found = connection.scalar(select(conversation_key.c.wrapped).where(conversation_key.c.conversation_id == name))
            assert found is not None
            wrapped.append(found)
        clock.travel(days=1)
    assert len({day_key_of(bytes(each)) for each in wrapped}) == 3
    assert set(days.names()) == made
    assert purge(records.engine, clock() - timedelta(days=365), dry_run=False, days=days).keys == ()
    assert set(days.names()) == made


def test_without_the_days_key_a_conversation_is_told_from_a_purged_one(records: Records, days: DayKeys) -> None:
    name = _talk(records)
    other = Records(records.engine, Keyring([MASTER_KEY], DayKeys(days.folder.with_name("lost"))))
    with pytest.raises(SealError, match="day's key"):
        other.events(name)


def test_conversations_of_earlier_releases_are_wrapped_anew(engine: Engine, clock: Clock, days: DayKeys) -> None:
    """Under the key of the day on which they began, and the first master key, so that the old one can go."""
    name, new = _talk(Records(engine, Keyring([MASTER_KEY]), clock)), bytes(range(50, 82))
    clock.travel(days=3)
    assert wrap_anew(engine, Keyring([new, MASTER_KEY], days)) == (1, 0)
    records = Records(engine, Keyring([new], days), clock)
    assert _message(records, name).words == {"text": f"chest pain {CANARY}"}
    assert wrap_anew(engine, records.keyring) == (0, 0)
    (key,) = days.names()
    assert key.startswith((clock() - timedelta(days=3)).date().isoformat())
    assert purge(engine, clock() + timedelta(days=1), dry_run=False, days=days).keys == (key,)


def test_a_key_that_nothing_unwraps_does_not_stop_the_others(engine: Engine, clock: Clock, days: DayKeys) -> None:
    old = Records(engine, Keyring([MASTER_KEY]), clock)
    lost, name = _talk(old), _talk(old)
    with writing(engine) as connection:
        mine = conversation_key.c.conversation_id == lost
        connection.execute(update(conversation_key).where(mine).values(wrapped=bytes(60)))
    assert wrap_anew(engine, Keyring([MASTER_KEY], days)) == (1, 1)
    assert _message(Records(engine, Keyring([MASTER_KEY], days), clock), name).words is not None


def test_a_chat_that_can_not_be_sealed_is_refused_with_the_card(open_door: Callable[..., Door], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(open_door(day_keys=tmp_path / "file").start(), 503, "not_stored")


# The folder.


def test_folders_of_several_machines_can_be_merged(tmp_path: Path) -> None:
    one, other = DayKeys(tmp_path / "one"), DayKeys(tmp_path / "other")
    name, key = one.of(_DAY)
    other_name, other_key = other.of(_DAY)
    assert (name, key) != (other_name, other_key)
    shutil.copytree(other.folder, one.folder, dirs_exist_ok=True)
    shutil.copytree(one.folder, other.folder, dirs_exist_ok=True)
    assert one.get(other_name) == other.get(other_name) == other_key
    assert one.of(_DAY) == other.of(_DAY)


def test_a_days_key_is_made_once_and_for_this_user_alone(days: DayKeys) -> None:
    assert days.of(_DAY) == days.of(_DAY)
    assert days.of(_DAY) != days.of(_DAY + timedelta(days=1))
    assert {stat.S_IMODE(file.stat().st_mode) for file in days.folder.iterdir()} == {0o400}
    assert stat.S_IMODE(days.folder.stat().st_mode) == 0o700
    days.check()


def test_a_destroyed_key_is_gone_and_nothing_else(days: DayKeys) -> None:
    name, _ = days.of(_DAY)
    later, key = days.of(_DAY + timedelta(days=1))
    assert days.due(_DAY + timedelta(days=1)) == [name]
    assert days.due(_DAY + timedelta(days=1), {name}) == []
    days.destroy([name])
    assert days.get(name) is None
    assert days.get(later) == key


def test_what_is_no_key_is_left_alone(days: DayKeys) -> None:
    days.of(_DAY)
    for stray in ("2026-03-01.key", "notes.txt", "2026-03-01.0badcafe.part"):
        (days.folder / stray).write_text("stray")
    assert len(list(days.names())) == 1
    assert days.get("../../etc/passwd") is None


def test_a_folder_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keyring = Keyring([MASTER_KEY], DayKeys(tmp_path / "file"))
    with pytest.raises(FolderError, match="no folder"):
        DayKeys(tmp_path / "file").check()
    with pytest.raises(SealError, match="cannot be used"):
        keyring.new_key("conversation", _DAY)
