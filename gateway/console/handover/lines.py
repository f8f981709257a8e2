"""The cases of a handover: what is known, promised and due of each, without words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from gateway.console.audit.acts import AuditAct
from gateway.records.signals import CLOSED, tier_of
from gateway.records.tables import case_act, case_rule, conversation_key, staff, triage_case
from gateway.records.tier import Rank

MOST = 200
_NO_ANSWER = "no_answer"
_CALLED = timedelta(days=7)
_MOMENTS = ("since", "callback_due", "called", "held_until", "next_attempt_at", "snoozed_until")


@dataclass(frozen=True)
class Line:
    """A case in a handover.

    Attributes:
        tier: how urgent it is, as `tier_of` has it.
        since: when its clock began.
        rule: the most urgent rule that fired, the latest first; empty without any.
        assignee: who looks after it, or empty.
        purged: the conversation's words were deleted, so that nothing can be written about it any more.
        callback_due: until when a call was promised to the patient.
        called: when nobody answered, where that is the last thing known.
        held_by: who holds the chat, until `held_until`; empty when no one does.
        next_attempt_at: when the patient is to be tried again.
        snoozed_until: until when it was put aside.
        lower_to: the tier that `lower_asked_by` asked for, and that waits for a second person.
    """

    case: int
    tier: int
    state: str
    since: datetime
    rule: str
    assignee: str
    purged: bool
    callback_due: datetime | None = None
    called: datetime | None = None
    held_by: str = ""
    held_until: datetime | None = None
    next_attempt_at: datetime | None = None
    snoozed_until: datetime | None = None
    lower_to: int | None = None
    lower_asked_by: str = ""

    @classmethod
    def parse(cls, kept: Mapping[str, Any]) -> Line:
        """A line as it is kept of a signed handover; an older one has less in it."""
        known = {each.name: kept[each.name] for each in fields(cls) if each.name in kept}
        return cls(**known | {name: datetime.fromisoformat(known[name]) for name in _MOMENTS if known.get(name)})


def read_lines(connection: Connection, which: ColumnElement[bool], now: datetime, most: int | None = None) -> tuple[Line, ...]:
    """The lines of some cases, the most urgent first, of these the oldest.

    Args:
        connection: the records' database.
        which: the cases.
        now: what is past by then is neither held nor snoozed.
        most: how many at the most.
    """
    c, r, names = triage_case.c, case_rule.c, staff_names(connection)
    query = (
        select(triage_case, conversation_key.c.wrapped.is_(None).label("purged"))
        .outerjoin(conversation_key, conversation_key.c.conversation_id == c.conversation_id)
        .where(which)
        .order_by(c.rank, c.fired_at)
        .limit(most)
    )
    rows = connection.execute(query).all()
    rules: dict[int, str] = {}
    fired = select(r.case_id, r.rule).where(r.case_id.in_([row.id for row in rows])).order_by(r.tier.desc(), r.seq.desc(), r.rank)
    for number, rule in connection.execute(fired):
        rules.setdefault(number, rule)
    called = unanswered_calls(connection, now)
    return tuple(_line(row, rules.get(row.id, ""), called.get(row.id), names, now) for row in rows)


def _line(row: Any, rule: str, called: datetime | None, names: Mapping[int, str], now: datetime) -> Line:
    held = row.held_until is not None and row.held_until > now
    return Line(
        case=row.id,
        tier=tier_of(dict(row._mapping)),
        state=row.state,
        since=row.fired_at,
        rule=rule,
        assignee=names.get(row.assignee, ""),
        purged=row.purged,
        callback_due=row.callback_due,
        called=called,
        held_by=names.get(row.held_by, "") if held else "",
        held_until=row.held_until if held else None,
        next_attempt_at=row.next_attempt_at,
        snoozed_until=row.snoozed_until if row.snoozed_until and row.snoozed_until > now else None,
        lower_to=row.lower_to,
        lower_asked_by=names.get(row.lower_asked_by, ""),
    )


def pending(connection: Connection, now: datetime) -> ColumnElement[bool]:
    """Open cases beside the urgent ones of which something is promised or due: put aside, held, or whose patient is to be tried again."""
    c, a = triage_case.c, case_act.c
    found = {*connection.scalars(select(c.id).where(c.snoozed_until > now)), *connection.scalars(select(c.id).where(c.held_until > now))}
    tried = (
        select(c.id)
        .join(case_act, c.id == a.case_id)
        .where(a.kind == AuditAct.ATTEMPT, a.at > now - _CALLED, c.next_attempt_at.is_not(None))
    )
    found |= {*connection.scalars(tried), *unanswered_calls(connection, now)}
    return and_(c.id.in_(found), c.rank.in_((Rank.REST, Rank.UNFINISHED)))


def unanswered_calls(connection: Connection, now: datetime) -> dict[int, datetime]:
    """The open cases of whose patient the last thing known is that nobody answered, with the latest call of each."""
    c, a = triage_case.c, case_act.c
    calls = (
        select(a.case_id, func.max(a.at).label("at"))
        .join(triage_case, c.id == a.case_id)
        .where(a.kind == AuditAct.OUTCOME, a.at > now - _CALLED, c.state != CLOSED, c.outcome == _NO_ANSWER)
        .group_by(a.case_id)
    )
    return {row.case_id: row.at for row in connection.execute(calls)}


def staff_names(connection: Connection) -> dict[int, str]:
    """The names of all accounts by number."""
    return {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))}
