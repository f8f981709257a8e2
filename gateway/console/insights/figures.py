"""The clinic's figures of the last days: how many came, how fast nurses were, what alarmed for nothing, where the leaflet is silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from aftercare.protocol.clinic import Clinic
from gateway.console.cases.checks import Checks, checks
from gateway.console.cases.contact_acts import Attempt
from gateway.console.cases.reviews import Agreement, agreement
from gateway.console.cases.waits import closed_unseen, waiting, waits
from gateway.console.insights.answers import Answers, read_answers
from gateway.console.insights.closings import Closings, read_closings
from gateway.console.insights.contact import FollowUp, Kept, read_attempts, read_callbacks, read_follow_ups
from gateway.console.insights.counts import Alarm, Day, count_alarms, count_findings, count_volume
from gateway.console.insights.load import Load, read_load
from gateway.console.insights.signals import SignalCount, count_signals
from gateway.console.insights.speed import Speed, speed_by_shift, speed_by_tier
from gateway.console.policy import Policy
from gateway.records.store import Records
from gateway.records.tables import handover

SPANS = (7, 30, 90)


@dataclass(frozen=True)
class Figures:
    """The figures of the last days, today included.

    Attributes:
        tiers: tier -> how many conversations began, as a nurse set it by hand, else by the most urgent advice.
        speed: tier -> how fast its cases were acknowledged; `shifts`: the same by the shift in which the rule fired.
    """

    days: int
    start: datetime
    volume: tuple[Day, ...]
    tiers: Mapping[int, int]
    signals: tuple[SignalCount, ...]
    speed: Mapping[int, Speed]
    shifts: Mapping[str, Speed]
    waits_cut: bool
    closings: Closings
    load: Load
    callbacks: Kept
    attempts: Mapping[Attempt, int]
    follow_ups: tuple[FollowUp, ...]
    alarms: tuple[Alarm, ...]
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
        clinic: whose days, hours and shifts are counted.
    """

    def __init__(self, records: Records, policy: Policy, clinic: Clinic) -> None:
        self._records = records
        self._policy = policy
        self._clinic = clinic

    def read(self, days: int, *, words: bool, names: bool = False) -> Figures:
        """The figures.

        Args:
            days: of so many last days, today included.
            words: with the patients' words as examples of what was not answered.
            names: with who of the team did how much.
        """
        now, limits = self._records.clock(), self._policy.limits
        today = self._clinic.day(now)
        dates = [today - timedelta(days=ago) for ago in reversed(range(days))]
        begins = [self._clinic.moment(day) for day in dates]
        start = begins[0]
        answers, agreed = read_answers(self._records, start, words=words), agreement(self._records.engine)
        with self._records.engine.connect() as connection:
            volume = count_volume(connection, dates, begins)
            found, cut = waits(connection, start, now)
            open_now = waiting(connection, start)
            h = handover.c
            given, taken = connection.execute(select(func.count(), func.count(h.taken_by)).where(h.at > start)).one()
            return Figures(
                days=days,
                start=start,
                volume=volume,
                tiers=sum((Counter(day.tiers) for day in volume), Counter()),
                signals=count_signals(connection, self._policy, start),
                speed=speed_by_tier(found, open_now, closed_unseen(connection, start, now), limits, now),
                shifts=speed_by_shift(found, open_now, limits, now, self._clinic),
                waits_cut=cut,
                closings=read_closings(connection, start),
                load=read_load(connection, self._clinic, start, names=names),
                callbacks=read_callbacks(connection, start, now, self._policy.acts.unreached),
                attempts=read_attempts(connection, start),
                follow_ups=read_follow_ups(connection, start),
                alarms=count_alarms(connection, start),
                findings=count_findings(connection, start),
                checks=checks(connection, start),
                answers=answers,
                agreement=agreed,
                handovers=given,
                handovers_taken=taken,
            )
