"""Telling those who wait for a conversation's next event."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

_MOST = 16


class CrowdError(RuntimeError):
    """Too many listen to one conversation."""


class Listener:
    """Waits for the bell."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait until the bell has rung since the last time, or for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.rung.wait()
        except TimeoutError:
            pass
        self.rung.clear()


class Bell:
    """Wakes whoever waits in this process; other processes' events are found by looking again after a while."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self.silenced = False

    def ring(self, name: str) -> None:
        """Wake everybody who listens to this conversation."""
        for listener in self._listeners.get(name, ()):
            listener.rung.set()

    def silence(self) -> None:
        """Wake everybody for the last time: the gateway stops."""
        self.silenced = True
        for name in list(self._listeners):
            self.ring(name)

    @contextmanager
    def listening(self, name: str) -> Iterator[Listener]:
        """Listen to a conversation; from now on no ring is missed.

        Raises:
            CrowdError: too many listen to it already.
        """
        listeners = self._listeners[name]
        if len(listeners) >= _MOST:
            raise CrowdError
        listener = Listener()
        listeners.add(listener)
        try:
            yield listener
        finally:
            listeners.discard(listener)
            if not listeners:
                self._listeners.pop(name, None)
