"""Misspellings of the lexicon's own words. Only a word that the language does not have is touched, and only towards the lexicon."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST = 4
_LONG = 7
_SAME_START = 3
_LONG_STEM = 5
_BEHIND_ALL = "\U0010ffff"


@lru_cache(maxsize=8)
def _by_frequency(source: str) -> tuple[str, ...]:
    """The words of a frequency list in an installed package, `package:file`, the most frequent first."""
    package, _, file = source.partition(":")
    text = resources.files(package).joinpath(file).read_text(encoding="utf-8-sig")
    return tuple(line.split(" ", 1)[0] for line in text.splitlines())


@lru_cache(maxsize=8)
def vocabulary(source: str) -> frozenset[str]:
    """A language's words, some 80,000; used only to know which words are not to be touched.

    Args:
        source: a frequency list, `package:file`.
    """
    return frozenset(_by_frequency(source))


@lru_cache(maxsize=8)
def common_words(source: str) -> frozenset[str]:
    """The 500 most frequent of them; see `vocabulary`."""
    return frozenset(_by_frequency(source)[:500])


def _endings(stems: Iterable[str], language: frozenset[str]) -> frozenset[str]:
    """The language's words that begin with one of the lexicon's longer words or stems."""
    ordered = sorted(language)
    found: set[str] = set()
    for stem in {word for word in stems if len(word) >= _LONG_STEM and word.isalpha()}:
        found.update(ordered[bisect_left(ordered, stem) : bisect_left(ordered, stem + _BEHIND_ALL)])
    return frozenset(found)


def _edits(length: int) -> int:
    """How many edits a misspelt word of so many letters may be away from its right form."""
    return 2 if length >= _LONG else 1


class Spelling:
    """Snaps misspelled words to the lexicon: one edit, or two in words of the language of seven letters and more that begin alike.

    A transposition counts as one edit (optimal string alignment). A tie between two words is left alone.

    Args:
        lexicon: its words and stems.
        rules: the content of the language's spelling.yml.
    """

    def __init__(self, lexicon: Iterable[str], rules: Mapping[str, Any]) -> None:
        self._language = vocabulary(rules["vocabulary"])
        self._own = frozenset(word for word in lexicon if word.isalpha())
        self._lexicon = self._own | _endings(lexicon, self._language)
        targets = [word for word in self._lexicon if len(word) >= _SHORTEST]
        self._longest = max(map(len, targets), default=0) + 2
        self._by_length = {
            length: [target for target in targets if abs(len(target) - length) <= _edits(length)] for length in range(self._longest + 1)
        }
        self._fixed: Mapping[str, str] = rules["slips"]
        self._snap = lru_cache(maxsize=4096)(self._nearest)

    def known(self, word: str) -> bool:
        """Whether the word is the lexicon's or the language's."""
        return word in self._lexicon or word in self._language

    def correct(self, word: str) -> str:
        """The word as the lexicon spells it, or the word itself."""
        if word in self._fixed:
            return self._fixed[word]
        if not _SHORTEST <= len(word) <= self._longest or not word.isalpha() or self.known(word):
            return word
        snapped = self._snap(word)
        return self._fixed.get(snapped, snapped)

    def _may_be_far(self, word: str, target: str) -> bool:
        """Whether a misspelt word may be two edits away: from a word of the language that begins like it."""
        return target[:_SAME_START] == word[:_SAME_START] and target in self._language

    def _nearest(self, word: str) -> str:
        allowed = _edits(len(word))
        near = process.extract(word, self._by_length[len(word)], scorer=OSA.distance, score_cutoff=allowed, limit=None)
        alike = [(distance, target) for target, distance, _ in near if distance <= 1 or self._may_be_far(word, target)]
        if not alike:
            return word
        best = min(distance for distance, _ in alike)
        rivals = [target for distance, target in alike if distance == best]
        same_start = [target for target in rivals if target[0] == word[0]]
        choice = same_start or rivals
        return (
            min(choice, key=lambda target: (target not in self._own, abs(len(target) - len(word)), target))
            if len({c[:4] for c in choice}) == 1
            else word
        )
