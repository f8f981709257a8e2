"""The clinic's figures of the last days: how many came, how fast nurses were, what alarmed for nothing, where the leaflet is silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from aftercare.protocol.clinic import Clinic
from gateway.console.cases.checks import Checks, checks
from gateway.console.cases.reviews import Agreement, agreement
from gateway.console.cases.waits import Summary, Wait, Waiting, closed_unseen, summary, waiting, waits
from gateway.console.insights.answers import Answers, read_answers
from gateway.console.insights.counts import Alarm, Day, count_alarms, count_findings, count_volume
from gateway.console.insights.signals import SignalCount, count_signals
from gateway.console.policy import Policy
from gateway.records.store import Records
from gateway.records.tables import handover
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED

SPANS = (7, 30, 90)
SHIFTS = {"day": "07 to 15", "evening": "15 to 23", "night": "23 to 07"}


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


@dataclass(frozen=True)
class Figures:
    """The figures of the last days, today included."""

    days: int
    start: datetime
    volume: tuple[Day, ...]
    tiers: Mapping[int, int]
    speed: Mapping[int, Speed]
    shifts: Mapping[str, Speed]
    waits_cut: bool
    alarms: tuple[Alarm, ...]
    signals: tuple[SignalCount, ...]
    findings: tuple[tuple[str, int], ...]
    checks: Checks
    answers: Answers
    agreement: Agreement
    handovers: int
    handovers_taken: int

    @property
    def cases(self) -> int:
        """How many conversations began."""
        return sum(self.tiers.values())


class Book:
    """Reads the figures of one database.

    Args:
        records: the gateway's records.
        policy: the limits.
        clinic: whose days and shifts are counted.
    """

    def __init__(self, records: Records, policy: Policy, clinic: Clinic) -> None:
        self._records = records
        self._policy = policy
        self._clinic = clinic

    def read(self, days: int, *, words: bool) -> Figures:
        """The figures.

        Args:
            days: of so many last days, today included.
            words: with the patients' words as examples of what was not answered.
        """
        now = self._records.clock()
        today = self._clinic.day(now)
        dates = [today - timedelta(days=ago) for ago in reversed(range(days))]
        begins = [self._clinic.moment(day) for day in dates]
        start = begins[0]
        with self._records.engine.connect() as connection:
            volume = count_volume(connection, dates, begins)
            found, cut = waits(connection, start, now)
            open_now = waiting(connection, start)
            unseen = closed_unseen(connection, start, now)
            alarms, findings = count_alarms(connection, start), count_findings(connection, start)
            checked = checks(connection, start)
            signals = count_signals(connection, self._policy, start)
            h = handover.c
            given, taken = connection.execute(select(func.count(), func.count(h.taken_by)).where(h.at > start)).one()
        return Figures(
            days=days,
            start=start,
            volume=volume,
            tiers=sum((Counter(day.tiers) for day in volume), Counter()),
            speed={
                tier: self._speed(
                    (wait for wait in found if wait.tier == tier),
                    (case for case in open_now if case.tier == tier),
                    now,
                    unseen.get(tier, 0),
                )
                for tier in (TIER_OF[rank] for rank in UNACKNOWLEDGED)
            },
            shifts={shift: self._shift_speed(shift, found, open_now, now) for shift in SHIFTS},
            waits_cut=cut,
            alarms=alarms,
            signals=signals,
            findings=findings,
            checks=checked,
            answers=read_answers(self._records, start, words=words),
            agreement=agreement(self._records.engine),
            handovers=given,
            handovers_taken=taken,
        )

    def signals(self, days: int) -> tuple[SignalCount, ...]:
        """What brought cases before the nurses in so many last days, today included."""
        start = self._clinic.moment(self._clinic.day(self._records.clock()) - timedelta(days=days - 1))
        with self._records.engine.connect() as connection:
            return count_signals(connection, self._policy, start)

    def _shift_speed(self, shift: str, found: Iterable[Wait], open_now: Iterable[Waiting], now: datetime) -> Speed:
        return self._speed(
            (wait for wait in found if wait.tier in self._policy.limits and self._shift_of(wait.fired_at) == shift),
            (case for case in open_now if self._shift_of(case.fired_at) == shift),
            now,
        )

    def _shift_of(self, at: datetime) -> str:
        return shift_of(self._clinic.local(at))

    def _speed(self, found: Iterable[Wait], open_now: Iterable[Waiting], now: datetime, unseen: int | None = None) -> Speed:
        limits, still = self._policy.limits, list(open_now)
        overdue = sum(now - case.fired_at > limits[case.tier] for case in still)
        return Speed(summary(found, limits), len(still), overdue, unseen)


def shift_of(local: datetime) -> str:
    """The shift of a moment in the clinic's time: `day` from 7, `evening` from 15, `night` from 23 o'clock."""
    return "day" if 7 <= local.hour < 15 else "evening" if 15 <= local.hour < 23 else "night"
