"""Moments as people at the clinic read them: its local time, with the abbreviation of its zone."""

from __future__ import annotations

from datetime import datetime

from aftercare.protocol.clinic import Clinic


def moment(clinic: Clinic, at: datetime | None) -> str:
    """A moment with its day, such as `2026-03-02 01:07 EST`; nothing for None."""
    return f"{clinic.local(at):%Y-%m-%d %H:%M %Z}" if at else ""


def clock_time(clinic: Clinic, at: datetime | None) -> str:
    """The time of a moment, such as `01:07:09 EST`; nothing for None."""
    return f"{clinic.local(at):%H:%M:%S %Z}" if at else ""


def brief(clinic: Clinic, at: datetime | None, now: datetime) -> str:
    """A moment as short as it can be at another one: `3:12 pm` on the same day of the clinic, else `Mar 2, 3:12 pm`; nothing for None."""
    if at is None:
        return ""
    local = clinic.local(at)
    time = f"{local.hour % 12 or 12}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"
    return time if local.date() == clinic.day(now) else f"{local:%b} {local.day}, {time}"


def abbreviation(clinic: Clinic, at: datetime) -> str:
    """What the clinic's zone is called at a moment, such as `EDT`."""
    return clinic.local(at).strftime("%Z")


def offset_seconds(clinic: Clinic, at: datetime) -> int:
    """By how many seconds the clinic's clock is ahead of UTC at a moment."""
    ahead = clinic.local(at).utcoffset()
    return int(ahead.total_seconds()) if ahead is not None else 0
