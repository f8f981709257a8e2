"""Who somebody is: a password, with the code of an authenticator or a recovery code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, select, update

from gateway.console.identity import one_time_codes, passwords, recovery_codes
from gateway.console.identity.accounts import Accounts, Staff, StaffError
from gateway.console.identity.recovery_codes import KeptCodes
from gateway.records.database import writing
from gateway.records.sealing import SealError
from gateway.records.tables import staff


class Proofs(Accounts):
    """Looks at what somebody gives to be let in. How often it may be tried, `Tries` says."""

    def prove(self, name: str, password: str, one_time: str | None) -> Staff | None:
        """Who this is, if name, password and one-time code are right; each code counts once.

        A last code of a half minute that is still to come is of a clock that was wrong, and keeps nobody out.

        Args:
            name: the account's name.
            password: its password.
            one_time: the authenticator's code; None where the password alone is asked for, of somebody who is logged in.
        """
        row = self._by_password(name, password)
        if row is None or one_time is None:
            return None if row is None else self._staff(row)
        now, mine = self._clock(), staff.c.id == row.id
        step = one_time_codes.step_of(self._keyring.open(row.totp, _totp(row.id)), one_time, now)
        if step is None:
            return None
        unused = (staff.c.totp_step < step) | (staff.c.totp_step > one_time_codes.step_at(now) + 1)
        with writing(self._engine) as connection:
            fresh = update(staff).where(mine, staff.c.password == row.password, staff.c.disabled_at.is_(None), unused)
            return self._staff(row) if connection.execute(fresh.values(totp_step=step)).rowcount else None

    def prove_by_recovery_code(self, name: str, password: str, code: str) -> tuple[Staff, int] | None:
        """Who this is, if name, password and recovery code are right, and how many codes are left; each counts once.

        Args:
            name: the account's name.
            password: its password.
            code: the recovery code, as it was typed.
        """
        row = self._by_password(name, password)
        used = (self._kept_codes(row._mapping) if row is not None else KeptCodes()).find(code)
        if row is None or used is None:
            return None
        mine = (staff.c.id == row.id) & (staff.c.password == row.password) & staff.c.disabled_at.is_(None)
        with writing(self._engine) as connection:
            now = connection.execute(select(staff).where(mine).with_for_update()).one_or_none()
            person, kept = (self._staff(now), self._kept_codes(now._mapping)) if now else (None, KeptCodes())
            if person is None or person.disabled or used not in kept.hashes:
                return None
            rest = kept.without(used)
            self._change(connection, mine, recovery=self._sealed_codes(row.id, rest))
        return person, len(rest.hashes)

    def recovery_codes_left(self, number: int) -> int:
        """How many recovery codes of an account were not used yet."""
        with self._engine.connect() as connection:
            row = connection.execute(select(staff).where(staff.c.id == number)).mappings().one_or_none()
        return len(self._kept_codes(row).hashes) if row is not None else 0

    def make_recovery_codes(self, number: int) -> tuple[str, ...]:
        """New recovery codes of a local account, to be shown once; those from before stop counting.

        Raises:
            StaffError: the account is the hospital's provider's, not set up, or closed.
        """
        codes = recovery_codes.new_codes()
        sealed = self._sealed_codes(number, recovery_codes.keep(codes))
        able = (staff.c.id == number) & staff.c.password.is_not(None) & staff.c.disabled_at.is_(None)
        with writing(self._engine) as connection:
            if not self._change(connection, able, recovery=sealed):
                raise StaffError("This account has no authenticator app here, so it has no recovery codes.")
        return codes

    def _by_password(self, name: str, password: str) -> Row[Any] | None:
        """The row of an open account, if name and password are right; an unknown name costs the same work as a known one."""
        with self._engine.connect() as connection:
            row = connection.execute(select(staff).where(staff.c.name == " ".join(name.split()))).one_or_none()
        right = passwords.matches(row.password if row and row.password else passwords.NOBODY, password)
        return row if row is not None and row.password is not None and right and not self._staff(row).disabled else None

    def _factors(self, number: int, secret: str, codes: Iterable[str]) -> dict[str, bytes]:
        """The columns of an authenticator's secret and of recovery codes."""
        return {"totp": self._keyring.seal(secret, _totp(number)), "recovery": self._sealed_codes(number, recovery_codes.keep(codes))}

    def _sealed_codes(self, number: int, kept: KeptCodes) -> bytes:
        return self._keyring.seal(kept.as_stored, _recovery(number))

    def _kept_codes(self, row: Mapping[Any, Any]) -> KeptCodes:
        """An account's recovery codes; none where they do not open as its own."""
        if row["recovery"] is None:
            return KeptCodes()
        try:
            return KeptCodes.parse(self._keyring.open(row["recovery"], _recovery(row["id"])))
        except SealError:
            return KeptCodes()


def _totp(number: int) -> str:
    return f"staff/{number}/totp"


def _recovery(number: int) -> str:
    return f"staff/{number}/recovery"
