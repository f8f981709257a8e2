"""A backup brings everything back but the keys; what was to be forgotten stays forgotten, and the audit still holds."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog, Head
from gateway.records.database import connect, migrate
from gateway.records.sealing import Keyring, SealError
from gateway.records.store import Records, utc_now
from gateway.records.tables import triage_case
from scripts.common import ROOT
from tests.deploy import house
from tests.deploy.cluster import AUDIT_KEY, MASTER_KEY, PostgreSql, postgresql_binaries
from tests.gateway.support import BOUND, CANARY, HARMLESS, RED_FLAG, Json, Patient, is_emergency
from vault.day_keys import DayKeys

_numbers = count(1)
_GREETING: Json = {"blocks": [], "buttons": [], "sources": []}

NewUrl = Callable[[], str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewUrl:
    """Make the address of a new, empty database."""

    def sqlite() -> str:
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'database.db'}"

    def postgresql() -> str:
        server: PostgreSql = request.getfixturevalue("server")
        name = f"test_{next(_numbers)}"
        server.run("createdb", name)
        return server.url(name)

    return sqlite if request.param == "sqlite" else postgresql


@dataclass
class Saved:
    """A house that was saved.

    Attributes:
        token: of a patient in the middle of a chat.
        old: a conversation beyond the retention, in the backup still with its key.
    """

    folder: Path
    env: dict[str, str]
    token: str
    old: str
    transcript: list[object]


@pytest.fixture(scope="module")
def saved(new_url: NewUrl, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    env = house.environment(new_url(), tmp_path_factory.mktemp("keys") / "day-keys")
    engine = connect(env["AFTERCARE_RECORDS"])
    migrate(engine)
    past = datetime.now(UTC) - timedelta(days=400)
    days = DayKeys(Path(env["AFTERCARE_DAY_KEYS"]))
    old = Records(engine, Keyring([MASTER_KEY], days), lambda: past).start("demo", _GREETING, "patient", bound=BOUND)
    with house.door(env) as door:
        AuditLog(engine, AUDIT_KEY, utc_now).record(AuditAct.LOGIN, detail={})
        patient = door.patient()
        patient.say(HARMLESS)
        transcript: list[object] = list(patient.events())
        old_session = door.records.session(old)
        assert old_session is not None
    engine.dispose()
    folder = tmp_path_factory.mktemp("backups") / "backup"
    done = house.run(env, str(ROOT / "deploy" / "backup.sh"), str(folder))
    assert done.returncode == 0, done.stderr
    return Saved(folder, env, patient.token, old_session.conversation, transcript)


def _restore(folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    done = house.run(env, str(ROOT / "deploy" / "restore.sh"), str(folder))
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def restored(saved: Saved, new_url: NewUrl) -> dict[str, str]:
    """The environment of a house that was made anew from the backup."""
    env = house.environment(new_url(), Path(saved.env["AFTERCARE_DAY_KEYS"]))
    code, said = _restore(saved.folder, env)
    assert code == 0, said
    assert "entries, all as written." in said
    return env


def test_a_conversation_goes_on_after_a_restore(saved: Saved, restored: dict[str, str]) -> None:
    with house.door(restored) as door:
        patient = Patient(door.client, {"token": saved.token})
        assert patient.events() == saved.transcript
        assert is_emergency(patient.say(RED_FLAG))
        with door.records.engine.connect() as connection:
            assert connection.scalar(select(func.max(triage_case.c.tier))) == 3


def test_the_audit_goes_on_and_holds_up_to_the_backups_end(saved: Saved, restored: dict[str, str]) -> None:
    engine = connect(restored["AFTERCARE_RECORDS"])
    audit_log = AuditLog(engine, AUDIT_KEY, utc_now)
    audit_log.record(AuditAct.LOGIN, detail={})
    heads = [Head.parse(line) for line in (saved.folder / "audit-head").read_text().split()]
    assert heads
    assert not audit_log.verify(heads).problem
    engine.dispose()


def test_entries_that_came_after_the_backup_are_missed(saved: Saved, restored: dict[str, str]) -> None:
    """Whoever keeps the audit's end elsewhere sees that a restore lost something."""
    lost, kept = connect(saved.env["AFTERCARE_RECORDS"]), connect(restored["AFTERCARE_RECORDS"])
    for _ in range(5):
        AuditLog(lost, AUDIT_KEY, utc_now).record(AuditAct.LOGIN, detail={"lost": True})
    assert AuditLog(kept, AUDIT_KEY, utc_now).verify([AuditLog(lost, AUDIT_KEY, utc_now).head()]).problem
    lost.dispose()
    kept.dispose()


def test_what_the_retention_forgets_stays_forgotten(saved: Saved, restored: dict[str, str]) -> None:
    records = Records(connect(restored["AFTERCARE_RECORDS"]), Keyring([MASTER_KEY]))
    assert [event.words for event in records.events(saved.old)] == [None]
    records.engine.dispose()
    kept = sorted(DayKeys(Path(restored["AFTERCARE_DAY_KEYS"])).names())
    assert kept[0].startswith(f"{datetime.now(UTC):%Y-%m-%d}"), "the key of the old conversation's day was destroyed"


def test_without_the_folder_of_the_days_keys_nobody_reads_a_backup(saved: Saved, restored: dict[str, str], tmp_path: Path) -> None:
    records = Records(connect(restored["AFTERCARE_RECORDS"]), Keyring([MASTER_KEY], DayKeys(tmp_path)))
    session = records.session(saved.token)
    assert session is not None
    with pytest.raises(SealError, match="day's key"):
        records.events(session.conversation)
    records.engine.dispose()


def test_a_backup_holds_no_key_and_no_readable_word(saved: Saved) -> None:
    files = [file for file in saved.folder.iterdir() if file.is_file()]
    assert {file.name for file in files} == {"SHA256SUMS", "audit-head", "records"}
    days = [file.read_bytes() for file in Path(saved.env["AFTERCARE_DAY_KEYS"]).iterdir()]
    assert days
    for file in files:
        content = file.read_bytes()
        for key in (MASTER_KEY, AUDIT_KEY, *days):
            assert key not in content
            assert base64.b64encode(key) not in content
        assert CANARY.encode() not in content
        assert CANARY.encode() not in _unpacked(file)
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0


def _unpacked(file: Path) -> bytes:
    """What pg_dump saved, as a script of statements, for its own format is compressed; nothing for other files."""
    programs = postgresql_binaries()
    if programs is None or not file.read_bytes().startswith(b"PGDMP"):
        return b""
    done = subprocess.run([programs / "pg_restore", "--file", "-", file], capture_output=True, check=True)
    assert b"COPY public.event" in done.stdout
    return done.stdout


def test_without_the_keys_a_restore_can_not_be_read(saved: Saved, restored: dict[str, str]) -> None:
    engine = connect(restored["AFTERCARE_RECORDS"])
    records = Records(engine, Keyring([bytes(range(100, 132))], DayKeys(Path(saved.env["AFTERCARE_DAY_KEYS"]))))
    session = records.session(saved.token)
    assert session is not None
    with pytest.raises(SealError):
        records.events(session.conversation)
    engine.dispose()


def test_a_damaged_backup_is_refused_before_anything_is_restored(saved: Saved, new_url: NewUrl, tmp_path: Path) -> None:
    damaged = shutil.copytree(saved.folder, tmp_path / "damaged")
    with (damaged / "records").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    records = new_url()
    code, said = _restore(damaged, house.environment(records, Path(saved.env["AFTERCARE_DAY_KEYS"])))
    assert code != 0
    assert "records" in said
    if records.startswith("sqlite"):
        assert not Path(records.removeprefix("sqlite:///")).exists()
    else:
        engine = connect(records)
        with engine.connect() as connection:
            assert not connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        engine.dispose()


def test_nothing_is_restored_over_a_database_in_use(saved: Saved) -> None:
    code, said = _restore(saved.folder, saved.env)
    assert code != 0
    assert "not empty" in said or "is there already" in said
    records = Records(connect(saved.env["AFTERCARE_RECORDS"]), Keyring([MASTER_KEY], DayKeys(Path(saved.env["AFTERCARE_DAY_KEYS"]))))
    session = records.session(saved.token)
    assert session is not None
    assert len(records.events(session.conversation)) == len(saved.transcript)
    records.engine.dispose()


def test_a_folder_in_use_is_not_written_over(saved: Saved) -> None:
    done = house.run(saved.env, str(ROOT / "deploy" / "backup.sh"), str(saved.folder))
    assert (done.returncode, "is there already" in done.stderr) == (1, True)


def test_a_backup_that_failed_leaves_no_folder_that_looks_whole(tmp_path: Path) -> None:
    env = house.environment(f"sqlite:///{tmp_path / 'records.db'}")
    assert house.gateway(env, "migrate").returncode == 0
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sha256sum").write_text("#!/bin/sh\necho no checksums >&2\nexit 1\n")
    (tmp_path / "broken" / "sha256sum").chmod(0o700)
    broken = env | {"PATH": f"{tmp_path / 'broken'}:{env['PATH']}"}
    done = house.run(broken, str(ROOT / "deploy" / "backup.sh"), str(tmp_path / "backup"))
    assert done.returncode != 0
    assert "no checksums" in done.stderr
    assert not (tmp_path / "backup").exists()


def test_an_sqlite_backup_is_whole_while_somebody_writes(tmp_path: Path) -> None:
    env = house.environment(f"sqlite:///{tmp_path / 'records.db'}")
    assert house.gateway(env, "migrate").returncode == 0
    with closing(sqlite3.connect(tmp_path / "records.db", isolation_level=None)) as writer:
        stored = "INSERT INTO conversation (id, embed_key, started_at) VALUES (?, 'demo', '2026-01-01')"
        writer.execute(stored, ("stored",))
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(stored, ("not yet",))
        done = house.run(env, str(ROOT / "deploy" / "backup.sh"), str(tmp_path / "backup"))
        assert done.returncode == 0, done.stderr
        writer.execute("COMMIT")
    with closing(sqlite3.connect(tmp_path / "backup" / "records")) as copy:
        assert copy.execute("SELECT id FROM conversation").fetchall() == [("stored",)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
