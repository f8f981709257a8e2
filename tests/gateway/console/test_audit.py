"""The audit: no entry is changed, moved, added or taken away unseen, on either database; its page; its commands."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Executable, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog, Head, Wanted
from gateway.console.services import ConsoleServices
from gateway.records.database import connect, writing
from gateway.records.retention import purge
from gateway.records.tables import audit, audit_head
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, RED_FLAG, ROOT, Clock, Door
from tests.gateway.test_command import _environment

KEY = bytes(range(32))


@pytest.fixture
def audit_log(engine: Engine, clock: Clock) -> AuditLog:
    """Five entries."""
    found = AuditLog(engine, KEY, clock)
    for number in range(1, 6):
        found.record(AuditAct.VIEW_CASE, staff=number, case=number, detail={"number": number})
    return found


@contextmanager
def _keeper(engine: Engine) -> Iterator[Connection]:
    """Whoever keeps the database, for whom no trigger holds."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            for act in ("update", "delete", "replace"):
                connection.execute(text(f"DROP TRIGGER audit_no_{act}"))
        yield connection


def test_an_untouched_audit_holds(audit_log: AuditLog) -> None:
    verdict = audit_log.verify((audit_log.head(),))
    assert (verdict.entries, verdict.problem) == (5, "")


def test_an_empty_audit_holds(engine: Engine, clock: Clock) -> None:
    audit_log = AuditLog(engine, KEY, clock)
    assert audit_log.verify((audit_log.head(),)).problem == ""


@pytest.mark.parametrize(
    "change", [{"act": "view_queue"}, {"staff_id": 9}, {"staff_id": None}, {"case_id": 9}, {"detail": {"number": 4}}, {"detail": {}}, "at"]
)
def test_a_changed_entry_is_found(engine: Engine, audit_log: AuditLog, clock: Clock, change: Any) -> None:
    values = {"at": clock() - timedelta(days=1)} if change == "at" else change
    with _keeper(engine) as connection:
        connection.execute(update(audit).where(audit.c.seq == 3).values(**values))
    verdict = audit_log.verify()
    assert verdict.entries == 2
    assert "entry 3" in verdict.problem


def test_a_deleted_entry_is_found(engine: Engine, audit_log: AuditLog) -> None:
    with _keeper(engine) as connection:
        connection.execute(delete(audit).where(audit.c.seq == 3))
    assert audit_log.verify().problem == "entry 3 is missing"


def test_a_deleted_entry_is_found_though_the_rest_moved_up(engine: Engine, audit_log: AuditLog) -> None:
    with _keeper(engine) as connection:
        connection.execute(delete(audit).where(audit.c.seq == 3))
        for number in (4, 5):
            connection.execute(update(audit).where(audit.c.seq == number).values(seq=number - 1))
    assert "entry 3" in audit_log.verify().problem


def test_two_entries_that_changed_places_are_found(engine: Engine, audit_log: AuditLog) -> None:
    with _keeper(engine) as connection:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(audit).where(audit.c.seq == old).values(seq=new))
    assert "entry 2" in audit_log.verify().problem


def test_entries_that_were_cut_off_are_found(engine: Engine, audit_log: AuditLog) -> None:
    with _keeper(engine) as connection:
        connection.execute(delete(audit).where(audit.c.seq > 3))
    assert "behind entry 3 are missing" in audit_log.verify().problem


def test_entries_that_were_cut_off_are_found_though_others_were_written_since(engine: Engine, audit_log: AuditLog) -> None:
    with _keeper(engine) as connection:
        connection.execute(delete(audit).where(audit.c.seq > 3))
    audit_log.record(AuditAct.LOGIN, staff=1)
    audit_log.record(AuditAct.LOGOUT, staff=1)
    assert audit_log.verify().problem == "entry 4 is missing"


def test_a_cut_with_an_old_end_is_found_by_what_was_kept_elsewhere(engine: Engine, audit_log: AuditLog) -> None:
    with engine.connect() as connection:
        old = connection.execute(select(audit_head)).one()
    audit_log.record(AuditAct.VIEW_CASE, case=6)
    kept = audit_log.head()
    with _keeper(engine) as connection:
        connection.execute(delete(audit).where(audit.c.seq > 5))
        connection.execute(update(audit_head).values(seq=old.seq, mac=old.mac))
    assert audit_log.verify().problem == ""
    assert "up to 6" in audit_log.verify((kept,)).problem


def test_an_end_that_was_taken_away_is_found(engine: Engine, audit_log: AuditLog) -> None:
    with _keeper(engine) as connection:
        connection.execute(delete(audit_head))
    assert audit_log.verify().problem
    audit_log.record(AuditAct.LOGIN)
    assert audit_log.verify().problem


def test_all_entries_taken_away_are_found(engine: Engine, audit_log: AuditLog) -> None:
    kept = audit_log.head()
    with _keeper(engine) as connection:
        connection.execute(delete(audit))
    assert audit_log.verify().problem
    with writing(engine) as connection:
        connection.execute(delete(audit_head))
    assert "kept elsewhere" in audit_log.verify((kept,)).problem


def test_an_entry_without_the_key_is_found(engine: Engine, audit_log: AuditLog, clock: Clock) -> None:
    with _keeper(engine) as connection:
        connection.execute(insert(audit).values(seq=6, at=clock(), act="view_case", detail={}, mac=b"\1" * 32))
    assert "entry 6" in audit_log.verify().problem


def test_an_entry_with_another_key_is_found(engine: Engine, audit_log: AuditLog, clock: Clock) -> None:
    AuditLog(engine, b"\2" * 32, clock).record(AuditAct.VIEW_CASE, staff=1)
    assert "entry 6" in audit_log.verify().problem


def test_another_key_does_not_vouch(engine: Engine, audit_log: AuditLog, clock: Clock) -> None:
    assert "entry 1" in AuditLog(engine, b"\2" * 32, clock).verify().problem


def test_another_head_than_the_one_that_was_kept_is_found(audit_log: AuditLog) -> None:
    head = audit_log.head()
    assert "entry 5" in audit_log.verify((Head(5, b"\3" * 32),)).problem
    assert "entry 5" in audit_log.verify((Head(5, b"\3" * 32), head)).problem
    assert "entry 5" in audit_log.verify((head, Head(5, b"\3" * 32))).problem


def test_nobody_changes_entries_by_the_applications_own_way(engine: Engine, audit_log: AuditLog) -> None:
    changes: list[Executable] = [update(audit).values(act="x"), delete(audit), update(audit).where(audit.c.seq == 5).values(detail={})]
    if engine.dialect.name == "postgresql":
        changes.append(text("TRUNCATE audit"))
    else:
        changes.append(text("REPLACE INTO audit SELECT * FROM audit WHERE seq = 1"))
    for change in changes:
        with pytest.raises(DBAPIError), writing(engine) as connection:
            connection.execute(change)
    assert audit_log.verify().problem == ""


def test_entries_of_four_at_once_are_one_chain(records_url: str, clock: Clock) -> None:
    ready, done = threading.Barrier(4), []

    def work(staff: int) -> None:
        engine = connect(records_url)
        audit_log = AuditLog(engine, KEY, clock)
        ready.wait()
        for number in range(8):
            _write(audit_log, staff, number)
            done.append((staff, number))
        engine.dispose()

    threads = [threading.Thread(target=work, args=(staff,)) for staff in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine = connect(records_url)
    verdict = AuditLog(engine, KEY, clock).verify()
    engine.dispose()
    assert len(done) == 32
    assert (verdict.entries, verdict.problem) == (32, "")


def _write(audit_log: AuditLog, staff: int, case: int) -> None:
    """Add an entry, however busy the database is."""
    while True:
        try:
            audit_log.record(AuditAct.VIEW_CASE, staff=staff, case=case)
        except DBAPIError:
            continue
        return


def test_checking_while_others_write_raises_no_alarm(engine: Engine, audit_log: AuditLog) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            _write(audit_log, 1, 1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        problems = {audit_log.verify().problem for _ in range(10)}
    finally:
        stop.set()
        writer.join()
    assert problems == {""}


def test_an_entry_is_not_without_what_it_is_about(engine: Engine, audit_log: AuditLog) -> None:
    def broken() -> None:
        with writing(engine) as connection:
            audit_log.record(AuditAct.CLOSE, case=1, connection=connection)
            raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert audit_log.verify().entries == 5


def test_a_page_is_found_by_person_act_case_and_day(audit_log: AuditLog, clock: Clock) -> None:
    clock.travel(days=2)
    audit_log.record(AuditAct.LOGIN, staff=2)

    def numbers(**wanted: Any) -> list[int]:
        return [entry.seq for entry in audit_log.read(Wanted(**wanted)).entries]

    assert numbers() == [6, 5, 4, 3, 2, 1]
    assert numbers(person=2) == [6, 2]
    assert numbers(act="login") == [6]
    assert numbers(case=3) == [3]
    assert numbers(day=clock().date()) == [6]
    assert numbers(person=2, act="view_case", case=2) == [2]
    assert audit_log.acts() == ["login", "view_case"]


def test_pages_follow_each_other_without_gap(audit_log: AuditLog) -> None:
    first = audit_log.read(Wanted(), size=2)
    audit_log.record(AuditAct.LOGIN)
    second = audit_log.read(Wanted(), first.next, size=2)
    third = audit_log.read(Wanted(), second.next, size=2)
    assert [[entry.seq for entry in page.entries] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third.next is None


# In the running gateway.


def test_forgetting_a_conversation_leaves_the_audit_whole(door: Door, nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    services.audit_log.record(AuditAct.VIEW_CASE, staff=nurse.id, case=case_of(door, patient))
    clock.travel(days=400)
    done = purge(services.records.engine, clock() - timedelta(days=365), dry_run=False)
    assert done.conversations
    assert services.audit_log.verify().problem == ""


def test_the_page_shows_who_did_what_and_is_an_entry_itself(door: Door, auditor: Person, nurse: Person, services: ConsoleServices) -> None:
    door.patient().say(RED_FLAG)
    nurse.get("/")
    page = auditor.get("/audit")
    assert page.status_code == 200
    assert nurse.name in page.text
    assert "view queue" in page.text
    assert CANARY not in page.text
    assert str(services.audit_log.head().seq - 1) in page.text
    (noted,) = services.audit_log.read(Wanted(act="view_audit")).entries
    assert noted.person == auditor.name


def test_the_page_checks_the_chain(auditor: Person, services: ConsoleServices) -> None:
    assert "It was not checked yet" in auditor.get("/audit").text
    answer = auditor.post("/audit/verify")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/audit")
    assert re.search(r"Verified up to entry \d+ at", auditor.get("/audit").text)
    with _keeper(services.records.engine) as connection:
        connection.execute(update(audit).where(audit.c.seq == 2).values(detail={"changed": 1}))
    auditor.post("/audit/verify")
    page = auditor.get("/audit").text
    assert "The audit was tampered with" in page
    assert "entry 2" in page


def test_what_is_long_stands_in_details_and_cannot_break_the_page(auditor: Person, services: ConsoleServices) -> None:
    services.audit_log.record(AuditAct.SEARCH, detail={"found": list(range(100)), "chosen": "<script>alert(1)</script>"})
    page = auditor.get("/audit", params={"act": "search"}).text
    assert "<details><summary>found: [0, 1, 2" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "query",
    [{"person": "x"}, {"case": "99999999999999999999"}, {"day": "2026-13-01"}, {"day": "9999-12-31"}, {"act": "'; --"}, {"after": "0"}],
)
def test_a_filter_that_is_none_breaks_nothing(auditor: Person, query: dict[str, str]) -> None:
    assert auditor.get("/audit", params=query).status_code == 200


# The commands.


def test_the_commands_make_an_account_and_check_the_audit(sqlite_url: str, file: Any, tmp_path: Any) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", *arguments]
        return subprocess.run(command, cwd=ROOT, env=_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False)

    made = run("staff", "Ada Admin", "--role", "admin")
    assert made.returncode == 0, made.stderr
    assert re.search(r"^ {2}[0-9a-f]{40}$", made.stdout, re.MULTILINE)
    again = run("staff", "Ada Admin")
    assert again.returncode == 1
    assert "another name" in again.stderr
    head = run("audit-head")
    assert re.fullmatch(r"1:[0-9a-f]{64}\n", head.stdout)
    kept = tmp_path / "anchors"
    kept.write_text(head.stdout)
    whole = run("verify-audit", "--anchors", str(kept))
    assert (whole.returncode, whole.stdout) == (0, "1 entries, all as written.\n")
    engine = connect(sqlite_url)
    with _keeper(engine) as connection:
        connection.execute(update(audit).values(detail={"account": 7}))
    engine.dispose()
    broken = run("verify-audit")
    assert broken.returncode == 1
    assert "tampered with: entry 1" in broken.stderr
    kept.write_text("no head")
    assert run("verify-audit", "--anchors", str(kept)).returncode == 1
