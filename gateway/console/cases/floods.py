"""Floods: more emergencies from one address than patients can be. The first are taken as ever, those behind them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, tuple_

from gateway.records.tables import conversation, triage_case
from gateway.records.tier import Rank, Tier


@dataclass(frozen=True)
class Flood:
    """More emergencies from one address than are taken singly, none of them acknowledged.

    Attributes:
        group: what their conversations have in common.
        cases: how many there are.
        singly: how many of them, the first ones, are taken as ever.
        since: when the rule of the first one fired.
        behind: the key of the last one that is taken as ever.
    """

    group: str
    cases: int
    singly: int
    since: datetime
    behind: tuple[datetime, int]

    @property
    def folded(self) -> int:
        """How many are taken together."""
        return self.cases - self.singly

    def takes(self, group: str | None, fired_at: datetime, number: int) -> bool:
        """Whether an emergency that waits, by its group, the moment and its number, is one of those that are taken together."""
        return group == self.group and (fired_at, number) > self.behind


def floods(connection: Connection, most: int) -> list[Flood]:
    """The addresses of which more than `most` emergencies wait for their acknowledgement, the oldest flood first."""
    c, group = triage_case.c, conversation.c.address_group
    its = select(group, func.count().label("cases"), func.min(c.fired_at).label("since")).join_from(triage_case, conversation)
    found = connection.execute(its.where(c.rank == Rank.RED, group.is_not(None)).group_by(group).having(func.count() > most)).all()
    last = select(c.fired_at, c.id).join(conversation).where(c.rank == Rank.RED).order_by(c.fired_at, c.id).offset(most - 1).limit(1)
    made = []
    for row in found:
        at, number = connection.execute(last.where(group == row.address_group)).one()
        made.append(Flood(row.address_group, row.cases, most, row.since, (at, number)))
    return sorted(made, key=lambda flood: flood.since)


def folded(found: Sequence[Flood]) -> ColumnElement[bool]:
    """Whether a case is one of those that are taken together.

    Args:
        found: the floods, one at least.
    """
    c = triage_case.c
    return and_(
        c.rank == Rank.RED,
        or_(*(and_(of_group(flood.group), tuple_(c.fired_at, c.id) > tuple_(*flood.behind)) for flood in found)),
    )


def of_group(group: str) -> ColumnElement[bool]:
    """Whether a case is of this group."""
    return exists().where(conversation.c.id == triage_case.c.conversation_id, conversation.c.address_group == group)


def flooding(since: datetime, most: int) -> Select[tuple[str]]:
    """The groups with more than `most` emergencies in conversations since a moment, whatever became of them."""
    group = conversation.c.address_group
    return (
        select(group)
        .join_from(conversation, triage_case)
        .where(conversation.c.started_at > since, group.is_not(None), triage_case.c.tier == Tier.EMERGENCY)
        .group_by(group)
        .having(func.count() > most)
    )
