"""The clinical core in threads of its own, so that a long reading delays neither the records nor the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import TypeVar

from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.respond import Assistant
from aftercare.understanding.reading import Reading
from gateway.dialogue import rows

_THREADS = 2
_T = TypeVar("_T")


class Core:
    """What the gateway asks of the clinical core.

    Args:
        assistant: the core.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self._threads = ThreadPoolExecutor(_THREADS, "core")

    async def read(self, text: str, today: date) -> Reading:
        """A message read by the lexicon; of a very long one the most telling part."""
        return await self._run(lambda: self.assistant.read(self.assistant.most_telling(text, today), today))

    async def respond(
        self,
        conversation: Conversation,
        reading: Reading,
        today: date,
        *,
        at: datetime | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[Conversation, Reply]:
        """The conversation after a message, and the reply, by the core alone; see `Assistant.respond`."""
        return await self._run(lambda: self.assistant.respond(conversation, reading, today, at=at, answers=answers))

    async def broken_off(self, conversation: Conversation) -> tuple[Conversation, Reply] | None:
        """What holds when the patient leaves a question unanswered; None when none waits."""
        return await self._run(lambda: self.assistant.broken_off(conversation))

    async def alarm(self, text: str, answers: Mapping[str, str]) -> Reply | None:
        """What the core says of these words and answered rows of the danger check by themselves, if they are an emergency."""
        today = date.today()
        reading = await self.read(text, today)
        if not self.assistant.is_emergency(reading) and not rows.is_danger(answers, self.assistant.protocol.danger_check):
            return None
        _, reply = await self.respond(Conversation(checks=list(answers)), reading, today, answers=answers)
        return reply

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
