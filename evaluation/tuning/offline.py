"""The bot in this process: what the trained model read before, decided by the core, with probabilities that may be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Reading
from evaluation.bot import Answer, Talker


class Limits(Mapping[str, Any]):
    """Thresholds that may be changed.

    Args:
        values: name -> value.

    Attributes:
        consulted: the names of those that were looked at since this was emptied.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._kept = dict(values)
        self.consulted: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.consulted.add(name)
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def change(self, name: str, value: float) -> None:
        """Set one of them."""
        self._kept[name] = value


class Offline(Talker):
    """The core, asked as the bot is asked, one conversation at a time: another sender begins a new one.

    As in the bot, the lexicon alone answers where an answer is less urgent than its reading.

    Args:
        protocol: supplies all but the thresholds.
        readings: each message that will be said, read.
        limits: the thresholds.
    """

    def __init__(self, protocol: Protocol, readings: Sequence[Reading], limits: Limits) -> None:
        self.protocol, self.limits = replace(protocol, thresholds=limits), limits
        self._assistant = Assistant(self.protocol)
        self._today = self._assistant.today()
        self._readings = {reading.text: reading for reading in readings} | {"": self._assistant.read("", self._today)}
        self._sender, self._conversation = "", Conversation()

    def reading(self, text: str) -> Reading:
        """What was read in a message."""
        return self._readings[text]

    def say(self, sender: str, text: str, rows: Mapping[str, str] | None = None) -> Answer:
        """See `Talker.say`."""
        before = self._conversation if sender == self._sender else Conversation()
        reading = self.reading(text)
        after, reply = self._assistant.respond(before, reading, self._today, answers=rows)
        by_lexicon = replace(reading, opinions=(), replies={})
        if self._assistant.understates(reply, by_lexicon):
            after, reply = self._assistant.respond(before, by_lexicon, self._today, answers=rows)
        self._sender, self._conversation = sender, after
        return Answer(reply.custom, 0.0)
