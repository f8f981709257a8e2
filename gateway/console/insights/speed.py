"""How fast nurses were: until cases were acknowledged, by tier and by shift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aftercare.protocol.clinic import Clinic
from gateway.console.cases.waits import Summary, Wait, Waiting, summary
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED

SHIFTS = {"day": "07 to 15", "evening": "15 to 23", "night": "23 to 07"}
URGENT = tuple(TIER_OF[rank] for rank in UNACKNOWLEDGED)
"""The tiers whose cases wait for a nurse, the most urgent first."""


@dataclass(frozen=True)
class Speed:
    """How fast some cases were acknowledged.

    Attributes:
        summary: those that were.
        waiting: how many wait now.
        overdue: how many of those wait for longer than they may.
        closed_unseen: how many were closed without an acknowledgement; None where it is not known.
    """

    summary: Summary
    waiting: int
    overdue: int
    closed_unseen: int | None = None

    @property
    def in_time(self) -> int:
        """How many were acknowledged within their limit."""
        return self.summary.acknowledged - self.summary.late

    @property
    def decided(self) -> int:
        """How many were acknowledged, or wait for longer than they may: of all others it is not known yet whether they are in time."""
        return self.summary.acknowledged + self.overdue


def speed_by_tier(
    found: Sequence[Wait], open_now: Sequence[Waiting], unseen: Mapping[int, int], limits: Mapping[int, timedelta], now: datetime
) -> dict[int, Speed]:
    """How fast the cases of each urgent tier were acknowledged.

    Args:
        found: the acknowledgements.
        open_now: the cases that wait.
        unseen: tier -> how many were closed without an acknowledgement.
        limits: tier -> how long a case may wait.
        now: the moment.
    """
    return {
        tier: _speed(
            (wait for wait in found if wait.tier == tier),
            [case for case in open_now if case.tier == tier],
            limits,
            now,
            unseen.get(tier, 0),
        )
        for tier in URGENT
    }


def speed_by_shift(
    found: Sequence[Wait], open_now: Sequence[Waiting], limits: Mapping[int, timedelta], now: datetime, clinic: Clinic
) -> dict[str, Speed]:
    """The same by the shift in which the rule fired, of all urgent tiers together."""

    def began(shift: str, each: Wait | Waiting) -> bool:
        return shift_of(clinic.local(each.fired_at)) == shift

    return {
        shift: _speed(
            (wait for wait in found if wait.tier in limits and began(shift, wait)),
            [case for case in open_now if began(shift, case)],
            limits,
            now,
        )
        for shift in SHIFTS
    }


def shift_of(local: datetime) -> str:
    """The shift of a moment in the clinic's time: `day` from 7, `evening` from 15, `night` from 23 o'clock."""
    return "day" if 7 <= local.hour < 15 else "evening" if 15 <= local.hour < 23 else "night"


def _speed(
    found: Iterable[Wait], still: Sequence[Waiting], limits: Mapping[int, timedelta], now: datetime, unseen: int | None = None
) -> Speed:
    overdue = sum(now - case.fired_at > limits[case.tier] for case in still)
    return Speed(summary(found, limits), len(still), overdue, unseen)
