"""Those who work at the console: invitations, set-up, passwords, roles."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from gateway.console.identity import one_time_codes, passwords, recovery_codes
from gateway.console.identity.accounts import Staff, StaffError
from gateway.console.identity.proofs import Proofs
from gateway.console.identity.rights import ROLES
from gateway.records.database import writing
from gateway.records.tables import staff, staff_session

INVITED = timedelta(hours=24)
_CODE_BYTES = 20


class WrongPasswordError(StaffError):
    """The password so far is not right."""


class StaffBook(Proofs):
    """What becomes of the accounts: invitations, set-up, passwords, roles."""

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

    def adopt(
        self, subject: str, name: str, role: str, email: str | None, also: Callable[[Connection, int], object] | None = None
    ) -> Staff:
        """The account of somebody whose identity the hospital's provider confirms, made or brought up to date.

        Args:
            subject: the provider's name of the account.
            name: what it is called here.
            role: the role that the provider's groups give.
            email: where it is written to; None for nowhere.
            also: what is done with the account's number in the transaction that changes the role of one that is known.

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
                if also is not None and role != known.role:
                    also(connection, known.id)
        found = self.of_subject(subject)
        assert found is not None
        return found

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
        """A new invitation for a local account: its password, second factor and recovery codes stop working, its sessions end; it is open.

        Raises:
            StaffError: there is no such account, or it is the hospital's provider's.
        """
        code = _new_code()
        with writing(self._engine) as connection:
            changed = {
                "invitation": _hash(code),
                "invited_until": self._clock() + INVITED,
                "password": None,
                "totp": None,
                "recovery": None,
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

    def set_up(self, code: str, password: str, secret: str, one_time: str) -> tuple[Staff, tuple[str, ...]]:
        """Accept an invitation, and return the account's recovery codes too, which are shown once.

        Raises:
            StaffError: the invitation does not count, the password is weak, or the code of the app is wrong.
        """
        invited = self.invited(code)
        if invited is None:
            raise StaffError("This code does not count any more. Ask for a new one.")
        _check(password, invited)
        step = one_time_codes.step_of(secret, one_time, self._clock())
        if step is None:
            raise StaffError("The code of the app is not right. Wait for the next one and type that.")
        codes = recovery_codes.new_codes()
        values: dict[str, Any] = {"password": passwords.hash_of(password), **self._factors(invited.id, secret, codes)}
        values |= {"totp_step": step, "invitation": None, "invited_until": None}
        with writing(self._engine) as connection:
            mine = (staff.c.id == invited.id) & (staff.c.invitation == _hash(code.strip())) & staff.c.disabled_at.is_(None)
            if not self._change(connection, mine, **values):
                raise StaffError("This code does not count any more. Ask for a new one.")
        return invited, codes

    def change_password(self, number: int, old: str, new: str, keep: bytes) -> None:
        """Give oneself another password; all other logins of the account end.

        Args:
            number: the account.
            old: the password so far.
            new: the password from now on.
            keep: the hash of the login's token that stays.

        Raises:
            StaffError: the old one is wrong, the new one is weak or the same, or the account is the hospital's provider's.
        """
        person = self.get(number)
        if person is None or person.subject is not None:
            raise StaffError("The password of this account is the hospital's. Change it there.")
        row = self._by_password(person.name, old)
        if row is None:
            raise WrongPasswordError("Your password so far is not right. Nothing was changed.")
        if old == new:
            raise StaffError("This is the password that you have. Choose another one.")
        _check(new, person)
        hashed = passwords.hash_of(new)
        with writing(self._engine) as connection:
            if not self._change(connection, (staff.c.id == number) & (staff.c.password == row.password), password=hashed):
                raise StaffError("Your account was changed meanwhile. Nothing was changed. Log in again.")
            _end_sessions(connection, number, self._clock(), keep)

    def change(
        self, number: int, *, role: str | None = None, disabled: bool | None = None, also: Callable[[Connection], object] | None = None
    ) -> None:
        """Change somebody's role, or shut or open the account; their sessions end.

        Args:
            number: the account.
            role: the role from now on; None to leave it.
            disabled: whether it is shut from now on; None to leave it.
            also: what is done in the same transaction, so that neither is without the other.

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
            if also is not None:
                also(connection)

    def prefer(self, number: int, *, single_keys: bool, sound: bool) -> None:
        """Remember how somebody wants to work."""
        with writing(self._engine) as connection:
            connection.execute(update(staff).where(staff.c.id == number).values(single_keys=single_keys, sound=sound))


def _check(password: str, person: Staff) -> None:
    problem = passwords.problem_of(password, (person.name, person.email or ""))
    if problem:
        raise StaffError(problem)


def _end_sessions(connection: Connection, number: int, now: datetime, keep: bytes = b"") -> None:
    mine = (staff_session.c.staff_id == number) & staff_session.c.ended_at.is_(None) & (staff_session.c.token_hash != keep)
    connection.execute(update(staff_session).where(mine).values(ended_at=now))


def _new_code() -> str:
    return secrets.token_hex(_CODE_BYTES)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
