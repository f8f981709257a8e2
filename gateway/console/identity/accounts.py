"""The accounts as they are stored, each under its seal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, update

from gateway.console.identity.seals import Seals, Tell
from gateway.records.database import writing
from gateway.records.sealing import Keyring
from gateway.records.store import Clock
from gateway.records.tables import staff

_TAMPERED = "Somebody changed this account in the database, so it stays closed. The operator can look: python -m gateway seal-account"


class StaffError(ValueError):
    """What was asked of an account cannot be done; the message says what to do instead."""


@dataclass(frozen=True)
class Staff:
    """One person's account.

    Attributes:
        subject: who they are at the hospital's provider, or None for a local account.
        ready: the account can log in: it has a password and a second factor, or a subject.
        disabled: it was shut, or its seal does not hold.
        invited_until: how long its invitation counts.
        tampered: somebody changed it in the database; it counts as shut.
    """

    id: int
    name: str
    email: str | None
    role: str
    subject: str | None
    disabled: bool
    single_keys: bool
    sound: bool
    ready: bool
    invited_until: datetime | None
    tampered: bool


class Accounts:
    """The accounts of one database: reads them, and seals each that is written.

    Args:
        engine: the records' database.
        keyring: seals the second factor's secrets, and the accounts.
        clock: tells the time.
        tell: is notified of an account that somebody changed in the database.
    """

    def __init__(self, engine: Engine, keyring: Keyring, clock: Clock, tell: Tell | None = None) -> None:
        self.seals = Seals(keyring)
        self._tell = tell
        self._engine = engine
        self._keyring = keyring
        self._clock = clock

    def everybody(self) -> list[Staff]:
        """All accounts by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(staff).order_by(func.lower(staff.c.name))).all()
        return list(map(self._staff, rows))

    def get(self, number: int) -> Staff | None:
        """The account of this number."""
        return self._one(staff.c.id == number)

    def named(self, name: str) -> Staff | None:
        """The account of this name."""
        return self._one(staff.c.name == name)

    def of_subject(self, subject: str) -> Staff | None:
        """The account of somebody at the hospital's provider."""
        return self._one(staff.c.subject == subject)

    def _one(self, which: ColumnElement[bool]) -> Staff | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(staff).where(which)).one_or_none()
        return self._staff(row) if row else None

    def _insert(self, name: str, role: str, email: str | None, **columns: Any) -> None:
        new = {"name": name, "role": role, "email": email, "totp_step": 0, "single_keys": True, "sound": True}
        with writing(self._engine) as connection:
            connection.execute(insert(staff).values(**new, created_at=self._clock(), **columns))
            self._seal(connection, staff.c.name == name)

    def _seal(self, connection: Connection, which: ColumnElement[bool]) -> None:
        row = connection.execute(select(staff).where(which)).mappings().one()
        connection.execute(update(staff).where(staff.c.id == row["id"]).values(seal=self.seals.of_account(row, connection)))

    def _change(self, connection: Connection, which: ColumnElement[bool], **values: Any) -> bool:
        """Change an account and seal it anew; False when there is none such.

        Raises:
            StaffError: its seal does not hold, so that a new one would hide what was done to it.
        """
        row = connection.execute(select(staff).where(which).with_for_update()).mappings().one_or_none()
        if row is None:
            return False
        if self.seals.account(row) is None:
            raise StaffError(_TAMPERED)
        connection.execute(update(staff).where(staff.c.id == row["id"]).values(**values))
        self._seal(connection, staff.c.id == row["id"])
        return True

    def _staff(self, row: Any) -> Staff:
        tampered = self.seals.account(row._mapping) is None
        if tampered and self._tell is not None:
            self._tell("account", row.id)
        ready = row.subject is not None or (row.password is not None and row.totp is not None)
        return Staff(
            row.id, row.name, row.email, row.role, row.subject, row.disabled_at is not None or tampered, row.single_keys, row.sound, ready,
            row.invited_until, tampered,
        )  # fmt: skip
