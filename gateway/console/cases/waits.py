"""How long cases waited for their acknowledgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection, and_, func, or_, select

from gateway.console.audit.acts import AuditAct
from gateway.console.policy import Policy
from gateway.records.signals import CLOSED
from gateway.records.statements import EFFECTIVE_TIER
from gateway.records.tables import case_act, triage_case
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED

_MOST = 20_000


@dataclass(frozen=True)
class Wait:
    """One acknowledgement: of which case and tier, when the rule fired, and how long nobody acknowledged it."""

    case: int
    tier: int
    fired_at: datetime
    time: timedelta


@dataclass(frozen=True)
class Waiting:
    """A case that nobody acknowledged yet."""

    case: int
    tier: int
    fired_at: datetime


@dataclass(frozen=True)
class Summary:
    """Some waits at a glance.

    Attributes:
        acknowledged: how many cases were acknowledged; a case that fired anew counts anew.
        median: of the time to acknowledge; None without any.
        slowest_tenth: nine of ten were acknowledged in this time or less.
        late: how many were acknowledged later than the limit allows.
    """

    acknowledged: int
    median: timedelta | None
    slowest_tenth: timedelta | None
    late: int


def waits(connection: Connection, start: datetime, end: datetime) -> tuple[list[Wait], bool]:
    """The acknowledgements between two moments, the latest first, and whether older ones were left out."""
    c = case_act.c
    undone = select(c.facts).where(c.kind == AuditAct.UNDO, c.at > start)
    taken_back = {facts["undoes"] for facts in connection.scalars(undone)}
    query = (
        select(c.id, c.case_id, c.at, c.facts)
        .where(c.kind == AuditAct.ACKNOWLEDGE, c.at > start, c.at <= end)
        .order_by(c.at.desc())
        .limit(_MOST + 1)
    )
    found = []
    for row in connection.execute(query):
        if row.id in taken_back:
            continue
        fired_at = datetime.fromisoformat(row.facts["fired_at"])
        found.append(Wait(row.case_id, row.facts["tier"], fired_at, row.at - fired_at))
    return found[:_MOST], len(found) > _MOST


def waiting(connection: Connection, start: datetime) -> list[Waiting]:
    """The cases that fired since a moment and wait for their acknowledgement."""
    c = triage_case.c
    query = select(c.id, c.rank, c.fired_at).where(c.rank.in_(UNACKNOWLEDGED), c.fired_at > start).order_by(c.rank, c.fired_at).limit(_MOST)
    return [Waiting(row.id, TIER_OF[row.rank], row.fired_at) for row in connection.execute(query)]


def closed_unseen(connection: Connection, start: datetime, end: datetime) -> Mapping[int, int]:
    """By tier, how many cases were closed between two moments that nobody had acknowledged."""
    c, a = triage_case.c, case_act.c
    query = (
        select(EFFECTIVE_TIER.label("tier"), func.count(c.id.distinct()).label("cases"))
        .join(case_act, a.case_id == c.id)
        .where(
            a.kind == AuditAct.CLOSE,
            a.at > start,
            a.at <= end,
            c.state == CLOSED,
            c.acknowledged_at.is_(None),
            EFFECTIVE_TIER.in_(set(TIER_OF.values())),
        )
        .group_by(EFFECTIVE_TIER)
    )
    return {row.tier: row.cases for row in connection.execute(query)}


def overdue(connection: Connection, policy: Policy, now: datetime) -> list[int]:
    """The cases that wait for longer than their limit."""
    c = triage_case.c
    late = or_(*(and_(c.rank == rank, c.fired_at < now - policy.limits[TIER_OF[rank]]) for rank in UNACKNOWLEDGED))
    return list(connection.scalars(select(c.id).where(late).order_by(c.rank, c.fired_at).limit(_MOST)))


def summary(found: Iterable[Wait], limits: Mapping[int, timedelta]) -> Summary:
    """Waits at a glance."""
    mine = list(found)
    times = sorted(wait.time for wait in mine)
    late = sum(is_late(wait, limits) for wait in mine)
    return Summary(len(times), share(times, 0.5), share(times, 0.9), late)


def is_late(wait: Wait, limits: Mapping[int, timedelta]) -> bool:
    """Whether a case waited for longer than its tier allows."""
    return wait.tier in limits and wait.time > limits[wait.tier]


def share(times: list[timedelta], part: float) -> timedelta | None:
    """Of times in order, the one that so great a part of them does not exceed (nearest rank)."""
    return times[ceil(part * len(times)) - 1] if times else None
