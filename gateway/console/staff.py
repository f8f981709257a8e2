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
from sqlalchemy import ColumnElement, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.console.rights import ROLES
from gateway.records.database import writing
from gateway.records.sealing import Keyring
from gateway.records.store import Clock
from gateway.records.tables import staff, staff_session

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
INVITED = timedelta(hours=24)
_FAILURES = 5
_LOCKED = timedelta(minutes=15)
_CODE_BYTES = 20
_STEP_SECONDS = 30
_ISSUER = "Aftercare"
_SECRET = re.compile(r"[A-Z2-7]{32}")
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe())


class StaffError(ValueError):
    """What was asked of an account cannot be done; the message says what to do instead."""


@dataclass(frozen=True)
class Staff:
    """One person's account.

    Attributes:
        subject: who they are at the hospital's provider, or None for a local account.
        ready: the account can log in: it has a password and a second factor, or a subject.
        invited_until: how long its invitation counts.
        locked_until: how long it is locked after wrong tries.
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
    locked_until: datetime | None


class StaffBook:
    """The accounts.

    Args:
        engine: the records' database.
        keyring: seals the second factor's secrets.
        clock: tells the time.
    """

    def __init__(self, engine: Engine, keyring: Keyring, clock: Clock) -> None:
        self._engine = engine
        self._keyring = keyring
        self._clock = clock

    def everybody(self) -> list[Staff]:
        """All accounts by name."""
        with self._engine.connect() as connection:
            return [_staff(row) for row in connection.execute(select(staff).order_by(func.lower(staff.c.name)))]

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
        return _staff(row) if row else None

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
        """The account of somebody whom the hospital's provider vouches for, made or brought up to date."""
        known = self.of_subject(subject)
        name = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:80] or "No name"
        if known is None:
            free = name if self.named(name) is None else f"{name[:60]} ({hashlib.sha256(subject.encode()).hexdigest()[:6]})"
            self._insert(free, role, email, subject=subject)
        else:
            self._update(known.id, role=role, email=email)
        found = self.of_subject(subject)
        assert found is not None
        return found

    def _insert(self, name: str, role: str, email: str | None, **columns: Any) -> None:
        new = {"name": name, "role": role, "email": email, "totp_step": 0, "failures": 0, "single_keys": True, "sound": True}
        with writing(self._engine) as connection:
            connection.execute(insert(staff).values(**new, created_at=self._clock(), **columns))

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
            if not connection.execute(update(staff).where(local).values(**changed, failures=0, locked_until=None)).rowcount:
                raise StaffError("This account logs in with the hospital's account. It needs no invitation.")
            _end_sessions(connection, number, self._clock())
        return code

    def invited(self, code: str) -> Staff | None:
        """Whose invitation this code is, as long as it counts."""
        return self._one(
            (staff.c.invitation == _hash(code.strip())) & (staff.c.invited_until > self._clock()) & staff.c.disabled_at.is_(None)
        )

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
            StaffError: the invitation does not count, the password is too short, or the code of the app is wrong.
        """
        invited = self.invited(code)
        if invited is None:
            raise StaffError("This code does not count any more. Ask for a new one.")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise StaffError(f"Choose a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
        if password.casefold() in (invited.name.casefold(), invited.name.casefold() * 2):
            raise StaffError("Choose a password that is not your name.")
        step = _step(secret, one_time, self._clock())
        if step is None:
            raise StaffError("The code of the app is not right. Wait for the next one and type that.")
        hashed, sealed = _HASHER.hash(password), self._keyring.seal(secret, _place(invited.id))
        with writing(self._engine) as connection:
            mine = (staff.c.id == invited.id) & (staff.c.invitation == _hash(code.strip())) & staff.c.disabled_at.is_(None)
            values = {"password": hashed, "totp": sealed, "totp_step": step, "invitation": None, "invited_until": None}
            if not connection.execute(update(staff).where(mine).values(**values)).rowcount:
                raise StaffError("This code does not count any more. Ask for a new one.")
        return invited

    def prove(self, name: str, password: str, one_time: str | None) -> Staff | None:
        """Who this is, if name, password and one-time code are right; each code counts once, and failures lock the account for a while.

        A last code of a half minute that is still to come is of a clock that was wrong, and keeps nobody out.

        Args:
            name: the account's name.
            password: its password.
            one_time: the authenticator's code; None where the password alone is asked for, of somebody who is logged in. Such tries
                neither lock the account nor are kept out by its lock, so that a stranger who types wrong codes shuts out nobody at work.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(staff).where(staff.c.name == " ".join(name.split()))).one_or_none()
        right = _matches(row.password if row and row.password else _NOBODY, password)
        if row is None or row.password is None or row.disabled_at is not None:
            return None
        if one_time is None:
            return _staff(row) if right else None
        now, mine = self._clock(), staff.c.id == row.id
        unlocked = staff.c.locked_until.is_(None) | (staff.c.locked_until <= now)
        step = _step(self._keyring.open(row.totp, _place(row.id)), one_time, now)
        with writing(self._engine) as connection:
            if right and step is not None:
                unused = (staff.c.totp_step < step) | (staff.c.totp_step > _now_step(now) + 1)
                fresh = update(staff).where(mine, unlocked, staff.c.password == row.password, unused)
                if connection.execute(fresh.values(failures=0, locked_until=None, totp_step=step)).rowcount:
                    return _staff(row)
            connection.execute(update(staff).where(mine, unlocked).values(failures=staff.c.failures + 1))
            full = update(staff).where(mine, staff.c.failures >= _FAILURES)
            connection.execute(full.values(failures=0, locked_until=now + _LOCKED))
        return None

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
            admins = select(staff.c.id).where(staff.c.role == "admin", staff.c.disabled_at.is_(None), able).order_by(staff.c.id)
            others = set(connection.scalars(admins.with_for_update())) - {number}
            if was.role == "admin" and (disabled or (role is not None and role != "admin")) and not others:
                raise StaffError("This is the last admin. Make another one first.")
            values: dict[str, Any] = {} if role is None else {"role": role}
            if disabled is not None:
                values["disabled_at"] = self._clock() if disabled else None
            connection.execute(update(staff).where(staff.c.id == number).values(**values))
            _end_sessions(connection, number, self._clock())

    def prefer(self, number: int, *, single_keys: bool, sound: bool) -> None:
        """Remember how somebody wants to work."""
        self._update(number, single_keys=single_keys, sound=sound)

    def _update(self, number: int, **values: Any) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(staff).where(staff.c.id == number).values(**values))


def _end_sessions(connection: Any, number: int, now: Any) -> None:
    mine = (staff_session.c.staff_id == number) & staff_session.c.ended_at.is_(None)
    connection.execute(update(staff_session).where(mine).values(ended_at=now))


def _staff(row: Any) -> Staff:
    ready = row.subject is not None or (row.password is not None and row.totp is not None)
    return Staff(
        row.id, row.name, row.email, row.role, row.subject, row.disabled_at is not None, row.single_keys, row.sound, ready,
        row.invited_until, row.locked_until,
    )  # fmt: skip


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
