"""The handover between shifts: what is open, what changed, what was promised; signed by who gives it and by who takes it over."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.handover.lines import staff_names
from gateway.console.handover.shift import Shift, read_shift
from gateway.console.policy import Policy
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import handover, triage_case

LONGEST_COMMENT, LONGEST_GENERAL = 1_000, 4_000
_HISTORY = 50


class HandoverError(ValueError):
    """A handover that cannot be signed as it is; the message says what is missing."""


class TakenError(ValueError):
    """A handover that cannot be taken over; the message is a key of templates/reasons.yml."""


@dataclass(frozen=True)
class Signed:
    """A handover on record.

    Attributes:
        shift: what was handed over.
        comments: case -> what the giver wrote; None where the conversation was purged since.
    """

    id: int
    at: datetime
    given_by: str
    giver: int
    taken_by: str
    taken_at: datetime | None
    shift: Shift
    comments: Mapping[int, str | None]
    general: str


@dataclass(frozen=True)
class Listed:
    """A line of the history."""

    id: int
    at: datetime
    given_by: str
    giver: int
    taken_by: str
    taken_at: datetime | None
    red: int


class Handovers:
    """The handovers of one database.

    Args:
        records: the gateway's records.
        policy: the limits.
        audit_log: the audit.
    """

    def __init__(self, records: Records, policy: Policy, audit_log: AuditLog) -> None:
        self._records = records
        self._policy = policy
        self._audit_log = audit_log

    def look(self) -> Shift:
        """What would be handed over now."""
        with self._records.engine.connect() as connection:
            return read_shift(connection, self._policy, self._records.clock())

    def give(self, by: int, comments: Mapping[int, str], general: str) -> int:
        """Sign a handover, and return its number.

        Args:
            by: the account of who gives it.
            comments: case -> what is to be known of it; every open emergency needs one.
            general: what else is to be known; may be empty.

        Raises:
            HandoverError: a comment is missing or too long.
        """
        written = {case: text.strip() for case, text in comments.items() if text.strip()}
        if any(len(text) > LONGEST_COMMENT for text in written.values()) or len(general) > LONGEST_GENERAL:
            raise HandoverError(f"A comment on a case has at most {LONGEST_COMMENT} characters, the general one {LONGEST_GENERAL}.")
        with writing(self._records.engine) as connection:
            shift = read_shift(connection, self._policy, self._records.clock())
            missing = [line.case for line in shift.to_comment if line.case not in written]
            if missing:
                raise HandoverError(f"Not signed. Write a comment on each open emergency: {_named(missing)}.")
            sealed_comments = self._sealed(connection, written, shift.at)
            words = {"comments": sealed_comments, "general": general.strip()}
            sealed = self._records.keyring.seal(words, _associated_data(shift.at))
            row = {"at": shift.at, "since": shift.since, "given_by": by, "figures": shift.as_figures(), "sealed": sealed}
            added = connection.execute(insert(handover).values(**row)).inserted_primary_key
            number = int(added[0]) if added else 0
            detail = {"handover": number, "red": [line.case for line in shift.to_comment], "comments": len(sealed_comments)}
            self._audit_log.record(AuditAct.HANDOVER_GIVEN, staff=by, detail=detail, connection=connection)
        return number

    def take(self, number: int, by: int) -> None:
        """Take a handover over.

        Raises:
            LookupError: there is none of this number.
            TakenError: by who gave it, or it was taken over before.
        """
        c = handover.c
        with writing(self._records.engine) as connection:
            giver = connection.scalar(select(c.given_by).where(c.id == number))
            if giver is None:
                raise LookupError(number)
            if giver == by:
                raise TakenError("handover_own")
            free = update(handover).where(c.id == number, c.taken_by.is_(None)).values(taken_by=by, taken_at=self._records.clock())
            if not connection.execute(free).rowcount:
                raise TakenError("handover_taken")
            self._audit_log.record(AuditAct.HANDOVER_TAKEN, staff=by, detail={"handover": number}, connection=connection)

    def read(self, number: int) -> Signed | None:
        """A handover on record; None when there is none of this number."""
        with self._records.engine.connect() as connection:
            row = connection.execute(select(handover).where(handover.c.id == number)).one_or_none()
            if row is None:
                return None
            words = self._records.keyring.open(row.sealed, _associated_data(row.at))
            names = staff_names(connection)
            conversations = _conversations(connection, map(int, words["comments"]))
        comments = {
            case: opened["text"]
            if (opened := self._records.open(name, b64decode(words["comments"][str(case)]), _associated_data(row.at)))
            else None
            for case, name in conversations.items()
        }
        return Signed(
            row.id, row.at, names[row.given_by], row.given_by, names.get(row.taken_by, ""), row.taken_at,
            Shift.parse(row.figures, row.since, row.at), comments, words["general"],
        )  # fmt: skip

    def newest(self) -> list[Listed]:
        """The latest handovers."""
        with self._records.engine.connect() as connection:
            names = staff_names(connection)
            rows = connection.execute(select(handover).order_by(handover.c.at.desc()).limit(_HISTORY)).all()
        return [_listed(row, names) for row in rows]

    def waiting(self, reader: int) -> Listed | None:
        """The latest handover, where nobody has taken it over and somebody else than its reader gave it."""
        c = handover.c
        with self._records.engine.connect() as connection:
            row = connection.execute(select(handover).order_by(c.at.desc(), c.id.desc()).limit(1)).one_or_none()
            waits = row is not None and row.taken_by is None and row.given_by != reader
            return _listed(row, staff_names(connection)) if waits else None

    def names(self) -> dict[int, str]:
        """The names of all accounts by number."""
        with self._records.engine.connect() as connection:
            return staff_names(connection)

    def _sealed(self, connection: Connection, comments: Mapping[int, str], at: datetime) -> dict[str, str]:
        """Comments on cases, each under the key of its conversation, so that a purge takes it along; none on a purged conversation."""
        sealed = {
            case: self._records.seal(name, {"text": comments[case]}, _associated_data(at))
            for case, name in _conversations(connection, comments).items()
        }
        return {str(case): b64encode(data).decode() for case, data in sealed.items() if data is not None}


def _listed(row: Any, names: Mapping[int, str]) -> Listed:
    red = len(row.figures["red"]) + len(row.figures["red_seen"])
    return Listed(row.id, row.at, names[row.given_by], row.given_by, names.get(row.taken_by, ""), row.taken_at, red)


def _associated_data(at: datetime) -> str:
    return f"handover/{at.isoformat()}"


def _named(cases: Iterable[int]) -> str:
    return ", ".join(f"case {case}" for case in cases)


def _conversations(connection: Connection, cases: Iterable[int]) -> dict[int, str]:
    c = triage_case.c
    return {row.id: row.conversation_id for row in connection.execute(select(c.id, c.conversation_id).where(c.id.in_(list(cases))))}
