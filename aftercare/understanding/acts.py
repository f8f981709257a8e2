"""What a message does in the conversation, besides reporting."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aftercare.protocol.model import Protocol
from aftercare.understanding.patterns import Compiler, PatternMatcher

_NO_DIGIT = re.compile(r"\D")
_PART_OF_NUMBER = re.compile(r"[\d./-]{1,20}|[()+]")
_MARKS_IN_NUMBER = frozenset("-.()+")
_MOST_PARTS = 12
_SHORTEST_AREA_CODE = 3


class Acts:
    """Finds the acts of the language's dialogue.yml.

    Args:
        protocol: supplies them, what adds nothing beside one, and the clinic's numbers.
        compiler: compiles the patterns.
    """

    def __init__(self, protocol: Protocol, compiler: Compiler) -> None:
        dialogue, details = protocol.grammar.dialogue, protocol.clinic.details
        self._acts = {
            name: (act["longest"], _matcher(act["patterns"], compiler), _matcher(act["except"], compiler))
            for name, act in dialogue["acts"].items()
        }
        self._alone = frozenset(name for name, act in dialogue["acts"].items() if act.get("alone", False))
        self._fillers = frozenset(protocol.grammar.answers["fillers"])
        self._numbers = {_NO_DIGIT.sub("", details[name]): words.split() for name, words in dialogue["numbers"].items()}

    def of(self, norms: Sequence[str]) -> frozenset[str]:
        """The acts of a message.

        Args:
            norms: its words.
        """
        words = self._named(norms)
        count = sum(word.isalnum() for word in words)
        found = {
            name: spans
            for name, (longest, patterns, exceptions) in self._acts.items()
            if count <= longest and (spans := patterns(words)) and not exceptions(words)
        }
        heard = {name: frozenset(place for _, start, end in spans for place in range(start, end)) for name, spans in found.items()}
        return frozenset(name for name, places in heard.items() if name not in self._alone or self.fills(words, places))

    def fills(self, norms: Sequence[str], heard: frozenset[int]) -> bool:
        """Whether nothing is said beside these words."""
        return all(place in heard or word in self._fillers or not word.isalnum() for place, word in enumerate(norms))

    def _named(self, norms: Sequence[str]) -> list[str]:
        """The words with the clinic's numbers by their names."""
        words: list[str] = []
        place = 0
        while place < len(norms):
            end, digits = place, ""
            begins = self._begins_number(norms[place]) and not _within_number(words)
            last = min(len(norms), place + _MOST_PARTS) if begins else place
            while end < last and digits not in self._numbers and _PART_OF_NUMBER.fullmatch(norms[end]):
                digits += _NO_DIGIT.sub("", norms[end])
                end += 1
            name = self._numbers.get(digits)
            words += name or norms[place : place + 1]
            place = end if name else place + 1
        return words

    def _begins_number(self, word: str) -> bool:
        """Whether one of the clinic's numbers may begin with this word."""
        digits = _NO_DIGIT.sub("", word)
        return bool(digits or word in "(+") and any(number.startswith(digits) for number in self._numbers)


def _within_number(words: Sequence[str]) -> bool:
    """Whether these words end in digits that belong to a longer number, such as an area code."""
    before = next((word for word in reversed(words) if word not in _MARKS_IN_NUMBER), "")
    return before.isdecimal() and len(before) >= _SHORTEST_AREA_CODE


def _matcher(patterns: Sequence[str], compiler: Compiler) -> PatternMatcher:
    matcher = PatternMatcher()
    for pattern in patterns:
        matcher.add("act", compiler.compile(pattern))
    return matcher
