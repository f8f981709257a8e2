"""What became of the notices about a case, by step of the rota: who was reached, and when nobody was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from gateway.records.tables import conversation, notice, triage_case

NO_CHANNEL = "none"


class Fate(StrEnum):
    """What became of a step's notices, the best of them."""

    DELIVERED = "delivered"
    SENDING = "sending"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    NOBODY = "nobody"


REACHING = (Fate.DELIVERED, Fate.SENDING, Fate.REFUSED)


@dataclass(frozen=True)
class RotaStep:
    """A step of the rota that was taken for a case.

    Attributes:
        level: which one, from 1.
        taken: when it was taken; None where no notice tells.
        at: when the first delivery arrived, or the last one was given up; None while it is being tried.
        channel: `email` or `webhook`; `none` where the rota names nobody.
        problem: why the last try failed; empty without any.
    """

    level: int
    fate: Fate
    taken: datetime | None = None
    at: datetime | None = None
    channel: str = NO_CHANNEL
    problem: str = ""

    @property
    def reaches(self) -> bool:
        """Whether somebody was notified, or is being notified."""
        return self.fate in REACHING


def read_steps(connection: Connection, found: Sequence[Any]) -> Mapping[int, tuple[RotaStep, ...]]:
    """The steps that were taken for some cases since they fired, in order, by the case's number.

    Args:
        connection: the records' database.
        found: rows of `triage_case`.
    """
    escalated = {row.id: row for row in found if row.escalated}
    if not escalated:
        return {}
    c, n = triage_case.c, notice.c
    own = and_(n.case_id == c.id, n.created_at >= c.fired_at)
    together = n.address_group == conversation.c.address_group
    query = select(c.id.label("number"), notice).join_from(triage_case, conversation).where(c.id.in_(escalated))
    levels: dict[tuple[int, int], list[Any]] = {}
    for which in (own, and_(together, or_(n.case_id != c.id, n.created_at < c.fired_at))):
        for row in connection.execute(query.join(notice, and_(which, n.level.between(1, c.escalated)))):
            levels.setdefault((row.number, row.level), []).append(row)
    return {
        number: tuple(step_of(level, levels.get((number, level), ()), row.fired_at) for level in range(1, row.escalated + 1))
        for number, row in escalated.items()
    }


def step_of(level: int, notices: Iterable[Any], fired_at: datetime) -> RotaStep:
    """What became of a step of a case that fired then, from its notices; where there are none, nobody was notified."""
    rows = list(notices)
    taken = max(fired_at, min(row.created_at for row in rows)) if rows else None
    sent = sorted((row for row in rows if row.sent_at is not None), key=lambda row: row.sent_at)
    if sent:
        return RotaStep(level, Fate.DELIVERED, taken, sent[0].sent_at, sent[0].channel)
    waiting = [row for row in rows if row.given_up_at is None]
    if waiting:
        tried = next((row for row in waiting if row.problem), None)
        fate = Fate.REFUSED if tried else Fate.SENDING
        return RotaStep(level, fate, taken, None, (tried or waiting[0]).channel, tried.problem if tried else "")
    failed = sorted((row for row in rows if row.channel != NO_CHANNEL), key=lambda row: row.given_up_at)
    if failed:
        return RotaStep(level, Fate.GIVEN_UP, taken, failed[-1].given_up_at, failed[-1].channel, failed[-1].problem or "")
    return RotaStep(level, Fate.NOBODY, taken)
