"""What every act on a case has in common: one transaction that changes it, adds to its history, and is on record in the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from aftercare.protocol import Library
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.case_view import act_associated_data
from gateway.console.errors import ActError, NoCaseError
from gateway.console.identity.rights import may
from gateway.console.policy import Policy
from gateway.contact.statuses import Status, Statuses
from gateway.records.database import writing
from gateway.records.signals import ACKNOWLEDGED, CLOSED, OPEN, rank_of, signal_of, strongest, tier_of
from gateway.records.store import Records
from gateway.records.tables import case_act, case_rule, staff, triage_case
from gateway.records.tier import Tier

NOT_CALLED = dict.fromkeys(("callback_at", "callback_due", "next_attempt_at"))
"""The columns of a case whose patient need not be called any more."""
FREE = dict.fromkeys(("held_by", "held_until"))
"""The columns of a case whose chat no nurse holds."""
NO_LOWERING = dict.fromkeys(("lower_to", "lower_asked_by"))
"""The columns of a case that nobody asks to lower."""
ENDED = {**NOT_CALLED, **FREE, **NO_LOWERING, "snoozed_until": None}
"""The columns of a case of which nothing is left to do."""


class CaseActs:
    """Acts on the cases of one database.

    Args:
        records: the gateway's records.
        policy: what nurses may do and choose from.
        audit_log: the audit.
        library: the wording of what patients read of an act; the default protocol's clinic gives the local time.
    """

    def __init__(self, records: Records, policy: Policy, audit_log: AuditLog, library: Library) -> None:
        self._records = records
        self._policy = policy
        self._audit_log = audit_log
        self._library = library
        self._clinic = library.default.clinic
        self._statuses = Statuses(records, library)

    def _record(
        self,
        connection: Connection,
        case: Row[Any],
        kind: AuditAct,
        by: int,
        at: datetime,
        facts: Mapping[str, Any],
        *,
        sealed: bytes | None = None,
        **values: Any,
    ) -> None:
        """Change a case, and put the act into its history and into the audit."""
        now = {**case._mapping, **values}
        values |= {"rank": rank_of(now, self._records.signals), "signal": strongest(case.signal, signal_of(now))}
        values |= {"version": case.version + 1, "changed_at": at}
        connection.execute(update(triage_case).where(triage_case.c.id == case.id).values(**values))
        row = {"case_id": case.id, "at": at, "staff_id": by, "kind": kind, "facts": dict(facts), "sealed": sealed}
        added = connection.execute(insert(case_act).values(**row)).inserted_primary_key
        self._audit_log.record(kind, staff=by, case=case.id, detail={**facts, "act": added[0] if added else None}, connection=connection)

    def _end(
        self, connection: Connection, case: Row[Any], by: int, at: datetime, facts: Mapping[str, Any], outcome: str, sealed: bytes | None
    ) -> None:
        """Close a case; the assistant answers again where a nurse held the chat."""
        self._record(connection, case, AuditAct.CLOSE, by, at, facts, sealed=sealed, state=CLOSED, closed_at=at, outcome=outcome, **ENDED)
        if case.held_until is not None:
            self._statuses.add(connection, case.conversation_id, Status.HANDED_BACK)

    def _sealed(self, case: Row[Any], kind: str, at: datetime, text: str) -> bytes:
        """What a nurse has to write with an act.

        Raises:
            ActError: nothing is written, or the conversation was purged.
        """
        if not text.strip():
            raise ActError("Nothing is written. Write it, then send it.", 422)
        return sealed_about(self._records, case.conversation_id, kind, at, {"text": text.strip()})

    def _sealed_if_any(self, case: Row[Any], kind: str, at: datetime, text: str) -> bytes | None:
        """What a nurse may write with an act."""
        return self._sealed(case, kind, at, text) if text.strip() else None

    def _must_have_seen(self, connection: Connection, case: Row[Any], seen: int) -> None:
        latest = connection.scalar(select(func.max(case_rule.c.seq)).where(case_rule.c.case_id == case.id)) or 0
        if max(latest, case.fired_seq) > seen:
            raise ActError("This case fired anew since you saw it. Read what is new, then try again.")

    def _must_be_outcome(self, outcome: str) -> None:
        if outcome not in self._policy.outcomes:
            raise ActError("Choose what came of it.", 422)


def sealed_about(records: Records, conversation: str, kind: str, at: datetime, words: Mapping[str, str]) -> bytes:
    """What somebody wrote about a conversation, sealed under its key.

    Raises:
        ActError: the conversation was purged, so that nothing can be written about it any more.
    """
    sealed = records.seal(conversation, words, act_associated_data(kind, at))
    if sealed is None:
        raise ActError("The words of this conversation were deleted, so no words can be added to it.")
    return sealed


@contextmanager
def held_case(records: Records, number: int, *, owner: int | None = None) -> Iterator[tuple[Connection, Row[Any]]]:
    """A transaction in which nobody else changes a case, and the case.

    Args:
        records: the gateway's records.
        number: the case.
        owner: the account that the case is to belong to, if any: it is not closed before the end, and gives the case back when it is.

    Raises:
        NoCaseError: there is none of this number.
        ActError: the owner's account is closed, or may not act.
    """
    with writing(records.engine) as connection:
        if owner is not None:
            account = select(staff.c.role, staff.c.disabled_at).where(staff.c.id == owner).with_for_update(read=True, key_share=True)
            person = connection.execute(account).one_or_none()
            if person is None or person.disabled_at is not None or not may(person.role, "act"):
                raise ActError("This person cannot look after a case. Choose a nurse or a team lead.", 422)
        case = connection.execute(select(triage_case).where(triage_case.c.id == number).with_for_update()).one_or_none()
        if case is None:
            raise NoCaseError(number)
        yield connection, case


def must_be_open(case: Row[Any]) -> None:
    """Refuse an act on a closed case."""
    if case.state == CLOSED:
        raise ActError("This case is closed. Open it again first.")


def must_be_acknowledged(case: Row[Any]) -> None:
    """Refuse an act on a case that nobody has taken."""
    must_be_open(case)
    if case.state != ACKNOWLEDGED:
        raise ActError("Nobody has acknowledged this case. Acknowledge it first, so that the others see that you are on it.")


def is_waiting_emergency(case: Row[Any]) -> bool:
    """Whether a case is an emergency that nobody has acknowledged."""
    return case.state == OPEN and is_emergency(case)


def is_emergency(case: Row[Any]) -> bool:
    """Whether a case counts as an emergency, by the rules or by hand."""
    return tier_of(dict(case._mapping)) is Tier.EMERGENCY
