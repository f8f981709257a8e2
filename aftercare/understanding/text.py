"""A patient's text as words that the lexicon can match, each with its place in the text as typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

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

_ENDINGS = {"n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_IRREGULAR = {
    "can't": ("can", "not"), "cant": ("can", "not"), "cannot": ("can", "not"), "won't": ("will", "not"),
    "wont": ("will", "not"), "dont": ("do", "not"), "doesnt": ("does", "not"), "didnt": ("did", "not"),
    "isnt": ("is", "not"), "arent": ("are", "not"), "wasnt": ("was", "not"), "werent": ("were", "not"),
    "havent": ("have", "not"), "hasnt": ("has", "not"), "hadnt": ("had", "not"), "couldnt": ("could", "not"),
    "wouldnt": ("would", "not"), "shouldnt": ("should", "not"), "aint": ("is", "not"), "ain't": ("is", "not"),
    "im": ("i", "am"), "ive": ("i", "have"), "shes": ("she", "is"), "hes": ("he", "is"), "theyre": ("they", "are"),
    "thats": ("that", "is"), "it's": ("it", "is"), "its": ("it", "is"), "whats": ("what", "is"), "cuz": ("because",),
    "w/o": ("without",), "gonna": ("going", "to"), "gotta": ("got", "to"), "kinda": ("kind", "of"), "u": ("you",),
    "ur": ("your",), "r": ("are",),
}  # fmt: skip
_APOSTROPHE_S = {
    "he",
    "she",
    "it",
    "that",
    "what",
    "there",
    "who",
    "everything",
    "nothing",
    "mom",
    "dad",
    "mother",
    "back",
}


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


def _collapse(word: str, known: Callable[[str], bool]) -> str:
    """`feeever` -> `fever`: a letter repeated three times or more becomes one or two, whichever gives a known word."""
    if not _STRETCHED.search(word):
        return word
    single = _STRETCHED.sub(r"\1", word)
    double = _STRETCHED.sub(r"\1\1", word)
    return double if known(double) and not known(single) else single


def _expand(token: str) -> tuple[str, ...]:
    if token in _IRREGULAR:
        return _IRREGULAR[token]
    if "'" not in token:
        return (token,)
    for ending, word in _ENDINGS.items():
        if token.endswith(ending) and len(token) > len(ending):
            return (token[: -len(ending)], word)
    if token.endswith("'s"):
        return (token[:-2], "is") if token[:-2] in _APOSTROPHE_S else (token[:-2],)
    return (token,)


def _split(letters: str, known: Callable[[str], bool]) -> list[str]:
    """`chestpain` -> `chest`, `pain`: the fewest known words that make up the letters, or the letters as they are."""
    if len(letters) > _LONGEST_RUN:
        return [letters]
    fewest = [0] + [len(letters) + 1] * len(letters)
    begins = [0] * len(fewest)
    for end in range(1, len(fewest)):
        for start in range(end):
            piece = letters[start:end]
            if fewest[start] + 1 < fewest[end] and (piece in {"i", "a"} or (len(piece) > 1 and known(piece))):
                fewest[end], begins[end] = fewest[start] + 1, start
    if fewest[-1] > len(letters):
        return [letters]
    pieces: list[str] = []
    end = len(letters)
    while end:
        pieces.insert(0, letters[begins[end] : end])
        end = begins[end]
    return pieces


def _spaced_runs(folded: str, tokens: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Group tokens; letters typed apart (`c h e s t`, `c.h.e.s.t`) form one group, every other token its own."""
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


def words(text: str, known: Callable[[str], bool] = lambda word: False) -> list[Word]:
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
            pieces = _split(_collapse(typed, known), known)
            result.extend(Word(word, start, end) for piece in pieces for word in _expand(piece))
            continue
        if typed not in forms:
            forms[typed] = _forms(typed, known)
        result.extend([Word(form, start, end) for form in forms[typed]])
    return result


def _forms(token: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    """The words that one token stands for."""
    token = _collapse(token, known)
    if any(ch.isalpha() for ch in token) and any(ch.isdigit() or ch in "@$" for ch in token):
        token = next((plain for plain in map(token.translate, _LEET) if known(plain)), token)
    return _expand(token)
