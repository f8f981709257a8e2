"""The clinical core as a reader process has it: every protocol in force, picked by what a conversation is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from aftercare.assistant import Assistants
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Key, Library
from aftercare.understanding.reading import Reading


class Core(Assistants):
    """The core, with what is made at its first message made before the process is forked.

    Args:
        library: the protocols in force.
    """

    def __init__(self, library: Library) -> None:
        super().__init__(library)
        for protocol in library:
            self.read(protocol.key, protocol.danger_check.rows[0].text, self.of(protocol.key).today())

    def read(self, key: Key, text: str, today: date) -> Reading:
        """The reading of a message by the lexicon of a protocol; see `Assistant.read`."""
        return self.of(key).read(text, today)

    def hear(self, key: Key, text: str, today: date) -> Reading:
        """The same; of a long message, which is read piece by piece, the reading of the most telling piece."""
        return self.read(key, self.of(key).most_telling(text, today), today)

    def respond(
        self,
        conversation: Conversation,
        reading: Reading,
        today: date,
        at: datetime | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[Conversation, Reply]:
        """The conversation after a message, and the reply, by the protocol that it is bound to; see `Assistant.respond`."""
        return self.of(conversation.key).respond(conversation, reading, today, at, answers)
