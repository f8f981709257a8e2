"""Telling those who wait for a conversation's next event."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.records.store import Event

STREAMS = 3
_MOST = 16


class CrowdError(RuntimeError):
    """Too many listen to one conversation, or from one address."""


class Listener:
    """Hears what is added to a conversation, or only that something was.

    Attributes:
        address: where it listens from.
        stream: it listens until it is ousted; others leave by themselves after a while.
        ousted: a newer stream has taken its place.
    """

    def __init__(self, address: str = "", *, stream: bool = False) -> None:
        self.address = address
        self.stream = stream
        self.ousted = False
        self.woken = asyncio.Event()
        self.heard: list[Event] = []
        self.certain = True

    async def wait(self, seconds: float, behind: int = 0) -> list[Event] | None:
        """Wait until something was published since the last time, or for so long.

        Args:
            seconds: how long.
            behind: the sequence number of the last event that is known.

        Returns:
            What was added behind it, or None when one has to look for oneself.
        """
        try:
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        except TimeoutError:
            return None
        heard = [event for event in self.heard if event.seq > behind]
        complete = self.certain and [event.seq for event in heard] == list(range(behind + 1, behind + 1 + len(heard)))
        self.woken.clear()
        self.heard, self.certain = [], True
        return heard if heard and complete else None


class EventBus:
    """Wakes whoever waits in this process; other processes' events are found by looking again after a while."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self._at = Counter[str]()
        self.closed = False

    def publish(self, name: str, event: Event | None = None) -> None:
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
            listener.woken.set()

    def close(self) -> None:
        """Wake everybody for the last time: the gateway stops."""
        self.closed = True
        for name in list(self._listeners):
            self.publish(name)

    @contextmanager
    def subscribed(self, name: str, address: str = "", most: int | None = None, *, stream: bool = False) -> Iterator[Listener]:
        """Listen to a conversation; from now on no event is missed.

        Args:
            name: the conversation.
            address: where the listener is.
            most: how many may listen from there to this process, to whichever conversation; any number when None.
            stream: it stays; of more than STREAMS that stay with one conversation, the oldest has to leave.

        Raises:
            CrowdError: too many listen already.
        """
        if stream:
            staying = [each for each in self._listeners.get(name, ()) if each.stream]
            for oldest in staying[: len(staying) - STREAMS + 1 if len(staying) >= STREAMS else 0]:
                self._leave(name, oldest)
                oldest.ousted = True
                oldest.woken.set()
        if len(self._listeners.get(name, ())) >= _MOST or (most is not None and self._at[address] >= most):
            raise CrowdError
        listener = Listener(address, stream=stream)
        self._listeners[name].append(listener)
        self._at[address] += 1
        try:
            yield listener
        finally:
            if not listener.ousted:
                self._leave(name, listener)

    def _leave(self, name: str, listener: Listener) -> None:
        self._listeners[name].remove(listener)
        if not self._listeners[name]:
            del self._listeners[name]
        self._at[listener.address] -= 1
        if not self._at[listener.address]:
            del self._at[listener.address]
