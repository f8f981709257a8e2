"""The lines of the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select

from gateway.console.cases.alarms import is_assumed_only
from gateway.console.cases.steps import RotaStep, read_steps
from gateway.console.policy import Policy
from gateway.records.cases import ASSUMED, PRESENT, REACHED
from gateway.records.signals import CLOSED, OPEN, tier_of
from gateway.records.store import Bound
from gateway.records.tables import case_finding, case_rule, conversation, event, staff, triage_case
from gateway.records.tier import TIER_OF, Tier


@dataclass(frozen=True)
class Row:
    """A line of the queue.

    Attributes:
        conversation: the id of its conversation.
        tier: how urgent it counts as; `rule_tier`: by the rules alone, where a nurse set it by hand.
        by_hand: a nurse raised or lowered it.
        lower_to: the tier that it shall be lowered to once a second person agrees.
        rank: where it stands in the queue, as in `Rank`.
        rules: the rules that fired, those of the latest answer first, the deciding one before the others.
        findings: codes of the findings that are present.
        assumed: codes of those that only count as present, because a question was not answered.
        only_assumed: it is as urgent as it is only because of these, and sounds no alarm.
        danger_check: where the danger check stands, as in `Standing`.
        asking: the patient has not answered a question.
        limit: how long it may wait for its acknowledgement; None when it needs none.
        callback_due: until when the call that the patient asked for may wait.
        unread: how many messages of the patient no nurse has opened; `words_at` is when the last message came.
        next_attempt_at: when the next try to reach the patient is due.
        holder: the name of the nurse who holds the chat.
        unhelped: in an emergency, the patient's last word that they reached nobody (`nobody`, `not_yet`); else empty.
        steps: the steps of the rota that were taken, in order, and what became of each.
        group: what it has in common with that day's other cases from its address; None where that is not known.
        bound: the protocol and the language that its conversation is bound to.
    """

    id: int
    conversation: str
    tier: int
    rule_tier: int
    by_hand: bool
    lower_to: int | None
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
    only_assumed: bool
    limit: timedelta | None
    callback_at: datetime | None
    callback_due: datetime | None
    unread: int
    words_at: datetime | None
    next_attempt_at: datetime | None
    holder: str | None
    held_until: datetime | None
    unhelped: str
    steps: tuple[RotaStep, ...]
    group: str | None
    bound: Bound

    @property
    def untold(self) -> bool:
        """Whether its last step of the rota reached nobody."""
        return bool(self.steps) and not self.steps[-1].reaches

    def breached(self, now: datetime) -> bool:
        """Whether it has waited for its acknowledgement, or for a call, for longer than it may."""
        waits = self.state == OPEN and self.limit is not None and now - self.fired_at > self.limit
        return waits or self.is_callback_late(now)

    def is_callback_late(self, now: datetime) -> bool:
        """Whether the patient waits for a call for longer than was promised."""
        return self.state != CLOSED and self.callback_due is not None and now > self.callback_due


_COPIED = (
    "id", "state", "fired_at", "opened_at", "last_at", "last_seq", "waiting_since", "failed", "silent", "asking", "danger_check",
    "acknowledged_at", "snoozed_until", "escalated", "version", "rank", "lower_to", "callback_at", "callback_due", "unread", "words_at",
    "next_attempt_at", "held_until",
)  # fmt: skip


def _only(codes: Iterable[str], others: Collection[str]) -> tuple[str, ...]:
    """The codes that are not among the others."""
    return tuple(code for code in codes if code not in others)


def _conversations(numbers: list[int]) -> Select[tuple[int, str | None, str, str]]:
    """Of these cases: which group they belong to, and what they are bound to."""
    c = conversation.c
    return select(triage_case.c.id, c.address_group, c.protocol, c.language).join(conversation).where(triage_case.c.id.in_(numbers))


def _unhelped(connection: Connection, found: Sequence[Any]) -> Mapping[str, str]:
    """Of the emergencies: conversation -> the patient's last word that they reached nobody."""
    e = event.c
    red = [row.conversation_id for row in found if tier_of(row._mapping) is Tier.EMERGENCY]
    query = select(e.conversation_id, e.facts).where(e.conversation_id.in_(red), e.kind == "followed").order_by(e.conversation_id, e.seq)
    last = {row.conversation_id: str(row.facts["answer"]) for row in connection.execute(query)} if red else {}
    return {name: answer for name, answer in last.items() if answer != REACHED}


def _rules(connection: Connection, numbers: list[int]) -> Mapping[int, list[str]]:
    r = case_rule.c
    rules: dict[int, list[str]] = {}
    fired = select(r.case_id, r.rule).where(r.case_id.in_(numbers)).order_by(r.tier.desc(), r.seq.desc(), r.rank)
    for number, rule in connection.execute(fired):
        rules.setdefault(number, []).append(rule)
    return rules


def _findings(connection: Connection, numbers: list[int]) -> Mapping[tuple[int, str], list[str]]:
    f = case_finding.c
    findings: dict[tuple[int, str], list[str]] = {}
    known = select(f.case_id, f.code, f.status).where(f.case_id.in_(numbers), f.status.in_((PRESENT, ASSUMED))).order_by(f.code)
    for number, code, status in connection.execute(known):
        findings.setdefault((number, status), []).append(code)
    return findings


def read_rows(connection: Connection, policy: Policy, found: Sequence[Any]) -> tuple[Row, ...]:
    """The lines of some cases.

    Args:
        connection: the records' database.
        policy: the limits.
        found: rows of `triage_case`.
    """
    numbers = [row.id for row in found]
    names = {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))} if found else {}
    rules, findings = _rules(connection, numbers), _findings(connection, numbers)
    assumed_only = set(connection.scalars(select(triage_case.c.id).where(triage_case.c.id.in_(numbers), is_assumed_only())))
    steps, unhelped = read_steps(connection, found), _unhelped(connection, found)
    whole = {row.id: row for row in connection.execute(_conversations(numbers))}
    return tuple(
        Row(
            **{name: getattr(row, name) for name in _COPIED},
            conversation=row.conversation_id,
            tier=tier_of(row._mapping),
            rule_tier=row.tier,
            by_hand=row.by_hand is not None,
            acknowledged_by=names.get(row.acknowledged_by),
            assignee=names.get(row.assignee),
            holder=names.get(row.held_by),
            rules=tuple(rules.get(row.id, ())),
            findings=tuple(findings.get((row.id, PRESENT), ())),
            assumed=_only(findings.get((row.id, ASSUMED), ()), findings.get((row.id, PRESENT), ())),
            only_assumed=row.id in assumed_only,
            limit=policy.limits.get(TIER_OF[row.rank]) if row.rank in TIER_OF else None,
            unhelped=unhelped.get(row.conversation_id, ""),
            steps=steps.get(row.id, ()),
            group=whole[row.id].address_group,
            bound=(whole[row.id].protocol, whole[row.id].language),
        )
        for row in found
    )
