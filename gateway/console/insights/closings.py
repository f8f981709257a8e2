"""How long cases took until they were closed, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.waits import share
from gateway.console.insights.speed import URGENT
from gateway.records.statements import EFFECTIVE_TIER
from gateway.records.tables import case_act, triage_case
from gateway.records.tier import TIER_OF

_MOST = 20_000


@dataclass(frozen=True)
class Closing:
    """How the cases of a tier were closed.

    Attributes:
        closed: how many times; a case that opened again and was closed again counts twice.
        median: from the moment the rule fired to the closing; None without any.
        slowest_tenth: nine of ten were closed in this time or less.
        still_open: how many of the tier fired in the period and are open now.
    """

    closed: int
    median: timedelta | None
    slowest_tenth: timedelta | None
    still_open: int


@dataclass(frozen=True)
class Closings:
    """The closings of a period.

    Attributes:
        tiers: tier -> how its cases were closed, of the urgent tiers.
        outcomes: outcome -> tier -> how many were closed so, the most frequent outcome first.
        cut: there are more; the newest were counted.
    """

    tiers: Mapping[int, Closing]
    outcomes: Mapping[str, Mapping[int, int]]
    cut: bool


def read_closings(connection: Connection, start: datetime) -> Closings:
    """The closings since a moment."""
    a = case_act.c
    query = (
        select(a.at, a.facts, EFFECTIVE_TIER.label("tier"))
        .join(triage_case, triage_case.c.id == a.case_id)
        .where(a.kind == AuditAct.CLOSE, a.at > start)
        .order_by(a.at.desc())
        .limit(_MOST + 1)
    )
    rows = connection.execute(query).all()
    outcomes: dict[str, Counter[int]] = {}
    times: dict[int, list[timedelta]] = {tier: [] for tier in URGENT}
    counted = Counter[int]()
    for row in rows[:_MOST]:
        tier = row.facts.get("tier", row.tier)
        counted[tier] += 1
        outcomes.setdefault(row.facts["outcome"], Counter())[tier] += 1
        if tier in times and "fired_at" in row.facts:
            times[tier].append(row.at - datetime.fromisoformat(row.facts["fired_at"]))
    still = _open(connection, start)
    by_number = sorted(outcomes, key=lambda name: (-outcomes[name].total(), name))
    return Closings(
        tiers={tier: _closing(counted[tier], times[tier], still[tier]) for tier in URGENT},
        outcomes={name: outcomes[name] for name in by_number},
        cut=len(rows) > _MOST,
    )


def _closing(closed: int, times: list[timedelta], still: int) -> Closing:
    ordered = sorted(times)
    return Closing(closed, share(ordered, 0.5), share(ordered, 0.9), still)


def _open(connection: Connection, start: datetime) -> Counter[Any]:
    """Tier -> how many cases that fired since a moment are open."""
    c, found = triage_case.c, Counter[Any]()
    query = select(c.rank, func.count().label("cases")).where(c.rank.in_(tuple(TIER_OF)), c.fired_at > start).group_by(c.rank)
    for row in connection.execute(query):
        found[TIER_OF[row.rank]] += row.cases
    return found
