"""Cuts a message into the pieces that may each mean something of their own."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]*")
_TURN = re.compile(r"(?:(?!\b(?:but|however)\b).)+", re.DOTALL | re.IGNORECASE)
_FEWEST_WORDS = 3
_MOST = 12


def clauses(text: str) -> list[tuple[int, int]]:
    """The places of a text's clauses: sentences, cut again before `but` and `however`.

    Returns:
        Start and end offsets, at most twelve and none of fewer than three words; empty when the text is one clause only. A
        longer text keeps its first and its last clauses.
    """
    found = [
        (sentence.start() + part.start(), sentence.start() + part.end())
        for sentence in _SENTENCE.finditer(text)
        for part in _TURN.finditer(sentence.group())
        if len(part.group().split()) >= _FEWEST_WORDS
    ]
    if len(found) <= 1:
        return []
    return found if len(found) <= _MOST else found[: _MOST // 2] + found[-_MOST // 2 :]
