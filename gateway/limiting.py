"""How often one may ask."""

from __future__ import annotations

import hashlib
import time

from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from gateway.settings import Settings


class Limiter:
    """Counts by address, embed key and session; what is kept of them is a hash."""

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.limits
        self._windows = MovingWindowRateLimiter(storage_from_string(settings.limits_storage))

    async def wait(self, what: str, cost: int = 1, **whom: str) -> int:
        """Count one act, and return for how many seconds its author has to wait; 0 when it is allowed.

        Args:
            what: `start`, `message`, `read` or `refused`.
            cost: how often it counts.
            whom: who acts, by `address`, `key` or `session`.
        """
        seconds = 0
        for kind, name in whom.items():
            limit, hashed = self._limits[what, kind], hashlib.sha256(name.encode()).hexdigest()
            if not await self._windows.hit(limit, what, kind, hashed, cost=cost):
                window = await self._windows.get_window_stats(limit, what, kind, hashed)
                seconds = max(seconds, 1, round(window.reset_time - time.time()))
        return seconds
