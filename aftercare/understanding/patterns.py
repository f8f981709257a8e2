"""The lexicon's pattern language, compiled to spaCy token patterns.

`word`, `word*` (any ending), `a|b` (either), `@class` (a class of words.yml), `x?` (may be missing), `~3` (up to three
other words of the same clause, none of them a negation). A class may hold phrases of several words.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Token = dict[str, Any]

CLAUSE_BREAKS = (".", ",", "!", "?", ";", "\n", "but", "however", "except", "although", "though")
NEGATORS = ("not", "no", "never")
_GAP: Token = {"NORM": {"NOT_IN": [*CLAUSE_BREAKS, *NEGATORS]}, "OP": "?"}
_CLOSE_GAP: Token = {"NORM": {"NOT_IN": [*CLAUSE_BREAKS, *NEGATORS, "i", "she", "he", "they", "we"]}, "OP": "?"}


class PatternError(ValueError):
    """A pattern that cannot be read; the message says which and why."""


class Compiler:
    """Compiles patterns against the word classes of one lexicon.

    Args:
        classes: class name -> its words and phrases.
    """

    def __init__(self, classes: Mapping[str, Sequence[str]]) -> None:
        self._classes = classes
        self.vocabulary: set[str] = set()

    def compile(self, pattern: str, *, close: bool = False) -> list[list[Token]]:
        """The token patterns that together stand for one lexicon pattern.

        Args:
            pattern: the pattern as written in the lexicon.
            close: gaps hold no new subject either, as triggers need it.

        Raises:
            PatternError: an unknown class, a pattern without a word, or a phrase of more than four words in a class.
        """
        gap = _CLOSE_GAP if close else _GAP
        slots = [self._slot(item, pattern, gap) for item in pattern.split()]
        if all(item.startswith("~") or item.endswith("?") for item in pattern.split()):
            raise PatternError(f"'{pattern}' holds no word that must be there")
        return [self._trim(list(itertools.chain.from_iterable(combination))) for combination in itertools.product(*slots)]

    def _slot(self, item: str, pattern: str, filler: Token) -> list[list[Token]]:
        gap = re.fullmatch(r"~(\d)", item)
        if gap:
            return [[filler] * int(gap.group(1))]
        optional = item.endswith("?") and len(item) > 1
        singles: list[str] = []
        phrases: dict[int, list[str]] = {}
        for word in self._words(item.rstrip("?") if optional else item, pattern):
            parts = word.split()
            if len(parts) == 1:
                singles.append(word)
            else:
                phrases.setdefault(len(parts), []).append(word)
        options: list[list[Token]] = []
        if singles:
            options.append([self._one_of(singles)])
        options.extend([self._one_of([part]) for part in phrase.split()] for group in phrases.values() for phrase in group)
        return [*options, []] if optional else options

    def _words(self, item: str, pattern: str) -> Iterable[str]:
        for name in item.split("|"):
            if not name.startswith("@"):
                yield name
            elif name[1:] in self._classes:
                yield from self._classes[name[1:]]
            else:
                raise PatternError(f"'{pattern}' uses the word class '{name}', which words.yml does not have")

    def _one_of(self, words: Sequence[str]) -> Token:
        plain = [word for word in words if not word.endswith("*")]
        stems = [word[:-1] for word in words if word.endswith("*")]
        self.vocabulary.update(plain)
        self.vocabulary.update(stems)
        if not stems:
            return {"NORM": {"IN": plain}}
        alternatives = [re.escape(stem) + r"\w*" for stem in stems] + [re.escape(word) for word in plain]
        return {"NORM": {"REGEX": f"^(?:{'|'.join(alternatives)})$"}}

    @staticmethod
    def _trim(tokens: list[Token]) -> list[Token]:
        """Fillers at either end of a pattern match nothing of their own."""
        while tokens and "NOT_IN" in tokens[-1]["NORM"]:
            tokens.pop()
        while tokens and "NOT_IN" in tokens[0]["NORM"]:
            tokens.pop(0)
        return tokens
