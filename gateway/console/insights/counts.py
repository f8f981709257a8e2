"""How many conversations came on each day, which rules fired and which of them for nothing, and which findings were present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, case, func, literal, or_, select

from gateway.console.cases.reviews import ACCEPTED
from gateway.records.statements import EFFECTIVE_TIER
from gateway.records.tables import case_finding, case_rule, disagreement, triage_case

NOT_NEEDED, OVER = "not_needed", "over_triaged"


@dataclass(frozen=True)
class Day:
    """How many conversations began on a day of the clinic's calendar, by tier."""

    day: date
    tiers: Mapping[int, int]

    @property
    def all(self) -> int:
        """How many in all."""
        return sum(self.tiers.values())


@dataclass(frozen=True)
class Alarm:
    """A rule: in how many cases it fired, and in how many of them for nothing.

    Attributes:
        over_triaged: a second reviewer accepted a nurse's word that it was too urgent.
        not_needed: no contact with the patient was needed.
        false: either of both.
    """

    rule: str
    fired: int
    over_triaged: int
    not_needed: int
    false: int


def count_volume(connection: Connection, dates: Sequence[date], begins: Sequence[datetime]) -> tuple[Day, ...]:
    """How many conversations began on each of some days; `begins` are the moments at which these days begin."""
    c = triage_case.c
    counts: dict[int, dict[int, int]] = {}
    day = _bucket(c.opened_at, begins).label("day")
    tier = EFFECTIVE_TIER.label("tier")
    query = select(day, tier, func.count().label("cases")).where(c.opened_at >= begins[0]).group_by(day, tier)
    for row in connection.execute(query):
        counts.setdefault(row.day, {})[row.tier] = row.cases
    return tuple(Day(each, counts.get(number, {})) for number, each in enumerate(dates))


def _bucket(moment: ColumnElement[datetime], begins: Sequence[datetime], first: int = 0) -> ColumnElement[int]:
    """The position of the last of some moments in order that is not behind another one; it is found by halving.

    SQLite knows no time zones, so that the database gets the moments at which days begin.

    Args:
        moment: what is looked for.
        begins: the moments.
        first: the position of the first of them.
    """
    if len(begins) == 1:
        return literal(first)
    half = len(begins) // 2
    return case((moment < begins[half], _bucket(moment, begins[:half], first)), else_=_bucket(moment, begins[half:], first + half))


def count_alarms(connection: Connection, start: datetime) -> tuple[Alarm, ...]:
    """The rules that fired in the conversations that began since a moment, those with the most false alarms first."""
    c, r, d = triage_case.c, case_rule.c, disagreement.c
    over = (
        select(d.id)
        .where(d.case_id == c.id, d.kind == OVER, d.verdict == ACCEPTED, d.seq >= r.seq, or_(d.seq == r.seq, c.tier == r.tier))
        .correlate(triage_case, case_rule)
        .exists()
    )
    not_needed = c.outcome == NOT_NEEDED
    query = (
        select(
            r.rule,
            func.count().label("fired"),
            func.count().filter(over).label("over"),
            func.count().filter(not_needed).label("idle"),
            func.count().filter(or_(over, not_needed)).label("false"),
        )
        .join(case_rule, r.case_id == c.id)
        .where(c.opened_at >= start)
        .group_by(r.rule)
    )
    found = [Alarm(row.rule, row.fired, row.over, row.idle, row.false) for row in connection.execute(query)]
    return tuple(sorted(found, key=lambda each: (-each.false, -each.fired, each.rule)))


def count_findings(connection: Connection, start: datetime) -> tuple[tuple[str, int], ...]:
    """In how many conversations that began since a moment each finding was present, code by code, the most frequent first."""
    c, f, cases = triage_case.c, case_finding.c, func.count().label("cases")
    query = (
        select(f.code, cases)
        .join(triage_case, c.id == f.case_id)
        .where(c.opened_at >= start, f.status == "present")
        .group_by(f.code)
        .order_by(cases.desc(), f.code)
    )
    return tuple((row.code, row.cases) for row in connection.execute(query))
