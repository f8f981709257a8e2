"""Telling those who wait for a conversation's next event."""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Bell:
    """Wakes whoever waits in this process; other processes' events are found by looking again after a while."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.silenced = False

    def waiting(self, name: str) -> int:
        """How many wait for this conversation."""
        return len(self._waiting.get(name, ()))

    def ring(self, name: str) -> None:
        """Wake everybody who waits for this conversation."""
        for waiting in self._waiting.get(name, ()):
            waiting.set()

    def silence(self) -> None:
        """Wake everybody for the last time: the gateway stops."""
        self.silenced = True
        for name in list(self._waiting):
            self.ring(name)

    async def wait(self, name: str, seconds: float) -> None:
        """Wait until the bell rings for this conversation, or for so long."""
        mine = asyncio.Event()
        self._waiting[name].add(mine)
        try:
            async with asyncio.timeout(seconds):
                await mine.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting[name].discard(mine)
            if not self._waiting[name]:
                del self._waiting[name]
