"""How often somebody may be wrong: failed logins of an address, failed passwords at a locked screen."""

from __future__ import annotations

import hashlib

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

LOGIN = parse("20 per minute")
UNLOCK = parse("5 per 15 minutes")


class Tries:
    """Failed tries within this process; what is kept of who failed is a hash."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def left(self, limit: RateLimitItem, whom: str) -> bool:
        """Whether an address or a login may try again."""
        return self._windows.test(limit, _hash(whom))

    def failed(self, limit: RateLimitItem, whom: str) -> None:
        """Count a failed try."""
        self._windows.hit(limit, _hash(whom))


def _hash(whom: str) -> str:
    return hashlib.sha256(whom.encode()).hexdigest()
