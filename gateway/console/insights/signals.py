"""What brought cases before the nurses, signal by signal, and how often they agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from gateway.console.audit.acts import AuditAct
from gateway.console.insights.counts import NOT_NEEDED, OVER
from gateway.console.policy import Policy
from gateway.records.signals import CLOSED, Signal
from gateway.records.tables import case_act, disagreement, triage_case
from gateway.records.tier import Rank

COLUMNS = ("signal", "queue", "reason", "cases", "acknowledged", "not_needed", "over_triaged")
_QUEUES: Mapping[int, str] = {
    Rank.RED: "With the emergencies",
    Rank.CALL: "Beside call doctor",
    Rank.UNFINISHED: "In a list of its own",
    Rank.REST: "Not in the queue",
}
_BYTE_ORDER = "\ufeff"


@dataclass(frozen=True)
class SignalCount:
    """A signal: how many cases it opened, and what nurses did with them.

    Attributes:
        name: in words.
        queue: where the policy puts its cases; `reason`: why.
        cases: how many have it as their most urgent signal.
        acknowledged: how many of them a nurse acknowledged.
        not_needed: how many were closed because no contact was needed.
        over_triaged: at how many a nurse disagreed because it was too urgent, reviewed or not.
    """

    name: str
    queue: str
    reason: str
    cases: int
    acknowledged: int
    not_needed: int
    over_triaged: int


def count_signals(connection: Connection, policy: Policy, start: datetime) -> tuple[SignalCount, ...]:
    """Every signal with the cases that opened since a moment, the most urgent signal first."""
    c, a, d = triage_case.c, case_act.c, disagreement.c
    acknowledged = select(a.id).where(a.case_id == c.id, a.kind == AuditAct.ACKNOWLEDGE).correlate(triage_case).exists()
    over = select(d.id).where(d.case_id == c.id, d.kind == OVER).correlate(triage_case).exists()
    query = (
        select(
            c.signal,
            func.count().label("cases"),
            func.count().filter(acknowledged).label("acknowledged"),
            func.count().filter(c.state == CLOSED, c.outcome == NOT_NEEDED).label("not_needed"),
            func.count().filter(over).label("over"),
        )
        .where(c.opened_at >= start, c.signal != "")
        .group_by(c.signal)
    )
    found = {row.signal: (row.cases, row.acknowledged, row.not_needed, row.over) for row in connection.execute(query)}
    return tuple(
        SignalCount(
            signal.replace("_", " ").capitalize(),
            _QUEUES[policy.signals[signal]],
            policy.signal_reasons[signal],
            *found.get(signal, (0, 0, 0, 0)),
        )
        for signal in Signal
    )
