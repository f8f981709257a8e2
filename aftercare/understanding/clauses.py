"""Where a clause ends: the one definition for patterns' gaps, for the reach of denials, and for the pieces that the classifier judges."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

_FEWEST_WORDS = 3
_MOST = 12


class Clauses:
    """The ends of a language's clauses.

    Args:
        rules: the content of the language's clauses.yml.

    Attributes:
        ends: marks that end a sentence.
        breaks: what no gap of a pattern holds: those, pauses, and words of contrast.
        turns: words behind which a denial does not hold on.
        negators: words that deny what follows.
        new_subject: words that begin a new statement.
        subjects: those of them that no gap of a trigger holds.
        list_words: words between the items of a list.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.ends = frozenset(rules["ends"])
        self.breaks = self.ends | frozenset(rules["pauses"]) | frozenset(rules["contrasts"])
        self.turns = frozenset(rules["contrasts"]) | frozenset(rules["turns"])
        self.negators = frozenset(rules["negators"])
        self.new_subject = frozenset(rules["new_subject"])
        self.subjects = frozenset(rules["subjects"])
        self.list_words = frozenset(rules["list_words"])
        self.either, self.both = frozenset(rules["either"]), frozenset(rules["both"])
        marks = "".join(map(re.escape, rules["ends"]))
        self._sentence = re.compile(rf"(?:[^{marks}]|(?<=\d)\.(?=\d))+[{marks}]*")
        self._cut_before = re.compile(rf"\b(?:{rules['cut_before']})", re.IGNORECASE)

    def is_negated(self, norms: Sequence[str], position: int, reach: int = 1) -> bool:
        """Whether one of the `reach` words before a position, in the same clause, negates what stands there."""
        for norm in reversed(norms[max(0, position - reach) : position]):
            if norm in self.negators:
                return True
            if norm in self.breaks:
                return False
        return False

    def asked(self, norms: Sequence[str]) -> list[bool]:
        """Whether the clause that goes on at a word, or behind the last one, ends in a question mark."""
        asked = [False]
        for norm in reversed(norms):
            asked.append(norm == "?" if norm in self.breaks else asked[-1])
        return asked[::-1]

    def pieces(self, text: str) -> list[tuple[int, int]]:
        """The places of a text's clauses: sentences, cut again before words that add another thought.

        Returns:
            Start and end offsets, at most twelve and none of fewer than three words; empty when the text is one clause only. A
            longer text keeps its first and its last clauses.
        """
        found = []
        for sentence in self._sentence.finditer(text):
            turns = [sentence.start() + turn.start() for turn in self._cut_before.finditer(sentence.group())]
            for start, end in itertools.pairwise([sentence.start(), *turns, sentence.end()]):
                if len(text[start:end].split()) >= _FEWEST_WORDS:
                    found.append((start, end))
        if len(found) <= 1:
            return []
        return found if len(found) <= _MOST else found[: _MOST // 2] + found[-_MOST // 2 :]
