"""Who can write to the database cannot log in, and an audit that was wiped is seen."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, delete, insert, select, text, update

from gateway.console import commands
from gateway.console.audit.log import Wanted
from gateway.console.identity import passwords
from gateway.console.identity.accounts import StaffError
from gateway.console.identity.sessions import hash_of
from gateway.console.services import ConsoleServices
from gateway.records import database
from gateway.records.database import connect, writing
from gateway.records.tables import audit, audit_head, staff, staff_session
from gateway.settings import Settings
from tests.gateway.console.people import PASSWORD, Person
from tests.gateway.support import Clock, Door

Hire = Callable[..., Person]


def _written(services: ConsoleServices, statement: Any) -> None:
    with writing(services.records.engine) as connection:
        assert connection.execute(statement).rowcount


def _tampered(services: ConsoleServices) -> list[dict[str, Any]]:
    return [dict(entry.detail) for entry in services.audit_log.read(Wanted(act="tampered")).entries]


def test_a_login_that_was_written_into_the_database_is_none(door: Door, lead: Person, services: ConsoleServices) -> None:
    token, now = secrets.token_urlsafe(32), services.records.clock()
    row = {"token_hash": hash_of(token), "staff_id": lead.id, "started_at": now, "seen_at": now, "proved_at": now, "locked": False}
    for seal in (None, b"", b"x" * 60):
        _written(services, insert(staff_session).values(**row, seal=seal))
        assert Person(door, "Mallory", "lead", token=token).get("/").status_code == 303
        _written(services, delete(staff_session).where(staff_session.c.token_hash == hash_of(token)))
    assert _tampered(services) == [{"what": "login", "account": lead.id}]


def test_a_login_is_not_made_anothers_or_younger(door: Door, nurse: Person, admin: Person, services: ConsoleServices) -> None:
    mine = staff_session.c.token_hash == hash_of(nurse.token)
    _written(services, update(staff_session).where(mine).values(staff_id=admin.id))
    assert nurse.get("/me").status_code == 303
    _written(services, update(staff_session).where(mine).values(staff_id=nurse.id))
    assert nurse.get("/me").status_code == 200
    for column in ("started_at", "proved_at"):
        with services.records.engine.connect() as connection:
            was = connection.scalar(select(staff_session.c[column]).where(mine))
        assert was is not None
        _written(services, update(staff_session).where(mine).values({column: was + timedelta(hours=1)}))
        assert nurse.get("/me").status_code == 303
        _written(services, update(staff_session).where(mine).values({column: was}))
    assert nurse.get("/me").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"role": "admin"},
        {"role": "lead"},
        {"email": "mallory@evil.example"},
        {"password": "another"},
        {"subject": "https://login.example|mallory"},
        {"invitation": b"code", "invited_until": "later"},
        {"name": "Mallory"},
        {"seal": None},
    ],
)
def test_an_account_that_was_changed_counts_as_closed(
    door: Door, nurse: Person, services: ConsoleServices, clock: Clock, change: dict[str, Any]
) -> None:
    number = nurse.id
    if "password" in change:
        change = {"password": passwords.hash_of("known to mallory")}
    if "invitation" in change:
        change = {"invitation": hashlib.sha256(b"made up").digest(), "invited_until": clock() + timedelta(days=9)}
    _written(services, update(staff).where(staff.c.id == number).values(**change))
    assert nurse.get("/me").status_code == 303
    clock.travel(minutes=1)
    for password in (PASSWORD, "known to mallory"):
        answer = Person(door, "", "").post("/login", name=change.get("name", nurse.name), password=password, code=nurse.code())
        assert answer.status_code == 401
    assert services.book.invited("made up") is None
    person = services.book.get(number)
    assert person is not None
    assert person.tampered
    assert person.disabled
    assert {"what": "account", "account": number} in _tampered(services)


def test_an_account_that_was_written_into_the_database_is_closed(
    door: Door, nurse: Person, services: ConsoleServices, clock: Clock
) -> None:
    """A whole row, with the password hash and the sealed second factor of an account that its writer knows."""
    with services.records.engine.connect() as connection:
        row = dict(connection.execute(select(staff).where(staff.c.id == nurse.id)).mappings().one())
    _written(services, insert(staff).values(**{**row, "id": 77, "name": "Mallory", "role": "admin", "invitation": None}))
    clock.travel(minutes=1)
    assert Person(door, "Mallory", "admin").post("/login", name="Mallory", password=PASSWORD, code=nurse.code()).status_code == 401
    _written(services, update(staff).where(staff.c.id == nurse.id).values(role="admin", seal=row["seal"]))
    assert nurse.get("/me").status_code == 303


def test_no_change_through_the_pages_makes_a_tampered_account_good(nurse: Person, admin: Person, services: ConsoleServices) -> None:
    number = nurse.id
    _written(services, update(staff).where(staff.c.id == number).values(role="lead"))
    for act in ("role", "invite", "shut"):
        answer = admin.post(f"/staff/{number}/{act}", role="nurse")
        assert answer.status_code == 422
        assert "seal-account" in answer.text
    with pytest.raises(StaffError):
        services.book.change_password(number, PASSWORD, "four words nobody wrote", b"")
    assert "Somebody changed it in the database" in admin.get("/staff").text
    services.book.accept(nurse.name)
    found = services.book.get(number)
    assert found is not None
    assert found.role == "lead"
    assert nurse.get("/me").status_code == 200


def test_a_tampered_admin_is_not_the_other_admin(hire: Hire, admin: Person, services: ConsoleServices) -> None:
    other = hire("admin", "Second Admin")
    _written(services, update(staff).where(staff.c.id == other.id).values(email="x@evil.example"))
    with pytest.raises(StaffError, match="last admin"):
        services.book.change(admin.id, role="nurse")


def test_the_same_thing_is_told_once_an_hour(nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    number = nurse.id
    _written(services, update(staff).where(staff.c.id == number).values(role="admin"))
    for _ in range(3):
        services.book.everybody()
    assert len(_tampered(services)) == 1
    clock.travel(minutes=61)
    services.book.everybody()
    assert len(_tampered(services)) == 2


def _migrated_to(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.mark.parametrize("sort", ["sqlite", "postgresql"])
def test_accounts_of_an_older_release_are_sealed_once_and_named(
    sort: str, empty_url: Callable[[str], str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(settings, records_url=empty_url(sort))
    engine = connect(settings.records_url)
    assert not commands.have_no_seals(engine)
    _migrated_to(engine, "0002")
    columns = "name, role, totp_step, failures, single_keys, sound, created_at"
    with writing(engine) as connection:
        connection.execute(text(f"INSERT INTO staff ({columns}) VALUES ('Anna', 'lead', 0, 0, true, true, '2026-01-01 00:00:00')"))
    assert commands.have_no_seals(engine)
    _migrated_to(engine, "head")
    assert not commands.have_no_seals(engine)
    assert commands.seal_account(settings, None) == 1
    commands.seal_all(settings)
    assert "Anna (lead)" in capsys.readouterr().out
    assert commands.seal_account(settings, None) == 0
    with writing(engine) as connection:
        connection.execute(text("UPDATE staff SET role = 'admin'"))
    assert commands.seal_account(settings, None) == 1
    assert commands.seal_account(settings, "Nobody") == 1
    assert commands.seal_account(settings, "Anna") == 0
    assert commands.seal_account(settings, None) == 0
    engine.dispose()


def _wiped(services: ConsoleServices, after: int) -> None:
    with writing(services.records.engine) as connection:
        for trigger in ("audit_no_delete", "audit_no_update", "audit_no_replace"):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(delete(audit).where(audit.c.seq > after))
        connection.execute(delete(audit_head))


def test_an_audit_that_was_wiped_with_its_head_is_seen_without_an_anchor(nurse: Person, auditor: Person, services: ConsoleServices) -> None:
    seals, engine = services.book.seals, services.records.engine
    assert services.audit_log.verify(seals.anchors(engine)).problem == ""
    _wiped(services, 0)
    assert services.audit_log.verify().problem == "", "the chain itself shows nothing"
    assert "missing here" in services.audit_log.verify(seals.anchors(engine)).problem
    auditor.get("/audit")
    assert services.audit_log.verify(seals.anchors(engine)).problem, "nor does it heal by new entries"
    auditor.post("/audit/verify")
    assert services.audit_log.read(Wanted(act="verify_audit")).entries[0].detail["problem"]
