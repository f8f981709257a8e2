"""When the clinic's phone is answered: hours by weekday, and the dates on which it is closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

_MONTH_DAYS = 31
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Span(NamedTuple):
    """Hours in minutes since local midnight: open from `begins` on, and no longer at `ends`."""

    begins: int
    ends: int

    @classmethod
    def parse(cls, written: str) -> Span:
        """Hours such as `08:00-17:00`, as protocols/schema.json has them; `24:00` is the end of the day."""
        begins, _, ends = written.partition("-")
        return cls(_minutes(begins), _minutes(ends))


@dataclass(frozen=True)
class Opening:
    """The opening hours of a clinic.

    Attributes:
        weekly: the hours of each weekday, Monday first; none for a day on which it is closed.
        holidays: dates on which it is closed all day.
    """

    weekly: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date]

    @classmethod
    def parse(cls, written: Mapping[str, Iterable[str]]) -> Opening:
        """The `opening` of a clinic's file, once it has been checked."""
        weekly = tuple(tuple(map(Span.parse, written.get(day, ()))) for day in WEEKDAYS)
        return cls(weekly, frozenset(map(date.fromisoformat, written.get("holidays", ()))))

    def is_open(self, local: datetime) -> bool:
        """Whether the clinic is open at a moment.

        Args:
            local: the moment in the clinic's zone.
        """
        minute = local.hour * 60 + local.minute
        return local.date() not in self.holidays and any(span.begins <= minute < span.ends for span in self.weekly[local.weekday()])

    def next_opening(self, local: datetime) -> datetime | None:
        """When the clinic opens next after a moment; None when it does not within a month.

        Args:
            local: the moment in the clinic's zone.

        Returns:
            The moment by the clinic's clock, in its zone.
        """
        for days in range(_MONTH_DAYS):
            day = local.date() + timedelta(days=days)
            for span in sorted(self.weekly[day.weekday()] if day not in self.holidays else ()):
                begins = datetime.combine(day, time(*divmod(span.begins, 60)), local.tzinfo)
                if begins > local:
                    return begins
        return None


def overlap(spans: Iterable[Span]) -> bool:
    """Whether any two of the spans of one day have a minute in common."""
    return any(earlier.ends > later.begins for earlier, later in pairwise(sorted(spans)))


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
