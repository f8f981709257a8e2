"""A patient's text as words that the lexicon can match, each with its place in the text as typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

_CONFUSABLE = str.maketrans(
    "аеорсухіјѕԁһԛԝвкмнтАЕОРСУХІЈЅВКМНТαοενρτικυΑΟΕΝΡΤΙΚΥ",
    "aeopcyxijsdhqwbkmhtaeopcyxijsbkmhtaoevptikuaoenptiky",
)
_PLAIN = str.maketrans("’‘‛ʼ´`“”–—…‥‼⁉⁈⁇", "'" * 6 + '""--..!???')
_LETTERS_APART = " .-_*"
_LEET = tuple(str.maketrans("013457@$", letters) for letters in ("oleastas", "oieastas"))
_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W_]+(?:['@$][^\W_]+)*|[^\w\s]|_", re.UNICODE)
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_SHORTEST_RUN, _LONGEST_RUN = 4, 80
_LONGEST_FOLD = 4

Known = Callable[[str], bool]


class Word(NamedTuple):
    """One word in matching form; `start` and `end` are offsets into the text as typed."""

    norm: str
    start: int
    end: int


def _fold(text: str) -> tuple[str, list[int]]:
    """Compatibility-fold each character; also the offset in `text` that each folded character came from."""
    pieces = [_fold_one(character) for character in text]
    return "".join(pieces), [offset for offset, piece in enumerate(pieces) for _ in piece]


@lru_cache(maxsize=4096)
def _fold_one(character: str) -> str:
    """What stands for a character; itself where that would be long, so that no text grows in reading."""
    character = character.translate(_CONFUSABLE).translate(_PLAIN)
    if unicodedata.category(character) in {"Cf", "Cc"} and character not in "\n\t":
        return ""
    plain = "".join(piece for piece in unicodedata.normalize("NFKD", character) if unicodedata.category(piece) != "Mn").lower()
    return plain if len(plain) <= (_LONGEST_FOLD if plain.isalnum() else 1) else character


def _collapse(word: str, known: Known) -> str:
    """A letter repeated three times or more becomes one or two, whichever gives a known word."""
    if not _STRETCHED.search(word):
        return word
    single = _STRETCHED.sub(r"\1", word)
    double = _STRETCHED.sub(r"\1\1", word)
    return double if known(double) and not known(single) else single


def _spaced_runs(folded: str, tokens: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Group tokens; letters typed apart (with blanks or points between) form one group, every other token its own."""
    run: list[re.Match[str]] = []
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        typed = token.group()
        letter = len(typed) == 1 and typed.isalpha()
        if run:
            touches = following is not None and following.start() == token.end() and len(following.group()) == 1
            if touches and token.start() == run[-1].end() and typed in _LETTERS_APART:
                continue
            gap = folded[run[-1].end() : token.start()]
            if not (letter and len(gap) == 1 and gap in _LETTERS_APART):
                yield from [run] if len(run) >= _SHORTEST_RUN else [[one] for one in run]
                run = []
        if letter:
            run.append(token)
        else:
            yield [token]
    yield from [run] if len(run) >= _SHORTEST_RUN else [[one] for one in run]


class Tokenizer:
    """Splits texts into words in matching form.

    Args:
        rules: the content of the language's tokens.yml.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._endings: Mapping[str, str] = rules["endings"]
        self._whole: Mapping[str, Sequence[str]] = rules["whole"]
        self._is_behind = frozenset(rules["is_behind"])
        self._is = str(rules["is"])
        self._letters = frozenset(rules["letters"])

    def words(self, text: str, known: Known = lambda word: False) -> list[Word]:
        r"""Split a text into words in matching form.

        Args:
            text: the text as typed.
            known: tells whether a word is one the lexicon or the language knows; decides between spellings.

        Returns:
            The words and punctuation marks in order, a line break as the word `\n`. A contraction becomes several words
            over the same characters.
        """
        folded, origin = _fold(text)
        result: list[Word] = []
        forms: dict[str, tuple[str, ...]] = {}
        previous_end = 0
        for group in _spaced_runs(folded, list(_WORD.finditer(folded))):
            begin, finish = group[0].start(), group[-1].end()
            if "\n" in folded[previous_end:begin]:
                result.append(Word("\n", origin[begin], origin[begin]))
            previous_end = finish
            start, end = origin[begin], origin[finish - 1] + 1
            typed = folded[begin:finish] if len(group) == 1 else "".join(match.group() for match in group)
            if len(group) > 1:
                pieces = self._split(_collapse(typed, known), known)
                result.extend(Word(word, start, end) for piece in pieces for word in self._expand(piece))
                continue
            if typed not in forms:
                forms[typed] = self._forms(typed, known)
            result.extend([Word(form, start, end) for form in forms[typed]])
        return result

    def _forms(self, token: str, known: Known) -> tuple[str, ...]:
        """The words that one token stands for."""
        token = _collapse(token, known)
        if any(ch.isalpha() for ch in token) and any(ch.isdigit() or ch in "@$" for ch in token):
            token = next((plain for plain in map(token.translate, _LEET) if known(plain)), token)
        return self._expand(token)

    def _expand(self, token: str) -> tuple[str, ...]:
        if token in self._whole:
            return tuple(self._whole[token])
        if "'" not in token:
            return (token,)
        for ending, word in self._endings.items():
            if token.endswith(ending) and len(token) > len(ending):
                return (token[: -len(ending)], word)
        if token.endswith("'s"):
            return (token[:-2], self._is) if token[:-2] in self._is_behind else (token[:-2],)
        return (token,)

    def _split(self, letters: str, known: Known) -> list[str]:
        """The fewest known words that make up letters that were run together or typed apart, or the letters as they are."""
        if len(letters) > _LONGEST_RUN:
            return [letters]
        fewest = [0] + [len(letters) + 1] * len(letters)
        begins = [0] * len(fewest)
        for end in range(1, len(fewest)):
            for start in range(end):
                piece = letters[start:end]
                if fewest[start] + 1 < fewest[end] and (piece in self._letters or (len(piece) > 1 and known(piece))):
                    fewest[end], begins[end] = fewest[start] + 1, start
        if fewest[-1] > len(letters):
            return [letters]
        pieces: list[str] = []
        end = len(letters)
        while end:
            pieces.insert(0, letters[begins[end] : end])
            end = begins[end]
        return pieces
