"""A lock for each conversation of this process, in the order of asking. Rasa's own looks once a second whether it is free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, InMemoryLockStore, LockError


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class FifoLockStore(InMemoryLockStore):
    """Lets one message of a conversation after the other through. Several processes need each conversation to stay with one of them."""

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = LOCK_LIFETIME, wait_time_in_seconds: float = 1
    ) -> AsyncGenerator[TicketLock, None]:
        """Hold the conversation's lock.

        Raises:
            LockError: it was not free within `lock_lifetime` seconds.
        """
        turn = self._turns.setdefault(conversation_id, _Turn())
        turn.wanted += 1
        try:
            try:
                await asyncio.wait_for(turn.lock.acquire(), lock_lifetime)
            except asyncio.TimeoutError:
                raise LockError(f"The conversation was busy for {lock_lifetime} seconds.") from None
            try:
                yield TicketLock(conversation_id)
            finally:
                turn.lock.release()
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[conversation_id]
