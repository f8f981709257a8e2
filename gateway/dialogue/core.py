"""The clinical core, asked in processes of its own, so that no words delay the records, the event loop, or another patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.understanding.reading import Reading
from gateway.dialogue import rows
from gateway.records.store import Clock
from readers.pool import Readers


class Core:
    """What the gateway asks of the clinical core.

    Args:
        assistant: the core in this process, for what takes no patient's words.
        readers: the core where it can be stopped.
        clock: tells the time.
    """

    def __init__(self, assistant: Assistant, readers: Readers, clock: Clock) -> None:
        self.assistant = assistant
        self._readers = readers
        self._clock = clock

    def day(self, at: datetime) -> date:
        """The clinic's date at a moment."""
        return self.assistant.protocol.clinic.day(at)

    async def read(self, text: str, today: date) -> Reading:
        """A message read by the lexicon; of a very long one the most telling part.

        Raises:
            UnreadError: the words could not be read in time.
            BrokenReaderError: the core raised.
        """
        return await self._readers.read(text, today)

    async def respond(
        self,
        conversation: Conversation,
        reading: Reading,
        today: date,
        *,
        at: datetime | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[Conversation, Reply]:
        """The conversation after a message, and the reply, by the core alone, see `Assistant.respond`; it raises what `read` raises."""
        return await self._readers.respond(conversation, reading, today, at=at, answers=answers)

    def broken_off(self, conversation: Conversation) -> tuple[Conversation, Reply] | None:
        """What holds when the patient leaves a question unanswered; None when none waits."""
        return self.assistant.broken_off(conversation)

    async def alarm(self, text: str, answers: Mapping[str, str]) -> Reply | None:
        """What the core says of these words and answered rows of the danger check by themselves, if they are an emergency.

        It raises what `read` raises.
        """
        at = self._clock()
        today = self.day(at)
        reading = await self.read(text, today)
        if not self.assistant.is_emergency(reading) and not rows.is_danger(answers, self.assistant.protocol.danger_check):
            return None
        _, reply = await self.respond(Conversation(checks=list(answers)), reading, today, at=at, answers=answers)
        return reply
