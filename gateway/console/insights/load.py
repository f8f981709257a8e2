"""When work comes, by hour of the clinic's day, and who does how much of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from aftercare.protocol.clinic import Clinic
from gateway.console.audit.acts import AuditAct
from gateway.records.statements import EFFECTIVE_TIER
from gateway.records.tables import case_act, staff, triage_case
from gateway.records.tier import Tier

_HOURS = 24
SINGLED_OUT = (AuditAct.ACKNOWLEDGE, AuditAct.ATTEMPT, AuditAct.REPLY, AuditAct.NOTE, AuditAct.CLOSE)
"""The acts that have a column of their own."""
_ACTS = (
    *SINGLED_OUT, AuditAct.ASSIGN, AuditAct.AMEND, AuditAct.SNOOZE, AuditAct.WAKE, AuditAct.OUTCOME, AuditAct.REOPEN, AuditAct.RAISE,
    AuditAct.LOWER, AuditAct.LOWER_ASKED, AuditAct.LOWER_REFUSED, AuditAct.PAGE, AuditAct.HOLD, AuditAct.HAND_BACK, AuditAct.JOIN,
    AuditAct.SEPARATE,
)  # fmt: skip


@dataclass(frozen=True)
class Hour:
    """What fell into an hour of the clinic's day, over all days.

    Attributes:
        hour: from 0; the hour that begins then.
        conversations: how many began.
        urgent: how many of those count as emergency or call doctor.
        acts: how many acts of nurses.
    """

    hour: int
    conversations: int
    urgent: int
    acts: int


@dataclass(frozen=True)
class Nurse:
    """How much somebody did.

    Attributes:
        name: of the account.
        acts: kind -> how many.
    """

    name: str
    acts: Mapping[str, int]

    @property
    def all(self) -> int:
        """How many acts in all."""
        return sum(self.acts.values())


@dataclass(frozen=True)
class Load:
    """The work of a period.

    Attributes:
        hours: the 24 hours of the day.
        team: kind -> how many acts of all together.
        people: how many accounts acted.
        nurses: each of them, those with the most acts first; empty where names are not to be read.
    """

    hours: tuple[Hour, ...]
    team: Mapping[str, int]
    people: int
    nurses: tuple[Nurse, ...]


def read_load(connection: Connection, clinic: Clinic, start: datetime, *, names: bool) -> Load:
    """The work since a moment.

    An acknowledgement that was taken back is no act, and neither are cases that were closed together.

    Args:
        connection: the records' database.
        clinic: whose hours are counted.
        start: the moment.
        names: with who did how much.
    """
    begun, urgent = Counter[int](), Counter[int]()
    c = triage_case.c
    for row in connection.execute(select(c.opened_at, EFFECTIVE_TIER.label("tier")).where(c.opened_at >= start)):
        hour = clinic.local(row.opened_at).hour
        begun[hour] += 1
        urgent[hour] += row.tier >= Tier.CALL_DOCTOR
    acts = _acts(connection, start)
    busy = Counter(clinic.local(row.at).hour for row in acts)
    by_person: dict[int, Counter[str]] = {}
    for row in acts:
        by_person.setdefault(row.staff_id, Counter())[row.kind] += 1
    called = {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))} if names else {}
    nurses = [Nurse(called[person], counts) for person, counts in by_person.items() if names]
    return Load(
        hours=tuple(Hour(hour, begun[hour], urgent[hour], busy[hour]) for hour in range(_HOURS)),
        team=Counter(row.kind for row in acts),
        people=len(by_person),
        nurses=tuple(sorted(nurses, key=lambda each: (-each.all, each.name))),
    )


def _acts(connection: Connection, start: datetime) -> list[Any]:
    """The acts of nurses since a moment that count as work."""
    a = case_act.c
    undone = select(a.facts).where(a.kind == AuditAct.UNDO, a.at >= start)
    taken_back = {facts["undoes"] for facts in connection.scalars(undone)}
    query = select(a.id, a.at, a.kind, a.staff_id, a.facts).where(a.kind.in_(_ACTS), a.at >= start, a.staff_id.is_not(None))
    return [row for row in connection.execute(query) if row.id not in taken_back and "group" not in row.facts]
