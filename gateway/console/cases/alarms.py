"""Which cases sound an alarm when they arrive, and for whom they do not."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, and_, exists, or_

from gateway.console.audit.acts import AuditAct
from gateway.records.signals import OPEN
from gateway.records.statements import EFFECTIVE_TIER
from gateway.records.tables import case_act, case_rule, event, triage_case
from gateway.records.tier import Rank, Tier


@dataclass(frozen=True)
class Alarms:
    """The numbers of the cases that wait for a nurse, by kind; no more than the numbers.

    Attributes:
        red: all emergencies, of a flood the first ones only.
        emergency: those of them that sound for this person.
        call: cases for a doctor's call, and those at which the assistant failed, that do.
        callback: cases whose patient asks for a call, that do.
    """

    red: list[int]
    emergency: list[int]
    call: list[int]
    callback: list[int]

    def as_json(self) -> dict[str, list[int]]:
        """The numbers by kind."""
        return asdict(self)


def is_assumed_only() -> ColumnElement[bool]:
    """Whether a case is as urgent as it is only because a question was left: the patient neither said nor tapped it.

    Each rule of its tier then fired with an answer to no message, and the patient wrote nothing since.
    """
    c, r, e = triage_case.c, case_rule.c, event.c
    fired = and_(r.case_id == c.id, r.tier == c.tier, e.conversation_id == c.conversation_id, e.seq == r.seq)
    its = exists().where(fired).correlate(triage_case)
    left = and_(e.kind == "answer", e.reply_to.is_(None))
    return and_(
        c.by_hand.is_(None),
        c.failed.is_(False),
        c.words_at <= c.fired_at,
        its.where(left),
        ~its.where(~left),
    )


def sounds(person: int) -> ColumnElement[bool]:
    """Whether a case that waits sounds for somebody: not what rests on a question that was left, and not what is theirs already.

    A case that fired after it was assigned sounds for everybody, for its owner above all.
    """
    c, a = triage_case.c, case_act.c
    assigned = exists().where(a.case_id == c.id, a.kind == AuditAct.ASSIGN, a.at >= c.fired_at).correlate(triage_case)
    return and_(~is_assumed_only(), or_(c.assignee.is_(None), c.assignee != person, ~assigned))


def is_call() -> ColumnElement[bool]:
    """Whether a case waits for its acknowledgement below the emergencies, by its advice or because the assistant failed."""
    c = triage_case.c
    return and_(c.rank == Rank.CALL, or_(EFFECTIVE_TIER == Tier.CALL_DOCTOR, c.failed))


def is_callback() -> ColumnElement[bool]:
    """Whether a case waits for its acknowledgement and its patient asks for a call."""
    c = triage_case.c
    return and_(c.callback_at.is_not(None), c.state == OPEN)
