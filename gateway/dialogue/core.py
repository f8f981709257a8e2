"""The clinical core, asked in processes of its own, so that no words delay the records, the event loop, or another patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from aftercare.assistant import Assistant, Assistants
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Key, Library
from aftercare.understanding.reading import Reading
from gateway.dialogue import rows
from gateway.records.store import Clock
from readers.alone import Alone, answer_alone
from readers.pool import Readers


class Core:
    """What the gateway asks of the clinical core.

    Args:
        assistants: the core in this process, for what takes no patient's words.
        readers: the core where it can be stopped.
        clock: tells the time.
    """

    def __init__(self, assistants: Assistants, readers: Readers, clock: Clock) -> None:
        self._assistants = assistants
        self._readers = readers
        self._clock = clock

    def day(self, key: Key, at: datetime) -> date:
        """The date at a moment where the clinic of a protocol is."""
        return self.of(key).protocol.clinic.day(at)

    @property
    def library(self) -> Library:
        """The protocols in force."""
        return self._assistants.library

    def of(self, key: Key) -> Assistant:
        """The core for what a conversation is bound to: for the default protocol where that one is no longer in force."""
        return self._assistants.of(key)

    async def read(self, key: Key, text: str, today: date) -> Reading:
        """A message read by a protocol's lexicon; of a very long one the most telling part.

        Raises:
            UnreadError: the words could not be read in time.
            BrokenReaderError: the core raised.
        """
        return await self._readers.read(key, text, today)

    async def answer_alone(self, conversation: Conversation, reading: Reading | None, *, at: datetime, answers: Mapping[str, str]) -> Alone:
        """The core's answer without Rasa, or the safety card; see `readers.alone.answer_alone`."""
        return await answer_alone(self._readers, self.of(conversation.key), conversation, reading, at=at, answers=answers)

    def broken_off(self, conversation: Conversation) -> tuple[Conversation, Reply] | None:
        """What holds when the patient leaves a question unanswered; None when none waits."""
        return self.of(conversation.key).broken_off(conversation)

    async def alarm(self, key: Key | None, text: str, answers: Mapping[str, str]) -> Reply | None:
        """What the core says of these words and answered rows of the danger check by themselves, if they are an emergency.

        It raises what `read` raises.

        Args:
            key: what the conversation is bound to. Where that is not known, every protocol in force is asked, the default first.
            text: the words.
            answers: the rows by the ids that the patient's browser got, each with `yes`, `no` or `unsure`.
        """
        keys = [protocol.key for protocol in self.library] if key is None else [self.of(key).protocol.key]
        for each in keys:
            reply = await self._alarm(each, text, answers)
            if reply is not None:
                return reply
        return None

    async def _alarm(self, key: Key, text: str, answers: Mapping[str, str]) -> Reply | None:
        assistant, at = self.of(key), self._clock()
        facts = rows.facts_of(answers, assistant.protocol.danger_check)
        reading = await self.read(key, text, self.day(key, at))
        if not assistant.is_emergency(reading) and not rows.is_danger(facts, assistant.protocol.danger_check):
            return None
        protocol, language = key
        begun = Conversation(checks=list(facts), protocol=protocol, language=language)
        return (await self.answer_alone(begun, reading, at=at, answers=facts)).reply
