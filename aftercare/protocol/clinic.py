"""The clinic as a typed value: what patients read of it, and its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from zoneinfo import ZoneInfo

from aftercare.protocol.opening import Opening


@dataclass(frozen=True)
class Clinic:
    """The clinic: what patients read of it, and its time.

    Attributes:
        mode: `demo` or `clinic`.
        details: name, numbers and hours, as wording placeholders.
        zone: where it is.
        opening: when its phone is answered.
    """

    mode: str
    details: Mapping[str, str]
    zone: ZoneInfo
    opening: Opening

    def local(self, at: datetime) -> datetime:
        """A moment, which has a time zone, in the clinic's.

        The difference of two such moments leaves out what a change to or from daylight-saving time adds: count in UTC.
        """
        return at.astimezone(self.zone)

    def day(self, at: datetime) -> date:
        """The clinic's date at a moment, which has a time zone."""
        return self.local(at).date()

    def moment(self, day: date, clock: time = time.min) -> datetime:
        """When the clinic's clock shows this on a day, in UTC; the beginning of the day without `clock`.

        A time that daylight-saving time leaves out takes the offset before it; of one that comes twice, it is the first.
        """
        return datetime.combine(day, clock, self.zone).astimezone(timezone.utc)

    def is_open(self, at: datetime) -> bool:
        """Whether the clinic is open at a moment, which has a time zone."""
        return self.opening.is_open(self.local(at))

    def next_opening(self, at: datetime) -> datetime | None:
        """When it opens next after a moment, which has a time zone; None when it does not within a month."""
        return self.opening.next_opening(self.local(at))

    def to_call(self, at: datetime) -> str:
        """Which of its numbers to call at a moment, as `details` names it: `phone` while it is open, else `after_hours_phone`."""
        return "phone" if self.is_open(at) else "after_hours_phone"
