"""Seals on what lets people in: accounts and logins, under the master keys, which no database holds.

Who can write to the database can neither make an account, give one another role or password, nor a login: the seal would not hold, and
what it is on counts as closed. Each seal also holds where the audit ended when it was made, so that an audit that was cut off is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog, Head, stored_head
from gateway.console.once import Once
from gateway.records.sealing import Keyring, SealError
from gateway.records.store import Clock
from gateway.records.tables import staff, staff_session

_log = structlog.get_logger(__name__)
_TOLD = timedelta(hours=1)
_ACCOUNT = ("id", "name", "email", "role", "subject", "password", "totp", "invitation", "invited_until", "disabled_at", "recovery")
_LATER = ("recovery",)
"""Columns of later releases: a seal holds them where there is something in them, so that seals from before go on holding."""
_LOGIN = ("token_hash", "staff_id", "started_at", "proved_at")
Tell = Callable[[str, int], None]


class Seals:
    """Makes seals and looks at them.

    Args:
        keyring: the master keys; the first seals, every one opens.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def of_account(self, row: Mapping[Any, Any], connection: Connection) -> bytes:
        """The seal of an account's row."""
        return self._make(_ACCOUNT, row, connection)

    def of_login(self, row: Mapping[Any, Any], connection: Connection) -> bytes:
        """The seal of a login's row."""
        return self._make(_LOGIN, row, connection)

    def account(self, row: Mapping[Any, Any]) -> Head | None:
        """Where the audit ended when this account was sealed; None when the seal does not hold."""
        return self._open(_ACCOUNT, row)

    def login(self, row: Mapping[Any, Any]) -> Head | None:
        """Where the audit ended when this login was sealed; None when the seal does not hold."""
        return self._open(_LOGIN, row)

    def anchors(self, engine: Engine) -> Iterator[Head]:
        """Where the audit ended at each account and login that holds: the audit must still have these entries."""
        with engine.connect() as connection:
            found = [self.account(row) for row in connection.execute(select(staff)).mappings()]
            found += [self.login(row) for row in connection.execute(select(staff_session)).mappings()]
        yield from (head for head in found if head is not None)

    def _make(self, columns: tuple[str, ...], row: Mapping[Any, Any], connection: Connection) -> bytes:
        return self._keyring.seal({"row": _written(columns, row), "audit": str(stored_head(connection))}, _associated_data(columns))

    def _open(self, columns: tuple[str, ...], row: Mapping[Any, Any]) -> Head | None:
        try:
            sealed = self._keyring.open(row["seal"] or b"", _associated_data(columns))
        except (SealError, ValueError):
            return None
        return Head.parse(sealed["audit"]) if sealed["row"] == _written(columns, row) else None


class Tampering:
    """Tells, once an hour, of an account or a login that somebody changed in the database without the key.

    Args:
        audit_log: the audit.
        clock: tells the time.
    """

    def __init__(self, audit_log: AuditLog, clock: Clock) -> None:
        self._audit_log = audit_log
        self._once = Once(_TOLD, clock)

    def tell(self, what: str, account: int) -> None:
        """Put it into the log and the audit.

        Args:
            what: "account" or "login".
            account: the account's number.
        """
        if not self._once.is_new((what, account)):
            return
        _log.error("changed in the database without the key, counts as closed", what=what, account=account)
        try:
            self._audit_log.record(AuditAct.TAMPERED, detail={"what": what, "account": account})
        except SQLAlchemyError as error:
            _log.error("could not be put into the audit", error=type(error).__name__)


def _associated_data(columns: tuple[str, ...]) -> str:
    return "seal of an account" if columns is _ACCOUNT else "seal of a login"


def _written(columns: tuple[str, ...], row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: _plain(row[name]) for name in columns if name not in _LATER or row[name] is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
