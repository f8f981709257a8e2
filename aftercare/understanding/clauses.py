"""Cuts a message into the pieces that may each mean something of their own."""

from __future__ import annotations

import itertools
import re

_SENTENCE = re.compile(r"(?:[^.!?;\n]|(?<=\d)\.(?=\d))+[.!?;\n]*")
_TURN = re.compile(
    r"\b(?:but|however|also|plus|and (?=(?:when|can|how|what|is|are|should|do|does|will|may|could|where|who|why)\b))", re.IGNORECASE
)
_FEWEST_WORDS = 3
_MOST = 12


def clauses(text: str) -> list[tuple[int, int]]:
    """The places of a text's clauses: sentences, cut again before `but`, `also` and their like, and before `and when`, `and can`.

    Returns:
        Start and end offsets, at most twelve and none of fewer than three words; empty when the text is one clause only. A
        longer text keeps its first and its last clauses.
    """
    found = []
    for sentence in _SENTENCE.finditer(text):
        turns = [sentence.start() + turn.start() for turn in _TURN.finditer(sentence.group())]
        for start, end in itertools.pairwise([sentence.start(), *turns, sentence.end()]):
            if len(text[start:end].split()) >= _FEWEST_WORDS:
                found.append((start, end))
    if len(found) <= 1:
        return []
    return found if len(found) <= _MOST else found[: _MOST // 2] + found[-_MOST // 2 :]
