"""Misspellings of the lexicon's own words. Only a word that English does not have is touched, and only towards the lexicon."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST = 4
_LONG = 7
_SAME_START = 3
_LONG_STEM = 5
_BEHIND_ALL = "\U0010ffff"


def _by_frequency() -> list[str]:
    listing = resources.files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt")
    return [line.split(" ", 1)[0] for line in listing.read_text(encoding="utf-8-sig").splitlines()]


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """An English vocabulary of some 80,000 words; used only to know which words are not to be touched."""
    return frozenset(_by_frequency())


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """The 500 most frequent English words."""
    return frozenset(_by_frequency()[:500])


def _endings(stems: Iterable[str]) -> frozenset[str]:
    """The English words that begin with one of the lexicon's longer words or stems."""
    ordered = sorted(english_words())
    found: set[str] = set()
    for stem in {word for word in stems if len(word) >= _LONG_STEM and word.isalpha()}:
        found.update(ordered[bisect_left(ordered, stem) : bisect_left(ordered, stem + _BEHIND_ALL)])
    return frozenset(found)


def _edits(length: int) -> int:
    """How many edits a misspelt word of so many letters may be away from its right form."""
    return 2 if length >= _LONG else 1


def _may_be_far(word: str, target: str) -> bool:
    """Whether a misspelt word may be two edits away: from an English word that begins like it."""
    return target[:_SAME_START] == word[:_SAME_START] and target in english_words()


class Spelling:
    """Snaps misspelled words to the lexicon: one edit, or two in English words of seven letters and more that begin alike.

    A transposition counts as one edit (optimal string alignment). A tie between two words is left alone.
    """

    def __init__(self, lexicon: Iterable[str], fixed: dict[str, str]) -> None:
        self._own = frozenset(word for word in lexicon if word.isalpha())
        self._lexicon = self._own | _endings(lexicon)
        targets = [word for word in self._lexicon if len(word) >= _SHORTEST]
        self._longest = max(map(len, targets), default=0) + 2
        self._by_length = {
            length: [target for target in targets if abs(len(target) - length) <= _edits(length)] for length in range(self._longest + 1)
        }
        self._fixed = fixed
        self._snap = lru_cache(maxsize=4096)(self._nearest)

    def known(self, word: str) -> bool:
        """Whether the word is the lexicon's or English."""
        return word in self._lexicon or word in english_words()

    def correct(self, word: str) -> str:
        """The word as the lexicon spells it, or the word itself."""
        if word in self._fixed:
            return self._fixed[word]
        if not _SHORTEST <= len(word) <= self._longest or not word.isalpha() or self.known(word):
            return word
        snapped = self._snap(word)
        return self._fixed.get(snapped, snapped)

    def _nearest(self, word: str) -> str:
        allowed = _edits(len(word))
        near = process.extract(word, self._by_length[len(word)], scorer=OSA.distance, score_cutoff=allowed, limit=None)
        alike = [(distance, target) for target, distance, _ in near if distance <= 1 or _may_be_far(word, target)]
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
