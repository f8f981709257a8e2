"""What nurses do with a case; each act is one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.transactions import FREE, CaseActs, held_case, is_emergency, is_waiting_emergency, must_be_open
from gateway.console.errors import ActError
from gateway.console.times import clock_time
from gateway.contact.statuses import Status
from gateway.records.signals import ACKNOWLEDGED, CLOSED, OPEN, tier_of
from gateway.records.tables import case_act, case_rule, staff

LONGEST_SNOOZE = timedelta(hours=24)


class Acts(CaseActs):
    """Taking, following and closing a case; see `CaseActs`."""

    def acknowledge(self, number: int, by: int, seen: int) -> None:
        """Say that a nurse has seen a case and looks after it from now on. Of two who do so at once, one does.

        Args:
            number: the case.
            by: the account of who acts.
            seen: the sequence number of the last event that was shown to them.

        Raises:
            ActError: somebody was faster, the case is closed, it fired anew behind `seen`, or the account was closed meanwhile.
        """
        with held_case(self._records, number, owner=by) as (connection, case):
            if case.state == ACKNOWLEDGED:
                name = connection.scalar(select(staff.c.name).where(staff.c.id == case.acknowledged_by))
                raise ActError(f"{name} acknowledged this case at {clock_time(self._clinic, case.acknowledged_at)}.")
            must_be_open(case)
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
                "tier": tier_of(dict(case._mapping)),
                "fired_at": case.fired_at.isoformat(),
                "seen": seen,
                "assignee": case.assignee,
            }
            self._record(
                connection,
                case,
                AuditAct.ACKNOWLEDGE,
                by,
                at,
                facts,
                state=ACKNOWLEDGED,
                acknowledged_at=at,
                acknowledged_by=by,
                assignee=by,
            )
            if case.callback_at is not None:
                self._statuses.add(connection, case.conversation_id, Status.SEEN)

    def undo(self, number: int, by: int) -> None:
        """Take back one's own acknowledgement; the clock goes on as if it had not been, and a chat that one held is the assistant's again.

        Raises:
            ActError: it was somebody else's, or too long ago.
        """
        with held_case(self._records, number) as (connection, case):
            at, c = self._records.clock(), case_act.c
            mine = case.state == ACKNOWLEDGED and case.acknowledged_by == by
            if not mine or at - case.acknowledged_at > self._policy.acts.undo:
                raise ActError("This cannot be taken back any more. Assign the case to somebody, or write a note.")
            done = select(c.id, c.facts).where(c.case_id == number, c.kind == AuditAct.ACKNOWLEDGE).order_by(c.id.desc()).limit(1)
            taken = connection.execute(done).one()
            before = taken.facts.get("assignee") if case.assignee == by else case.assignee
            held = case.held_by == by
            values = {"state": OPEN, "acknowledged_at": None, "acknowledged_by": None, "assignee": before, **(FREE if held else {})}
            self._record(connection, case, AuditAct.UNDO, by, at, {"undoes": taken.id}, **values)
            if held:
                self._statuses.add(connection, case.conversation_id, Status.HANDED_BACK)

    def assign(self, number: int, by: int, to: int | None) -> None:
        """Say who looks after a case; None for nobody."""
        with held_case(self._records, number, owner=to) as (connection, case):
            must_be_open(case)
            self._record(connection, case, AuditAct.ASSIGN, by, self._records.clock(), {"to": to}, assignee=to)

    def note(self, number: int, by: int, text: str) -> None:
        """Write a note."""
        with held_case(self._records, number) as (connection, case):
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
        with held_case(self._records, number) as (connection, case):
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
        with held_case(self._records, number) as (connection, case):
            must_be_open(case)
            self._must_have_seen(connection, case, seen)
            if is_waiting_emergency(case):
                raise ActError("An emergency cannot be snoozed before it is acknowledged. Acknowledge it first.")
            at = self._records.clock()
            longest = self._policy.acts.snooze_emergency if is_emergency(case) else LONGEST_SNOOZE
            if not at < until <= at + longest:
                which = "An emergency" if is_emergency(case) else "A case"
                raise ActError(f"{which} can be snoozed for {_in_words(longest)} at the most.", 422)
            sealed = self._sealed(case, AuditAct.SNOOZE, at, reason)
            self._record(connection, case, AuditAct.SNOOZE, by, at, {"until": until.isoformat()}, sealed=sealed, snoozed_until=until)

    def wake(self, number: int, by: int) -> None:
        """Put a snoozed case back into the queue."""
        with held_case(self._records, number) as (connection, case):
            at = self._records.clock()
            if case.snoozed_until is None or case.snoozed_until <= at:
                raise ActError("This case is not snoozed.")
            self._record(connection, case, AuditAct.WAKE, by, at, {}, snoozed_until=None)

    def outcome(self, number: int, by: int, outcome: str) -> None:
        """Say what came of reaching out to the patient, and leave the case as it is."""
        with held_case(self._records, number) as (connection, case):
            must_be_open(case)
            self._must_be_outcome(outcome)
            self._record(connection, case, AuditAct.OUTCOME, by, self._records.clock(), {"outcome": outcome}, outcome=outcome)

    def close(self, number: int, by: int, seen: int, outcome: str, note: str = "") -> None:
        """Close a case with what came of reaching out to the patient.

        Args:
            number: the case.
            by: the account of who acts.
            seen: the sequence number of the last event that was shown to them.
            outcome: a key of the policy's outcomes.
            note: why; an emergency whose patient was not reached needs one.

        Raises:
            ActError: it is an emergency that nobody has acknowledged, or whose patient was not tried often enough; it is closed already; or
                the patient wrote behind `seen`.
        """
        with held_case(self._records, number) as (connection, case):
            must_be_open(case)
            self._must_be_outcome(outcome)
            if is_waiting_emergency(case):
                raise ActError("An emergency cannot be closed before it is acknowledged. Acknowledge it first.")
            if case.last_seq > seen:
                raise ActError("The patient wrote since this page was loaded. Read it, then close the case.")
            if is_emergency(case) and outcome in self._policy.acts.unreached:
                self._must_have_tried(connection, case, note)
            at = self._records.clock()
            facts = {
                "outcome": outcome,
                "seen": seen,
                "callback": case.callback_at.isoformat() if case.callback_at else None,
                "tier": tier_of(dict(case._mapping)),
                "fired_at": case.fired_at.isoformat(),
            }
            self._end(connection, case, by, at, facts, outcome, self._sealed_if_any(case, AuditAct.CLOSE, at, note))

    def _must_have_tried(self, connection: Connection, case: Row[Any], note: str) -> None:
        """Refuse to close an emergency whose patient nobody tried hard enough to reach."""
        c, least = case_act.c, self._policy.acts.attempts
        tried = select(func.count()).where(c.case_id == case.id, c.kind == AuditAct.ATTEMPT, c.at >= case.fired_at)
        if (connection.scalar(tried) or 0) < least:
            raise ActError(f"This is an emergency. Try to reach the patient {least} times and record each try before you close it so.")
        if not note.strip():
            raise ActError("This is an emergency whose patient was not reached. Write a note why it is closed.", 422)

    def reopen(self, number: int, by: int, reason: str = "") -> None:
        """Open a closed case again; it waits for its acknowledgement anew."""
        with held_case(self._records, number) as (connection, case):
            if case.state != CLOSED:
                raise ActError("This case is open already.")
            at = self._records.clock()
            sealed = self._sealed_if_any(case, AuditAct.REOPEN, at, reason)
            cleared = dict.fromkeys(("acknowledged_at", "acknowledged_by", "closed_at", "outcome"))
            self._record(connection, case, AuditAct.REOPEN, by, at, {}, sealed=sealed, **cleared, state=OPEN, fired_at=at, escalated=0)


def _in_words(time: timedelta) -> str:
    hours, minutes = divmod(time // timedelta(minutes=1), 60)
    return f"{hours} hours" if hours > 1 and not minutes else f"{time // timedelta(minutes=1)} minutes"
