"""The clinical core as a reader process has it."""

from __future__ import annotations

from datetime import date

from aftercare.assistant import Assistant
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Reading

_FIRST_WORDS = "my back hurts, no fever"


class Core(Assistant):
    """The core, with what is made at its first message made before the process is forked."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self.read(_FIRST_WORDS, self.today())

    def hear(self, text: str, today: date) -> Reading:
        """The reading of a message; of a long one, which is read piece by piece, of the most telling piece."""
        return self.read(self.most_telling(text, today), today)
