"""The lines of the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from gateway.console.policy import Policy
from gateway.records.cases import ASSUMED, PRESENT
from gateway.records.signals import OPEN
from gateway.records.store import Bound
from gateway.records.tables import case_finding, case_rule, conversation, notice, staff, triage_case
from gateway.records.tier import TIER_OF


@dataclass(frozen=True)
class Row:
    """A line of the queue.

    Attributes:
        rank: where it stands in the queue, as in `Rank`.
        rules: the rules that fired, those of the latest answer first, the deciding one before the others.
        findings: codes of the findings that are present.
        assumed: codes of those that only count as present, because a question was not answered.
        danger_check: where the danger check stands, as in `Standing`.
        asking: the patient has not answered a question.
        limit: how long it may wait for its acknowledgement; None when it needs none.
        untold: its last step of the rota reached nobody.
        group: what it has in common with that day's other cases from its address; None where that is not known.
        bound: the protocol and the language that its conversation is bound to.
    """

    id: int
    tier: int
    rank: int
    state: str
    fired_at: datetime
    opened_at: datetime
    last_at: datetime
    last_seq: int
    waiting_since: datetime | None
    failed: bool
    silent: bool
    asking: bool
    danger_check: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assignee: str | None
    snoozed_until: datetime | None
    escalated: int
    version: int
    rules: tuple[str, ...]
    findings: tuple[str, ...]
    assumed: tuple[str, ...]
    limit: timedelta | None
    untold: bool
    group: str | None
    bound: Bound

    def breached(self, now: datetime) -> bool:
        """Whether it has waited for its acknowledgement for longer than it may."""
        return self.state == OPEN and self.limit is not None and now - self.fired_at > self.limit


_COPIED = (
    "id", "tier", "state", "fired_at", "opened_at", "last_at", "last_seq", "waiting_since", "failed", "silent", "asking",
    "danger_check",
    "acknowledged_at", "snoozed_until", "escalated", "version",
)  # fmt: skip


def _only(codes: Iterable[str], others: Collection[str]) -> tuple[str, ...]:
    """The codes that are not among the others."""
    return tuple(code for code in codes if code not in others)


def _notified(numbers: list[int]) -> Select[tuple[int]]:
    """Those of these cases whose last step of the rota was notified, or is being notified."""
    c, n = triage_case.c, notice.c
    return (
        select(c.id)
        .join(notice, and_(n.case_id == c.id, n.level == c.escalated, n.created_at >= c.fired_at))
        .where(c.id.in_(numbers), n.given_up_at.is_(None))
    )


def _notified_together(numbers: list[int]) -> Select[tuple[int]]:
    """Those of these cases of whose address the rota was notified in one, or is being notified."""
    c, n = triage_case.c, notice.c
    return (
        select(c.id)
        .join(conversation)
        .join(notice, and_(n.address_group == conversation.c.address_group, n.level == c.escalated))
        .where(c.id.in_(numbers), n.given_up_at.is_(None))
    )


def _conversations(numbers: list[int]) -> Select[tuple[int, str | None, str, str]]:
    """Of these cases: which group they belong to, and what they are bound to."""
    c = conversation.c
    return select(triage_case.c.id, c.address_group, c.protocol, c.language).join(conversation).where(triage_case.c.id.in_(numbers))


def read_rows(connection: Connection, policy: Policy, found: Sequence[Any]) -> tuple[Row, ...]:
    """The lines of some cases.

    Args:
        connection: the records' database.
        policy: the limits.
        found: rows of `triage_case`.
    """
    numbers = [row.id for row in found]
    names = {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))} if found else {}
    rules: dict[int, list[str]] = {}
    findings: dict[tuple[int, str], list[str]] = {}
    r, f = case_rule.c, case_finding.c
    for number, rule in connection.execute(
        select(r.case_id, r.rule).where(r.case_id.in_(numbers)).order_by(r.tier.desc(), r.seq.desc(), r.rank)
    ):
        rules.setdefault(number, []).append(rule)
    known = select(f.case_id, f.code, f.status).where(f.case_id.in_(numbers), f.status.in_((PRESENT, ASSUMED))).order_by(f.code)
    for number, code, status in connection.execute(known):
        findings.setdefault((number, status), []).append(code)
    notified = {*connection.scalars(_notified(numbers)), *connection.scalars(_notified_together(numbers))}
    whole = {row.id: row for row in connection.execute(_conversations(numbers))}
    return tuple(
        Row(
            **{name: getattr(row, name) for name in _COPIED},
            rank=row.rank,
            acknowledged_by=names.get(row.acknowledged_by),
            assignee=names.get(row.assignee),
            rules=tuple(rules.get(row.id, ())),
            findings=tuple(findings.get((row.id, PRESENT), ())),
            assumed=_only(findings.get((row.id, ASSUMED), ()), findings.get((row.id, PRESENT), ())),
            limit=policy.limits.get(TIER_OF[row.rank]) if row.rank in TIER_OF else None,
            untold=row.escalated > 0 and row.id not in notified,
            group=whole[row.id].address_group,
            bound=(whole[row.id].protocol, whole[row.id].language),
        )
        for row in found
    )
