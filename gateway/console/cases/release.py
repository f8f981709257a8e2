"""The cases of an account that may act on them no longer: they belong to nobody, and those it had acknowledged wait for that again."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.records.signals import ACKNOWLEDGED, CLOSED, DEFAULT, OPEN, Signals, rank_of
from gateway.records.tables import SEEN, case_act, triage_case

ACCOUNT_CLOSED = "account_closed"
ROLE_CHANGED = "role_changed"


def release_cases(
    connection: Connection, audit_log: AuditLog, account: int, by: int, at: datetime, signals: Signals = DEFAULT, why: str = ACCOUNT_CLOSED
) -> None:
    """Put the open cases that an account looks after back into the queue.

    It looks after those that are assigned to it, and those that it acknowledged and that are assigned to nobody. One that was acknowledged
    is open again: its clock starts anew, because nobody acts on it. The contact's outcome stays, since a promised call is still promised.
    The chats that it holds are due to be handed back at once.

    Args:
        connection: the transaction that changes the account.
        audit_log: the audit.
        account: whose cases.
        by: the account of who changes it.
        at: the moment.
        signals: how far up in the queue each signal brings a case.
        why: `ACCOUNT_CLOSED` or `ROLE_CHANGED`.
    """
    c = triage_case.c
    connection.execute(update(triage_case).where(c.held_by == account, c.held_until > at).values(held_until=at))
    acknowledged = and_(SEEN, c.acknowledged_by == account, c.assignee.is_(None))
    theirs = or_(acknowledged, and_(c.assignee == account, c.state != CLOSED))
    cases = connection.execute(select(triage_case).where(theirs).order_by(c.id).with_for_update()).all()
    if not cases:
        return

    def standing(case: Row[Any]) -> tuple[bool, int]:
        """Whether a case is opened again, and its rank from then on."""
        return case.state == ACKNOWLEDGED, rank_of({**case._mapping, "state": OPEN}, signals)

    for (opened, rank), group in groupby(sorted(cases, key=standing), standing):
        values: dict[str, Any] = {"assignee": None, "version": c.version + 1, "changed_at": at}
        if opened:
            cleared = dict.fromkeys(("acknowledged_at", "acknowledged_by", "snoozed_until"))
            values |= {**cleared, "state": OPEN, "rank": rank, "fired_at": at, "escalated": 0}
        connection.execute(update(triage_case).where(c.id.in_([case.id for case in group])).values(**values))
    facts = [{"why": why, "account": account, "opened": case.state == ACKNOWLEDGED} for case in cases]
    rows = [
        {"case_id": case.id, "at": at, "staff_id": None, "kind": AuditAct.UNASSIGNED, "facts": fact}
        for case, fact in zip(cases, facts, strict=True)
    ]
    acts = connection.scalars(insert(case_act).returning(case_act.c.id, sort_by_parameter_order=True), rows).all()
    entries = [(case.id, {**fact, "act": act}) for case, fact, act in zip(cases, facts, acts, strict=True)]
    audit_log.record_all(AuditAct.UNASSIGNED, entries, connection, staff=by)
