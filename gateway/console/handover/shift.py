"""What is handed over at the end of a shift: what is open, what changed, what was promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.waits import Summary, is_late, overdue, summary, waits
from gateway.console.policy import Policy
from gateway.records.signals import CLOSED, tier_of
from gateway.records.tables import case_act, case_rule, conversation_key, handover, staff, triage_case
from gateway.records.tier import Rank

_FIRST_SHIFT = timedelta(hours=12)
_NO_ANSWER = "no_answer"
_CALLED = timedelta(days=7)
_MOST = 200


@dataclass(frozen=True)
class Line:
    """A case in a handover.

    Attributes:
        since: when its clock began.
        rule: the most urgent rule that fired, the latest first; empty without any.
        assignee: who looks after it, or empty.
        purged: the conversation's words were deleted, so that nothing can be written about it any more.
    """

    case: int
    tier: int
    state: str
    since: datetime
    rule: str
    assignee: str
    purged: bool


@dataclass(frozen=True)
class Promise:
    """A call that is still to be made: nobody answered at `called`, or the case was put aside until `due`, or both."""

    case: int
    called: datetime | None
    due: datetime | None


@dataclass(frozen=True)
class Change:
    """What a moment changed: cases that were opened, closed or escalated since, and those that were or are over their limit."""

    new: tuple[int, ...]
    closed: tuple[int, ...]
    escalated: tuple[int, ...]
    late: tuple[int, ...]


@dataclass(frozen=True)
class Shift:
    """What is handed over.

    Attributes:
        since: when the last handover was.
        at: when this was looked at.
        red: emergencies that nobody acknowledged.
        red_seen: emergencies that are acknowledged and still open.
        call: other cases that a nurse is to look after.
        snoozed: cases that were put aside.
        cut: some list is longer than what is shown.
    """

    since: datetime
    at: datetime
    red: tuple[Line, ...]
    red_seen: tuple[Line, ...]
    call: tuple[Line, ...]
    snoozed: tuple[Promise, ...]
    promised: tuple[Promise, ...]
    change: Change
    summary: Summary
    cut: bool

    @property
    def to_comment(self) -> tuple[Line, ...]:
        """The cases without whose comment nobody signs: the open emergencies."""
        return tuple(line for line in (*self.red, *self.red_seen) if not line.purged)

    def as_figures(self) -> dict[str, Any]:
        """What is kept of it: ids, moments and counts, no words."""
        kept: dict[str, Any] = _plain(asdict(self))
        return {name: value for name, value in kept.items() if name not in ("since", "at")}


def read_shift(connection: Connection, policy: Policy, now: datetime) -> Shift:
    """What would be handed over at a moment.

    Args:
        connection: the records' database.
        policy: the limits.
        now: the moment.
    """
    c = triage_case.c
    since = connection.scalar(select(func.max(handover.c.at))) or now - _FIRST_SHIFT
    acknowledged, _ = waits(connection, since, now)
    late = [wait.case for wait in acknowledged if is_late(wait, policy.limits)]
    call = _lines(connection, c.rank.in_((Rank.CALL, Rank.CALL_SEEN)), _MOST + 1)
    snoozed = connection.execute(
        select(c.id, c.snoozed_until).where(c.rank < Rank.CLOSED, c.snoozed_until > now).order_by(c.snoozed_until).limit(_MOST + 1)
    ).all()
    change = Change(
        new=_numbers(connection, c.opened_at > since, c.opened_at),
        closed=_numbers(connection, and_(c.changed_at > since, c.state == CLOSED, c.closed_at > since), c.changed_at),
        escalated=_acted_on(connection, AuditAct.ESCALATED, since),
        late=tuple(dict.fromkeys([*overdue(connection, policy, now), *late])),
    )
    return Shift(
        since=since,
        at=now,
        red=_lines(connection, c.rank == Rank.RED),
        red_seen=_lines(connection, c.rank == Rank.RED_SEEN),
        call=call[:_MOST],
        snoozed=tuple(Promise(row.id, None, row.snoozed_until) for row in snoozed[:_MOST]),
        promised=_unanswered_calls(connection, now),
        change=change,
        summary=summary(acknowledged, policy.limits),
        cut=max(map(len, (call, snoozed, change.new, change.closed, change.escalated))) > _MOST,
    )


def staff_names(connection: Connection) -> dict[int, str]:
    """The names of all accounts by number."""
    return {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))}


def _lines(connection: Connection, which: ColumnElement[bool], most: int | None = None) -> tuple[Line, ...]:
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
    return tuple(
        Line(row.id, tier_of(dict(row._mapping)), row.state, row.fired_at, rules.get(row.id, ""), names.get(row.assignee, ""), row.purged)
        for row in rows
    )


def _numbers(connection: Connection, which: ColumnElement[bool], order: ColumnElement[Any]) -> tuple[int, ...]:
    return tuple(connection.scalars(select(triage_case.c.id).where(which).order_by(order.desc()).limit(_MOST + 1)))


def _acted_on(connection: Connection, kind: str, since: datetime) -> tuple[int, ...]:
    c = case_act.c
    rows = connection.scalars(select(c.case_id).where(c.kind == kind, c.at > since).order_by(c.at.desc()).limit(_MOST + 1))
    return tuple(dict.fromkeys(rows))


def _unanswered_calls(connection: Connection, now: datetime) -> tuple[Promise, ...]:
    """The open cases of whose patient the last thing known is that nobody answered, with the latest call of each."""
    c, a = triage_case.c, case_act.c
    calls = (
        select(a.case_id, func.max(a.at).label("at"), c.snoozed_until)
        .join(triage_case, c.id == a.case_id)
        .where(a.kind == AuditAct.OUTCOME, a.at > now - _CALLED, c.state != CLOSED, c.outcome == _NO_ANSWER)
        .group_by(a.case_id, c.snoozed_until)
        .order_by(func.max(a.at))
        .limit(_MOST)
    )
    return tuple(Promise(row.case_id, row.at, row.snoozed_until) for row in connection.execute(calls))


def _plain(data: Any) -> Any:
    """Data as JSON has it."""
    if isinstance(data, datetime):
        return data.isoformat()
    if isinstance(data, timedelta):
        return data.total_seconds()
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(each) for each in data] if isinstance(data, list | tuple) else data
