"""Moments as the clinic's wording says them."""

from __future__ import annotations

from datetime import datetime

from aftercare.protocol import Protocol

_WEEK_DAYS = 7


def clock(protocol: Protocol, at: datetime) -> str:
    """The time of day at a moment, which has a time zone, by the clinic's clock."""
    local = protocol.clinic.local(at)
    half = "am" if local.hour < 12 else "pm"
    return protocol.say(f"contact.when.{half}", hour=str(local.hour % 12 or 12), minute=f"{local.minute:02}")


def opens(protocol: Protocol, now: datetime) -> str:
    """When the clinic opens next after a moment, which has a time zone; empty when it does not within a week."""
    moment = protocol.clinic.next_opening(now)
    days = (moment.date() - protocol.clinic.day(now)).days if moment else _WEEK_DAYS
    if moment is None or days >= _WEEK_DAYS:
        return ""
    key = {0: "today", 1: "tomorrow"}.get(days, "later")
    weekday = protocol.wording["contact"]["when"]["days"][moment.weekday()]
    return protocol.say(f"contact.when.{key}", clock=clock(protocol, moment), day=weekday)
