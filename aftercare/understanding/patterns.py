"""The lexicon's pattern language, compiled to sequences of tokens, and the matcher that finds them all in one pass.

`word`, `word*` (any ending), `a|b` (either), `@class` (a word class), `x?` (may be missing), `~3` (up to three
other words of the same clause, none of them a negation). A class may hold phrases of several words.
A line that ends in `|` goes on in the next.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aftercare.understanding.text import Tokenizer

_GAP_SIZE = re.compile(r"~(\d)")
_REST_OF_WORD = re.compile(r"\w*")
_MOST_BUILT = 50_000


@dataclass(frozen=True)
class Token:
    """One place of a pattern: the words that may stand there, `word*` for all that begin so.

    A filler is a place where any word but these may stand, or none.
    """

    words: frozenset[str]
    filler: bool = False


class PatternError(ValueError):
    """A pattern that cannot be read; the message says which and why."""


class Compiler:
    """Compiles patterns against the word classes of one lexicon.

    Args:
        classes: class name -> its words and phrases.
        clauses: the content of the language's clauses.yml: what no gap may hold.
        tokens: the content of its tokens.yml: a word is spelled out in a pattern as it is in a text.
    """

    def __init__(self, classes: Mapping[str, Sequence[str]], clauses: Mapping[str, Sequence[str]], tokens: Mapping[str, Any]) -> None:
        self._classes = classes
        self._tokenizer = Tokenizer(tokens)
        breaks = frozenset(word for name in ("ends", "pauses", "contrasts", "negators") for word in clauses[name])
        self._gap = Token(breaks, filler=True)
        self._close_gap = Token(breaks | set(clauses["subjects"]), filler=True)
        self.vocabulary: set[str] = set()

    def compile(self, pattern: str, *, close: bool = False) -> list[list[Token]]:
        """The token patterns that together stand for one lexicon pattern.

        Args:
            pattern: the pattern as written in the lexicon.
            close: gaps hold no new subject either, as triggers need it.

        Raises:
            PatternError: an unknown class, a pattern without a word, or a phrase of more than four words in a class.
        """
        gap = self._close_gap if close else self._gap
        pattern = pattern.replace("| ", "|")
        slots = [self._slot(item, pattern, gap) for item in pattern.split()]
        if all(item.startswith("~") or item.endswith("?") for item in pattern.split()):
            raise PatternError(f"'{pattern}' holds no word that must be there")
        return [self._trim(list(itertools.chain.from_iterable(combination))) for combination in itertools.product(*slots)]

    def _slot(self, item: str, pattern: str, filler: Token) -> list[list[Token]]:
        gap = _GAP_SIZE.fullmatch(item)
        if item.startswith("~") and not gap:
            raise PatternError(f"'{pattern}' has the gap '{item}'; a gap is ~1 to ~9")
        if gap:
            return [[filler] * int(gap.group(1))]
        optional = item.endswith("?") and len(item) > 1
        singles: list[str] = []
        phrases: dict[int, list[list[str]]] = {}
        for word in self._words(item.rstrip("?") if optional else item, pattern):
            parts = self._spelled_out(word)
            if len(parts) == 1:
                singles += parts
            else:
                phrases.setdefault(len(parts), []).append(parts)
        options: list[list[Token]] = []
        if singles:
            options.append([self._one_of(singles)])
        options.extend([self._one_of([part]) for part in parts] for group in phrases.values() for parts in group)
        return [*options, []] if optional else options

    def _spelled_out(self, word: str) -> list[str]:
        """The words that a text would have for one of a pattern: `can't` two, `light-headed` three."""
        stem = word.removesuffix("*")
        parts = [part.norm for part in self._tokenizer.words(stem)] or [stem]
        return [*parts[:-1], parts[-1] + "*"] if word != stem else parts

    def _words(self, item: str, pattern: str) -> Iterable[str]:
        for name in item.split("|"):
            if not name.startswith("@"):
                yield name
            elif name[1:] in self._classes:
                yield from self._classes[name[1:]]
            else:
                raise PatternError(f"'{pattern}' uses the word class '{name}', which no words file has")

    def _one_of(self, words: Sequence[str]) -> Token:
        self.vocabulary.update(word[:-1] if word.endswith("*") else word for word in words)
        return Token(frozenset(words))

    @staticmethod
    def _trim(tokens: list[Token]) -> list[Token]:
        """Fillers at either end of a pattern match nothing of their own."""
        while tokens and tokens[-1].filler:
            tokens.pop()
        while tokens and tokens[0].filler:
            tokens.pop(0)
        return tokens


Match = tuple[str, int, int]
Kind = frozenset[int]


@dataclass(eq=False)
class _Node:
    """What has been read of some patterns: the tokens that may come next, by number, and the patterns that end here."""

    after: dict[int, _Node] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


@dataclass(eq=False)
class _State:
    """The nodes that some words lead to; `after`, by the kind of the next word, grows as texts are read."""

    nodes: frozenset[_Node]
    names: frozenset[str]
    after: dict[Kind, _State] = field(default_factory=dict)


class PatternMatcher:
    """Finds every place of a great many patterns: a deterministic automaton, of which only the part that texts need is built.

    From each word it reads on as long as some pattern goes on, at most the length of the longest, so that its time grows with the text's
    length and no more.
    """

    def __init__(self) -> None:
        self._root = _Node()
        self._numbers: dict[Token, int] = {}
        self._by_word: dict[str, set[int]] = {}
        self._by_stem: dict[str, set[int]] = {}
        self._longest_stem = 0
        self._fillers: dict[int, Token] = {}
        self._forget()

    def _forget(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._states: dict[frozenset[_Node], _State] = {}
        self._built = 0
        self._start = self._state({self._root})

    def add(self, name: str, patterns: Iterable[Sequence[Token]]) -> None:
        """Add one lexicon pattern, as `Compiler.compile` returned it, under a name."""
        for tokens in patterns:
            node = self._root
            for token in tokens:
                node = node.after.setdefault(self._number(token), _Node())
            node.names.add(name)
        self._forget()

    def _number(self, token: Token) -> int:
        if token in self._numbers:
            return self._numbers[token]
        number = self._numbers[token] = len(self._numbers)
        if token.filler:
            self._fillers[number] = token
            return number
        for word in token.words:
            if word.endswith("*"):
                self._by_stem.setdefault(word[:-1], set()).add(number)
                self._longest_stem = max(self._longest_stem, len(word) - 1)
            else:
                self._by_word.setdefault(word, set()).add(number)
        return number

    def __call__(self, words: Sequence[str]) -> list[Match]:
        """Every match as name, first word, and the word behind its last; sorted by place."""
        if self._built > _MOST_BUILT:
            self._forget()
        known, root = self._kinds, self._start
        known.update({word: self._kind(word) for word in set(words) if word not in known})
        kinds = [known[word] for word in words]
        opening = {kind for kind in set(kinds) if (root.after.get(kind) or self._step(root, kind)).nodes}
        found: set[Match] = set()
        for start in [place for place, kind in enumerate(kinds) if kind in opening]:
            state = root
            for end in range(start, len(kinds)):
                state = state.after.get(kinds[end]) or self._step(state, kinds[end])
                if state.names:
                    found.update((name, start, end + 1) for name in state.names)
                if not state.nodes:
                    break
        return sorted(found, key=lambda match: (match[1], match[2], match[0]))

    def _kind(self, word: str) -> Kind:
        """The tokens that take a word."""
        self._built += 1
        tokens = {number for number, filler in self._fillers.items() if word not in filler.words} | self._by_word.get(word, set())
        for length in range(1, min(len(word), self._longest_stem) + 1):
            if word[:length] in self._by_stem and _REST_OF_WORD.fullmatch(word, length):
                tokens |= self._by_stem[word[:length]]
        return frozenset(tokens)

    def _step(self, state: _State, kind: Kind) -> _State:
        self._built += 1
        after = self._state({node.after[token] for node in state.nodes for token in node.after.keys() & kind})
        state.after[kind] = after
        return after

    def _state(self, nodes: set[_Node]) -> _State:
        """The state of these nodes and of those behind fillers, which may stand for nothing."""
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            behind = [node.after[filler] for filler in self._fillers if filler in node.after]
            waiting += [each for each in behind if each not in nodes]
            nodes.update(behind)
        key = frozenset(nodes)
        known = self._states.get(key)
        if known is None:
            known = self._states[key] = _State(key, frozenset(name for node in key for name in node.names))
        return known
