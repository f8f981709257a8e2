"""What is worth telling once in a while, and not each second."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from gateway.records.store import Clock


class Once:
    """Remembers, within this process, what was noted lately.

    Args:
        within: how long something counts as noted.
        clock: tells the time.
    """

    def __init__(self, within: timedelta, clock: Clock) -> None:
        self._within = within
        self._clock = clock
        self._told: dict[Hashable, datetime] = {}

    def is_new(self, what: Hashable) -> bool:
        """Whether this was not noted lately; now it is."""
        now = self._clock()
        self._told = {each: at for each, at in self._told.items() if abs(now - at) < self._within}
        if what in self._told:
            return False
        self._told[what] = now
        return True
