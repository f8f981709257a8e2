"""Those who work at the console: invitations, passwords, one-time codes, roles."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.console.identity.passwords import LONGEST_PASSWORD, problem_of
from gateway.console.identity.rights import ROLES
from gateway.console.identity.seals import Seals, Tell
from gateway.records.database import writing
from gateway.records.sealing import Keyring
from gateway.records.store import Clock
from gateway.records.tables import staff, staff_session

INVITED = timedelta(hours=24)
_TAMPERED = "Somebody changed this account in the database, so it stays closed. The operator can look: python -m gateway seal-account"
_CODE_BYTES = 20
_STEP_SECONDS = 30
_ISSUER = "Aftercare"
_SECRET = re.compile(r"[A-Z2-7]{32}")
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe())


class StaffError(ValueError):
    """What was asked of an account cannot be done; the message says what to do instead."""


class WrongPasswordError(StaffError):
    """The password so far is not right."""


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


class StaffBook:
    """The accounts.

    Args:
        engine: the records' database.
        keyring: seals the second factor's secrets, and the accounts.
        clock: tells the time.
        tell: is told of an account that somebody changed in the database.
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

    def invite(self, name: str, role: str, email: str | None = None) -> tuple[Staff, str]:
        """Make an account, and the code with which its owner sets it up; the code is stored nowhere.

        Raises:
            StaffError: the name is taken or empty, or there is no such role.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= 80 or not name.isprintable():
            raise StaffError("Give a name of 1 to 80 characters.")
        if role not in ROLES:
            raise StaffError(f"{role!r} is no role; choose one of {', '.join(ROLES)}.")
        if email is not None and ("@" not in email or len(email) > 254 or any(c.isspace() for c in email)):
            raise StaffError("This is no e-mail address.")
        code = _new_code()
        try:
            self._insert(name, role, email, invitation=_hash(code), invited_until=self._clock() + INVITED)
        except IntegrityError:
            raise StaffError(f"There is an account {name!r} already; choose another name.") from None
        found = self.named(name)
        assert found is not None
        return found, code

    def adopt(self, subject: str, name: str, role: str, email: str | None) -> Staff:
        """The account of somebody whom the hospital's provider vouches for, made or brought up to date.

        Raises:
            StaffError: somebody changed it in the database.
        """
        known = self.of_subject(subject)
        name = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:80] or "No name"
        if known is None:
            free = name if self.named(name) is None else f"{name[:60]} ({hashlib.sha256(subject.encode()).hexdigest()[:6]})"
            self._insert(free, role, email, subject=subject)
        else:
            with writing(self._engine) as connection:
                self._change(connection, staff.c.id == known.id, role=role, email=email)
        found = self.of_subject(subject)
        assert found is not None
        return found

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

    def accept(self, name: str) -> Staff:
        """Seal an account as it stands, which somebody has looked at.

        Raises:
            StaffError: there is no such account.
        """
        with writing(self._engine) as connection:
            if connection.scalar(select(staff.c.id).where(staff.c.name == name)) is None:
                raise StaffError(f"There is no account {name!r}.")
            self._seal(connection, staff.c.name == name)
        found = self.named(name)
        assert found is not None
        return found

    def reinvite(self, number: int) -> str:
        """A new invitation for a local account: its password and second factor stop working, its sessions end; it is open again.

        Raises:
            StaffError: there is no such account, or the hospital's provider vouches for it.
        """
        code = _new_code()
        with writing(self._engine) as connection:
            changed = {
                "invitation": _hash(code),
                "invited_until": self._clock() + INVITED,
                "password": None,
                "totp": None,
                "disabled_at": None,
            }
            local = (staff.c.id == number) & staff.c.subject.is_(None)
            if not self._change(connection, local, **changed):
                raise StaffError("This account logs in with the hospital's account. It needs no invitation.")
            _end_sessions(connection, number, self._clock())
        return code

    def invited(self, code: str) -> Staff | None:
        """Whose invitation this code is, as long as it counts."""
        found = self._one((staff.c.invitation == _hash(code.strip())) & (staff.c.invited_until > self._clock()))
        return None if found is None or found.disabled else found

    @staticmethod
    def new_secret() -> str:
        """A secret for an authenticator app."""
        return pyotp.random_base32()

    @staticmethod
    def is_secret(written: str) -> bool:
        """Whether this is such a secret."""
        return _SECRET.fullmatch(written) is not None

    @staticmethod
    def address_of(name: str, secret: str) -> str:
        """The address that an authenticator app reads from a square."""
        return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)

    def set_up(self, code: str, password: str, secret: str, one_time: str) -> Staff:
        """Accept an invitation.

        Raises:
            StaffError: the invitation does not count, the password is weak, or the code of the app is wrong.
        """
        invited = self.invited(code)
        if invited is None:
            raise StaffError("This code does not count any more. Ask for a new one.")
        _check(password, invited)
        step = _step(secret, one_time, self._clock())
        if step is None:
            raise StaffError("The code of the app is not right. Wait for the next one and type that.")
        hashed, sealed = _HASHER.hash(password), self._keyring.seal(secret, _place(invited.id))
        with writing(self._engine) as connection:
            mine = (staff.c.id == invited.id) & (staff.c.invitation == _hash(code.strip())) & staff.c.disabled_at.is_(None)
            values = {"password": hashed, "totp": sealed, "totp_step": step, "invitation": None, "invited_until": None}
            if not self._change(connection, mine, **values):
                raise StaffError("This code does not count any more. Ask for a new one.")
        return invited

    def change_password(self, number: int, old: str, new: str, keep: bytes) -> None:
        """Give oneself another password; all other logins of the account end.

        Args:
            number: the account.
            old: the password so far.
            new: the password from now on.
            keep: the hash of the login's token that stays.

        Raises:
            StaffError: the old one is wrong, the new one is weak or the same, or the hospital's provider vouches for the account.
        """
        person = self.get(number)
        if person is None or person.subject is not None:
            raise StaffError("The password of this account is the hospital's. Change it there.")
        if self.prove(person.name, old, None) is None:
            raise WrongPasswordError("Your password so far is not right. Nothing was changed.")
        if old == new:
            raise StaffError("This is the password that you have. Choose another one.")
        _check(new, person)
        hashed = _HASHER.hash(new)
        with writing(self._engine) as connection:
            self._change(connection, staff.c.id == number, password=hashed)
            _end_sessions(connection, number, self._clock(), keep)

    def prove(self, name: str, password: str, one_time: str | None) -> Staff | None:
        """Who this is, if name, password and one-time code are right; each code counts once. How often it may be tried, `Tries` says.

        A last code of a half minute that is still to come is of a clock that was wrong, and keeps nobody out.

        Args:
            name: the account's name.
            password: its password.
            one_time: the authenticator's code; None where the password alone is asked for, of somebody who is logged in.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(staff).where(staff.c.name == " ".join(name.split()))).one_or_none()
        right = _matches(row.password if row and row.password else _NOBODY, password)
        person = self._staff(row) if row is not None else None
        if row is None or person is None or row.password is None or person.disabled or not right:
            return None
        if one_time is None:
            return person
        now, mine = self._clock(), staff.c.id == row.id
        step = _step(self._keyring.open(row.totp, _place(row.id)), one_time, now)
        if step is None:
            return None
        unused = (staff.c.totp_step < step) | (staff.c.totp_step > _now_step(now) + 1)
        with writing(self._engine) as connection:
            fresh = update(staff).where(mine, staff.c.password == row.password, staff.c.disabled_at.is_(None), unused)
            return person if connection.execute(fresh.values(totp_step=step)).rowcount else None

    def change(self, number: int, *, role: str | None = None, disabled: bool | None = None) -> None:
        """Change somebody's role, or shut or open the account; their sessions end.

        Raises:
            StaffError: there is no such role or account, or nobody would be left who can make accounts.
        """
        if role is not None and role not in ROLES:
            raise StaffError(f"{role!r} is no role; choose one of {', '.join(ROLES)}.")
        with writing(self._engine) as connection:
            was = connection.execute(select(staff).where(staff.c.id == number)).one_or_none()
            if was is None:
                raise StaffError("There is no such account.")
            able = staff.c.subject.is_not(None) | staff.c.password.is_not(None)
            admins = select(staff).where(staff.c.role == "admin", staff.c.disabled_at.is_(None), able).order_by(staff.c.id)
            found = connection.execute(admins.with_for_update()).mappings().all()
            others = {row["id"] for row in found if self.seals.account(row) is not None} - {number}
            if was.role == "admin" and (disabled or (role is not None and role != "admin")) and not others:
                raise StaffError("This is the last admin. Make another one first.")
            values: dict[str, Any] = {} if role is None else {"role": role}
            if disabled is not None:
                values["disabled_at"] = self._clock() if disabled else None
            self._change(connection, staff.c.id == number, **values)
            _end_sessions(connection, number, self._clock())

    def prefer(self, number: int, *, single_keys: bool, sound: bool) -> None:
        """Remember how somebody wants to work."""
        with writing(self._engine) as connection:
            connection.execute(update(staff).where(staff.c.id == number).values(single_keys=single_keys, sound=sound))

    def _staff(self, row: Any) -> Staff:
        tampered = self.seals.account(row._mapping) is None
        if tampered and self._tell is not None:
            self._tell("account", row.id)
        ready = row.subject is not None or (row.password is not None and row.totp is not None)
        return Staff(
            row.id, row.name, row.email, row.role, row.subject, row.disabled_at is not None or tampered, row.single_keys, row.sound, ready,
            row.invited_until, tampered,
        )  # fmt: skip


def _check(password: str, person: Staff) -> None:
    problem = problem_of(password, (person.name, person.email or ""))
    if problem:
        raise StaffError(problem)


def _end_sessions(connection: Connection, number: int, now: datetime, keep: bytes = b"") -> None:
    mine = (staff_session.c.staff_id == number) & staff_session.c.ended_at.is_(None) & (staff_session.c.token_hash != keep)
    connection.execute(update(staff_session).where(mine).values(ended_at=now))


def _new_code() -> str:
    return secrets.token_hex(_CODE_BYTES)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _place(number: int) -> str:
    return f"staff/{number}/totp"


def _matches(hashed: str, password: str) -> bool:
    try:
        return len(password) <= LONGEST_PASSWORD and _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _now_step(now: datetime) -> int:
    """The half minute of a moment."""
    return int(now.timestamp() // _STEP_SECONDS)


def _step(secret: str, one_time: str, now: datetime) -> int | None:
    """Which half minute a one-time code is of, a little early or late allowed; None when it is of none."""
    typed, current = "".join(one_time.split()), _now_step(now)
    if not typed.isascii() or not StaffBook.is_secret(secret):
        return None
    app = pyotp.TOTP(secret)
    return next((step for step in (current, current - 1, current + 1) if secrets.compare_digest(app.generate_otp(step), typed)), None)
