"""The clock of the process, and the moment of a message: the one place of the core where the system's time is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

Clock = Callable[[], datetime]
AT = "at"


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


def moment_of(metadata: Mapping[str, Any] | None, clock: Clock) -> datetime:
    """The moment of a message, with a time zone.

    Args:
        metadata: what travels with the message; `at` is its moment in ISO 8601 with an offset.
        clock: tells the time, for a message that comes without its moment.
    """
    given = (metadata or {}).get(AT)
    return datetime.fromisoformat(given) if given else clock()
