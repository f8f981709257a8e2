"""Misspellings of the lexicon's own words. Only a word that the language does not have is touched, and only towards the lexicon."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST, _SHORTEST_RIVAL = 4, 3
_MOST_RIVALS = 8
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

    A transposition counts as one edit (optimal string alignment). A tie between two words is left alone here.

    Args:
        lexicon: its words and stems.
        rules: the content of the language's spelling.yml.
    """

    def __init__(self, lexicon: Iterable[str], rules: Mapping[str, Any]) -> None:
        self._language = vocabulary(rules["vocabulary"]) | frozenset(rules["words_beside"])
        self._own = frozenset(word for word in lexicon if word.isalpha())
        self._lexicon = self._own | _endings(lexicon, self._language)
        targets = [word for word in self._lexicon if len(word) >= _SHORTEST_RIVAL]
        self._longest = max(map(len, targets), default=0) + 2
        self._by_length = {
            length: [target for target in targets if abs(len(target) - length) <= _edits(length)] for length in range(self._longest + 1)
        }
        self._fixed: Mapping[str, str] = rules["slips"]
        self._snap = lru_cache(maxsize=4096)(self._nearest)
        self._near = lru_cache(maxsize=4096)(self._ranked)

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

    def rivals(self, word: str) -> tuple[str, ...]:
        """The words that a misspelt one may stand for, the likeliest first; none for a word that is known.

        One word alone may be nearest and still be the wrong one: which one it is, if any, is for the sentence to say. A word of three
        letters is near many, and must begin and end as it was typed, or have the same letters.
        """
        if not _SHORTEST_RIVAL <= len(word) <= self._longest or not word.isalpha() or self.known(word) or word in self._fixed:
            return ()
        return self._near(word)

    def _ranked(self, word: str) -> tuple[str, ...]:
        framed = len(word) > _SHORTEST_RIVAL
        likely = [each for each in self._alike(word) if framed or _is_alike(each[1], word)]
        alike = sorted(likely, key=lambda each: (each[0], each[1][0] != word[0], each[1] not in self._own, each[1]))
        return tuple(target for _, target in alike[:_MOST_RIVALS])

    def _may_be_far(self, word: str, target: str) -> bool:
        """Whether a misspelt word may be two edits away: from a word of the language that begins like it."""
        return target[:_SAME_START] == word[:_SAME_START] and target in self._language

    def _alike(self, word: str) -> list[tuple[float, str]]:
        """The words at most so many edits away as its length allows, each with its distance."""
        near = process.extract(word, self._by_length[len(word)], scorer=OSA.distance, score_cutoff=_edits(len(word)), limit=None)
        return [(distance, target) for target, distance, _ in near if distance <= 1 or self._may_be_far(word, target)]

    def _nearest(self, word: str) -> str:
        alike = [each for each in self._alike(word) if len(each[1]) >= _SHORTEST]
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


def _is_alike(target: str, word: str) -> bool:
    return (target[0], target[-1]) == (word[0], word[-1]) or sorted(target) == sorted(word)
