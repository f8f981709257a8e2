"""Telling those who wait for a conversation's next event."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.records.store import Event

_MOST = 16


class CrowdError(RuntimeError):
    """Too many listen to one conversation."""


class Listener:
    """Hears what is added to a conversation, or only that something was."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()
        self.heard: list[Event] = []
        self.certain = True

    async def wait(self, seconds: float, behind: int = 0) -> list[Event] | None:
        """Wait until the bell has rung since the last time, or for so long.

        Args:
            seconds: how long.
            behind: the place of the last event that is known.

        Returns:
            What was added behind that place, or None when one has to look for oneself.
        """
        try:
            async with asyncio.timeout(seconds):
                await self.rung.wait()
        except TimeoutError:
            return None
        heard = [event for event in self.heard if event.seq > behind]
        complete = self.certain and [event.seq for event in heard] == list(range(behind + 1, behind + 1 + len(heard)))
        self.rung.clear()
        self.heard, self.certain = [], True
        return heard if heard and complete else None


class Bell:
    """Wakes whoever waits in this process; other processes' events are found by looking again after a while."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self.silenced = False

    def ring(self, name: str, event: Event | None = None) -> None:
        """Wake everybody who listens to this conversation.

        Args:
            name: the conversation.
            event: what was added to it, if one event was and nothing else changed.
        """
        for listener in self._listeners.get(name, ()):
            if event is None:
                listener.certain = False
            else:
                listener.heard.append(event)
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
