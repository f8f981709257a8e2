"""How often one may ask."""

from __future__ import annotations

import hashlib
import time

import structlog
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

from gateway.metrics import LIMITS_UP
from gateway.settings import EmbedKey, Settings

_log = structlog.get_logger(__name__)
_REDIS: dict[str, float | str | bool] = {"implementation": "redispy", "socket_timeout": 0.5, "socket_connect_timeout": 0.5}
_ALONE_SECONDS = 2.0


class Limiter:
    """Counts by address, embed key and session; what is kept of them is a hash.

    Several gateways count together in Redis. While it does not answer, each counts for itself: nobody is turned away for that.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.limits
        self._most_open = settings.most_open
        shared = settings.limits_storage.startswith(("async+redis://", "async+rediss://"))
        self._windows = SlidingWindowCounterRateLimiter(storage_from_string(settings.limits_storage, **(_REDIS if shared else {})))
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage()) if shared else self._windows
        self._alone_until = 0.0
        LIMITS_UP.set(1)

    def most_open(self, address: str, embed: EmbedKey | None) -> int:
        """How many streams and waiting requests one address may have open at this gateway."""
        own = embed.own_limits(address) if embed else None
        return own.most_open or self._most_open if own else self._most_open

    async def wait(self, what: str, cost: int = 1, embed: EmbedKey | None = None, **whom: str) -> int:
        """Count one act, and return for how many seconds its author has to wait; 0 when it is allowed.

        Args:
            what: `start`, `message`, `read` or `refused`.
            cost: how often it counts.
            embed: the key of the chat, which may have limits of its own for this address.
            whom: who acts, by `address`, `key` or `session`.
        """
        seconds = 0
        own = embed.own_limits(whom.get("address", "")) if embed else None
        for kind, name in whom.items():
            hashed = hashlib.sha256(name.encode()).hexdigest()
            if embed and own and (what, kind) in own.rates:
                waits = await self._hit(own.rates[what, kind], what, kind, hashed, embed.name, cost=cost)
            else:
                waits = await self._hit(self._limits[what, kind], what, kind, hashed, cost=cost)
            seconds = max(seconds, waits)
        return seconds

    async def _hit(self, limit: RateLimitItem, *names: str, cost: int) -> int:
        if time.monotonic() >= self._alone_until:
            try:
                seconds = await _hit(self._windows, limit, *names, cost=cost)
                LIMITS_UP.set(1)
                return seconds
            except Exception as error:  # whatever the store died of
                if self._own is self._windows:
                    raise
                _log.error("limits are counted by this gateway alone", error=type(error).__name__)
                LIMITS_UP.set(0)
                self._alone_until = time.monotonic() + _ALONE_SECONDS
        return await _hit(self._own, limit, *names, cost=cost)


async def _hit(windows: SlidingWindowCounterRateLimiter, limit: RateLimitItem, *names: str, cost: int) -> int:
    if await windows.hit(limit, *names, cost=cost):
        return 0
    window = await windows.get_window_stats(limit, *names)
    return max(1, round(window.reset_time - time.time()))
