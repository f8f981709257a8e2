"""The demo day's time: each who acts in it has a watch."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta


class Watch:
    """A clock that somebody set."""

    def __init__(self, at: datetime) -> None:
        self._ahead = at - datetime.now(UTC)

    def now(self) -> datetime:
        """The time on it."""
        return datetime.now(UTC) + self._ahead

    def pass_time(self, seconds: float) -> None:
        """Set it ahead."""
        self._ahead += timedelta(seconds=seconds)


WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


def moved_clock() -> datetime:
    """The time on the watch of whoever acts."""
    watch = WATCH.get()
    return watch.now() if watch else datetime.now(UTC)
