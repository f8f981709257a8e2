"""The lexicon's pattern language, compiled to spaCy token patterns.

`word`, `word*` (any ending), `a|b` (either), `@class` (a class of words.yml), `x?` (may be missing), `~3` (up to three
other words of the same clause, none of them a negation). A class may hold phrases of several words.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from aftercare.understanding.spelling import common_words

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
        if item.startswith("~") and not gap:
            raise PatternError(f"'{pattern}' has the gap '{item}'; a gap is ~1 to ~9")
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


class PatternMatcher:
    """spaCy's matcher over a great many patterns, of which only those run whose rarest word stands in the text.

    Args:
        vocab: the vocabulary that the documents share.
    """

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab
        self._patterns: list[tuple[str, Matcher]] = []
        self._by_word: dict[str, set[int]] = {}
        self._by_stem: list[tuple[re.Pattern[str], int]] = []
        self._anchored_by = lru_cache(maxsize=20_000)(self._find_anchored)

    def add(self, name: str, patterns: Iterable[list[Token]]) -> None:
        """Add one lexicon pattern, as `Compiler.compile` returned it, under a name."""
        number = len(self._patterns)
        matcher = Matcher(self._vocab, validate=False)
        for tokens in patterns:
            matcher.add(name, [tokens])
            anchor = min((token["NORM"] for token in tokens if "OP" not in token), key=_how_common)
            if "IN" in anchor:
                for word in anchor["IN"]:
                    self._by_word.setdefault(word, set()).add(number)
            else:
                self._by_stem.append((re.compile(anchor["REGEX"]), number))
        self._patterns.append((name, matcher))
        self._anchored_by.cache_clear()

    def __call__(self, doc: Doc) -> list[tuple[str, int, int]]:
        """Every match as name, first token, and the token behind its last; sorted by place."""
        numbers: set[int] = set().union(*(self._anchored_by(token.norm_) for token in doc))
        found: set[tuple[str, int, int]] = set()
        for number in numbers:
            name, matcher = self._patterns[number]
            found.update((name, start, end) for _, start, end in matcher(doc))
        return sorted(found, key=lambda match: (match[1], match[2], match[0]))

    def _find_anchored(self, word: str) -> frozenset[int]:
        by_stem = {number for stem, number in self._by_stem if stem.match(word)}
        return frozenset(self._by_word.get(word, set()) | by_stem)


def _how_common(norm: Mapping[str, Any]) -> tuple[int, int]:
    """How often a token's words turn up in a text: the common ones among them, then all of them."""
    words = norm["IN"] if "IN" in norm else re.findall(r"\w+", norm["REGEX"])
    return sum(word in common_words() for word in words), len(words)
