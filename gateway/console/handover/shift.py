"""What is handed over at the end of a shift: what is open, what changed, what was promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.waits import Summary, is_late, overdue, summary, waits
from gateway.console.handover.lines import MOST, Line, pending, read_lines
from gateway.console.policy import Policy
from gateway.records.signals import CLOSED
from gateway.records.tables import case_act, handover, triage_case
from gateway.records.tier import Rank

_FIRST_SHIFT = timedelta(hours=12)


@dataclass(frozen=True)
class Change:
    """What a shift changed.

    Attributes:
        new: the cases that were opened.
        closed: how many were closed; `outcomes`: the same by what came of them.
        escalated: those of which the rota was told.
        late: those that were or are over their limit.
    """

    new: tuple[int, ...]
    closed: int
    outcomes: Mapping[str, int]
    escalated: tuple[int, ...]
    late: tuple[int, ...]

    @classmethod
    def parse(cls, kept: Mapping[str, Any]) -> Change:
        """A change as it is kept of a signed handover; an older one names the closed cases instead of counting them."""
        closed = kept["closed"]
        lists = {name: tuple(kept[name]) for name in ("new", "escalated", "late")}
        return cls(closed=closed if isinstance(closed, int) else len(closed), outcomes=kept.get("outcomes", {}), **lists)


@dataclass(frozen=True)
class Shift:
    """What is handed over.

    Attributes:
        since: when the last handover was.
        at: when this was looked at.
        red: emergencies that nobody acknowledged.
        red_seen: emergencies that are acknowledged and still open.
        call: other cases that a nurse is to look after.
        rest: other open cases of which something is promised or due.
        cut: some list is longer than what is shown.
    """

    since: datetime
    at: datetime
    red: tuple[Line, ...]
    red_seen: tuple[Line, ...]
    call: tuple[Line, ...]
    rest: tuple[Line, ...]
    change: Change
    summary: Summary
    cut: bool

    @property
    def lines(self) -> tuple[Line, ...]:
        """All cases, the most urgent first."""
        return (*self.red, *self.red_seen, *self.call, *self.rest)

    @property
    def to_comment(self) -> tuple[Line, ...]:
        """The cases without whose comment nobody signs: the open emergencies."""
        return tuple(line for line in (*self.red, *self.red_seen) if not line.purged)

    def as_figures(self) -> dict[str, Any]:
        """What is kept of it: ids, moments and counts, no words."""
        kept: dict[str, Any] = _plain(asdict(self))
        return {name: value for name, value in kept.items() if name not in ("since", "at")}

    @classmethod
    def parse(cls, kept: Mapping[str, Any], since: datetime, at: datetime) -> Shift:
        """What `as_figures` kept."""
        found, times = kept["summary"], ("median", "slowest_tenth")
        seconds = {name: timedelta(seconds=found[name]) for name in times if found[name] is not None}
        lines = {name: tuple(map(Line.parse, kept.get(name, ()))) for name in ("red", "red_seen", "call", "rest")}
        return cls(since=since, at=at, **lines, change=Change.parse(kept["change"]), summary=Summary(**found | seconds), cut=kept["cut"])


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
    call = read_lines(connection, c.rank.in_((Rank.CALL, Rank.CALL_SEEN)), now, MOST + 1)
    rest = read_lines(connection, pending(connection, now), now, MOST + 1)
    outcomes = _closed(connection, since)
    change = Change(
        new=_numbers(connection, c.opened_at > since, c.opened_at),
        closed=sum(outcomes.values()),
        outcomes=outcomes,
        escalated=_acted_on(connection, AuditAct.ESCALATED, since),
        late=tuple(dict.fromkeys([*overdue(connection, policy, now), *late])),
    )
    return Shift(
        since=since,
        at=now,
        red=read_lines(connection, c.rank == Rank.RED, now),
        red_seen=read_lines(connection, c.rank == Rank.RED_SEEN, now),
        call=call[:MOST],
        rest=rest[:MOST],
        change=change,
        summary=summary(acknowledged, policy.limits),
        cut=max(map(len, (call, rest, change.new, change.escalated))) > MOST,
    )


def _numbers(connection: Connection, which: ColumnElement[bool], order: ColumnElement[Any]) -> tuple[int, ...]:
    return tuple(connection.scalars(select(triage_case.c.id).where(which).order_by(order.desc()).limit(MOST + 1)))


def _closed(connection: Connection, since: datetime) -> dict[str, int]:
    """What came of the cases that were closed since a moment and are closed -> how many."""
    c = triage_case.c
    query = (
        select(c.outcome, func.count().label("cases"))
        .where(c.changed_at > since, c.state == CLOSED, c.closed_at > since)
        .group_by(c.outcome)
        .order_by(func.count().desc(), c.outcome)
    )
    return {row.outcome: row.cases for row in connection.execute(query)}


def _acted_on(connection: Connection, kind: str, since: datetime) -> tuple[int, ...]:
    c = case_act.c
    rows = connection.scalars(select(c.case_id).where(c.kind == kind, c.at > since).order_by(c.at.desc()).limit(MOST + 1))
    return tuple(dict.fromkeys(rows))


def _plain(data: Any) -> Any:
    """Data as JSON has it."""
    if isinstance(data, datetime):
        return data.isoformat()
    if isinstance(data, timedelta):
        return data.total_seconds()
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(each) for each in data] if isinstance(data, list | tuple) else data
