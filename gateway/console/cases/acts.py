"""What nurses do with a case: each act is one transaction that changes the case, adds to its history, and is on record in the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from aftercare.protocol.clinic import Clinic
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.case_view import act_associated_data
from gateway.console.cases.floods import floods, of_group
from gateway.console.errors import ActError, NoCaseError
from gateway.console.identity.rights import may
from gateway.console.policy import Policy
from gateway.console.times import clock_time
from gateway.records.cases import ACKNOWLEDGED, CLOSED, OPEN, rank_of
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import case_act, case_rule, staff, triage_case
from gateway.records.tier import Rank, Tier

_BATCH = 20
LONGEST_SNOOZE = timedelta(hours=24)


class Acts:
    """The acts on the cases of one database.

    Args:
        records: the gateway's records.
        policy: the outcomes that can be chosen.
        audit_log: the audit.
        clinic: whose local time is shown.
    """

    def __init__(self, records: Records, policy: Policy, audit_log: AuditLog, clinic: Clinic) -> None:
        self._records = records
        self._policy = policy
        self._audit_log = audit_log
        self._clinic = clinic

    def acknowledge(self, number: int, by: int, seen: int) -> None:
        """Say that a nurse has seen a case. Of two who do so at once, one does.

        Args:
            number: the case.
            by: the account of who acts.
            seen: the sequence number of the last event that was shown to them.

        Raises:
            ActError: somebody was faster, the case is closed, it fired anew behind `seen`, or the account was closed meanwhile.
        """
        with _held(self._records, number, owner=by) as (connection, case):
            if case.state == ACKNOWLEDGED:
                name = connection.scalar(select(staff.c.name).where(staff.c.id == case.acknowledged_by))
                raise ActError(f"{name} acknowledged this case at {clock_time(self._clinic, case.acknowledged_at)}.")
            _must_be_open(case)
            self._must_have_seen(connection, case, seen)
            rule = connection.execute(
                select(case_rule.c.rule, case_rule.c.protocol)
                .where(case_rule.c.case_id == number)
                .order_by(case_rule.c.tier.desc(), case_rule.c.seq, case_rule.c.rank)
                .limit(1)
            ).one_or_none()
            at = self._records.clock()
            facts = {
                "rule": rule.rule if rule else None,
                "protocol": rule.protocol if rule else None,
                "tier": case.tier,
                "fired_at": case.fired_at.isoformat(),
                "seen": seen,
            }
            self._record(connection, case, AuditAct.ACKNOWLEDGE, by, at, facts, state=ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=by)

    def assign(self, number: int, by: int, to: int | None) -> None:
        """Say who looks after a case; None for nobody."""
        with _held(self._records, number, owner=to) as (connection, case):
            _must_be_open(case)
            self._record(connection, case, AuditAct.ASSIGN, by, self._records.clock(), {"to": to}, assignee=to)

    def note(self, number: int, by: int, text: str) -> None:
        """Write a note."""
        with _held(self._records, number) as (connection, case):
            at = self._records.clock()
            self._record(connection, case, AuditAct.NOTE, by, at, {}, sealed=self._sealed(case, AuditAct.NOTE, at, text))

    def amend(self, number: int, by: int, note: int, text: str) -> None:
        """Write a note of one's own anew; what stood there before stays in the record.

        Args:
            number: the case.
            by: the account of who acts.
            note: the act that wrote the note.
            text: how it shall read.
        """
        with _held(self._records, number) as (connection, case):
            c = case_act.c
            writer = connection.scalar(select(c.staff_id).where(c.id == note, c.case_id == number, c.kind == AuditAct.NOTE))
            if writer != by:
                raise ActError("Only who wrote a note can change it. Write a note of your own.")
            at = self._records.clock()
            self._record(connection, case, AuditAct.AMEND, by, at, {"amends": note}, sealed=self._sealed(case, AuditAct.AMEND, at, text))

    def snooze(self, number: int, by: int, seen: int, until: datetime, reason: str) -> None:
        """Take a case out of the queue for a while.

        Raises:
            ActError: it is an emergency that nobody has acknowledged, is closed, or fired anew behind `seen`.
        """
        with _held(self._records, number) as (connection, case):
            _must_be_open(case)
            self._must_have_seen(connection, case, seen)
            if _is_waiting_emergency(case):
                raise ActError("An emergency can not be snoozed before it is acknowledged. Acknowledge it first.")
            at = self._records.clock()
            if not at < until <= at + LONGEST_SNOOZE:
                raise ActError("A case can be snoozed for 24 hours at the most.", 422)
            sealed = self._sealed(case, AuditAct.SNOOZE, at, reason)
            self._record(connection, case, AuditAct.SNOOZE, by, at, {"until": until.isoformat()}, sealed=sealed, snoozed_until=until)

    def wake(self, number: int, by: int) -> None:
        """Put a snoozed case back into the queue."""
        with _held(self._records, number) as (connection, case):
            at = self._records.clock()
            if case.snoozed_until is None or case.snoozed_until <= at:
                raise ActError("This case is not snoozed.")
            self._record(connection, case, AuditAct.WAKE, by, at, {}, snoozed_until=None)

    def outcome(self, number: int, by: int, outcome: str) -> None:
        """Say what came of reaching out to the patient, and leave the case as it is."""
        with _held(self._records, number) as (connection, case):
            _must_be_open(case)
            self._must_be_outcome(outcome)
            self._record(connection, case, AuditAct.OUTCOME, by, self._records.clock(), {"outcome": outcome}, outcome=outcome)

    def close(self, number: int, by: int, seen: int, outcome: str) -> None:
        """Close a case with what came of reaching out to the patient.

        Raises:
            ActError: it is an emergency that nobody has acknowledged, is closed already, or the patient wrote behind `seen`.
        """
        with _held(self._records, number) as (connection, case):
            _must_be_open(case)
            self._must_be_outcome(outcome)
            if _is_waiting_emergency(case):
                raise ActError("An emergency can not be closed before it is acknowledged. Acknowledge it first.")
            if case.last_seq > seen:
                raise ActError("The patient wrote since this page was loaded. Read it, then close the case.")
            at = self._records.clock()
            facts = {"outcome": outcome, "seen": seen}
            self._record(connection, case, AuditAct.CLOSE, by, at, facts, state=CLOSED, closed_at=at, outcome=outcome, snoozed_until=None)

    def close_flood(self, group: str, by: int, seen: datetime, outcome: str, reason: str) -> int:
        """Close the emergencies from one address that nobody has acknowledged, all together.

        Args:
            group: what they have in common.
            by: the account of who acts.
            seen: when they were shown; one whose patient wrote since then stays open.
            outcome: what is stored of each.
            reason: why; it is stored with each.

        Returns:
            How many were closed.

        Raises:
            ActError: they are no flood (any more), or something was not said.
        """
        self._must_be_outcome(outcome)
        if not reason.strip():
            raise ActError("Nothing is written. Write why they can be closed, then send it.", 422)
        c = triage_case.c
        with self._records.engine.connect() as connection:
            if not any(flood.group == group for flood in floods(connection, self._policy.flood[0])):
                raise ActError("These are not so many any more. Acknowledge them one by one.")
            unseen = and_(of_group(group), c.rank == Rank.RED, c.last_at <= seen)
            numbers = list(connection.scalars(select(c.id).where(unseen).order_by(c.fired_at, c.id)))
        batches = [numbers[start : start + _BATCH] for start in range(0, len(numbers), _BATCH)]
        closed = sum(self._close_unseen(batch, group, by, seen, outcome, reason.strip()) for batch in batches)
        self._audit_log.record(AuditAct.CLOSE_FLOOD, staff=by, detail={"group": group, "outcome": outcome, "closed": closed})
        return closed

    def _close_unseen(self, numbers: Sequence[int], group: str, by: int, seen: datetime, outcome: str, reason: str) -> int:
        c = triage_case.c
        still = and_(c.id.in_(numbers), c.rank == Rank.RED, c.last_at <= seen)
        with writing(self._records.engine) as connection:
            cases = connection.execute(select(triage_case).where(still).order_by(c.id).with_for_update()).all()
            for case in cases:
                at = self._records.clock()
                sealed = self._records.seal(case.conversation_id, {"text": reason}, act_associated_data(AuditAct.CLOSE, at))
                facts = {"outcome": outcome, "seen": case.last_seq, "group": group}
                self._record(
                    connection,
                    case,
                    AuditAct.CLOSE,
                    by,
                    at,
                    facts,
                    sealed=sealed,
                    state=CLOSED,
                    closed_at=at,
                    outcome=outcome,
                    snoozed_until=None,
                )
        return len(cases)

    def reopen(self, number: int, by: int) -> None:
        """Open a closed case again; it waits for its acknowledgement anew."""
        with _held(self._records, number) as (connection, case):
            if case.state != CLOSED:
                raise ActError("This case is open already.")
            at = self._records.clock()
            cleared = dict.fromkeys(("acknowledged_at", "acknowledged_by", "closed_at", "outcome"))
            self._record(connection, case, AuditAct.REOPEN, by, at, {}, **cleared, state=OPEN, fired_at=at, escalated=0)

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
        state = values.get("state", case.state)
        rank = rank_of(case.tier, state, failed=case.failed, asking=case.asking, check=case.danger_check)
        values |= {"rank": rank, "version": case.version + 1, "changed_at": at}
        connection.execute(update(triage_case).where(triage_case.c.id == case.id).values(**values))
        row = {"case_id": case.id, "at": at, "staff_id": by, "kind": kind, "facts": dict(facts), "sealed": sealed}
        added = connection.execute(insert(case_act).values(**row)).inserted_primary_key
        self._audit_log.record(kind, staff=by, case=case.id, detail={**facts, "act": added[0] if added else None}, connection=connection)

    def _sealed(self, case: Row[Any], kind: str, at: datetime, text: str) -> bytes:
        if not text.strip():
            raise ActError("Nothing is written. Write it, then send it.", 422)
        return sealed_about(self._records, case.conversation_id, kind, at, {"text": text.strip()})

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
def _held(records: Records, number: int, *, owner: int | None = None) -> Iterator[tuple[Connection, Row[Any]]]:
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
                raise ActError("This person can not look after a case. Choose a nurse or a team lead.", 422)
        case = connection.execute(select(triage_case).where(triage_case.c.id == number).with_for_update()).one_or_none()
        if case is None:
            raise NoCaseError(number)
        yield connection, case


def _must_be_open(case: Row[Any]) -> None:
    if case.state == CLOSED:
        raise ActError("This case is closed. Open it again first.")


def _is_waiting_emergency(case: Row[Any]) -> bool:
    return bool(case.tier == Tier.EMERGENCY and case.state == OPEN)
