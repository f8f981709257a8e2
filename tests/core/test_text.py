from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.understanding.clauses import Clauses
from aftercare.understanding.text import Tokenizer

_KNOWN = "chest pain fever numb bladder good feel leg off weak stool see pee breathe can not the my"
KNOWN = frozenset(_KNOWN.split())


def norms(tokenizer: Tokenizer, text: str) -> list[str]:
    return [word.norm for word in tokenizer.words(text, KNOWN.__contains__)]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Chest Pain", ["chest", "pain"]),
        ("fever, chills.", ["fever", ",", "chills", "."]),
        ("can't", ["can", "not"]),
        ("can\u2019t", ["can", "not"]),
        ("can\u2018t", ["can", "not"]),
        ("can`t", ["can", "not"]),
        ("cant", ["can", "not"]),
        ("cannot", ["can", "not"]),
        ("CAN'T", ["can", "not"]),
        ("won't", ["will", "not"]),
        ("dont", ["do", "not"]),
        ("don\u2019t", ["do", "not"]),
        ("didn't", ["did", "not"]),
        ("hasnt", ["has", "not"]),
        ("couldnt", ["could", "not"]),
        ("ain't", ["is", "not"]),
        ("I'm", ["i", "am"]),
        ("Im", ["i", "am"]),
        ("I\u2019ve", ["i", "have"]),
        ("she's", ["she", "is"]),
        ("Mom's", ["mom", "is"]),
        ("neighbor's leg", ["neighbor", "leg"]),
        ("w/o fever", ["w", "/", "o", "fever"]),
        ("gonna", ["going", "to"]),
        ("feeeever", ["fever"]),
        ("goooood", ["good"]),
        ("leggg", ["leg"]),
        ("c h e s t pain", ["chest", "pain"]),
        ("c.h.e.s.t pain", ["chest", "pain"]),
        ("c-h-e-s-t", ["chest"]),
        ("n u m b leg", ["numb", "leg"]),
        ("f3ver", ["fever"]),
        ("ch3st p@in", ["chest", "pain"]),
        ("ｆｅｖｅｒ", ["fever"]),
        ("fe\u200bver", ["fever"]),
        ("fe\u00adver", ["fever"]),
        ("fe\u2060ver", ["fever"]),
        ("f\u0435ver", ["fever"]),
        ("p\u0430in", ["pain"]),
        ("ch\u0435st", ["chest"]),
        ("févér", ["fever"]),
        ("o\ufb00", ["off"]),
        ("38,5", ["38,5"]),
        ("101.3", ["101.3"]),
        ("8/10", ["8/10"]),
        ("no fever\nchest pain", ["no", "fever", "\n", "chest", "pain"]),
        ("no fever\r\nchest pain", ["no", "fever", "\n", "chest", "pain"]),
        ("fever\n\n\nleg", ["fever", "\n", "leg"]),
        ("😀 fever", ["😀", "fever"]),
        ("", []),
        ("   \t ", []),
        ("\x00fever\x07", ["fever"]),
    ],
)
def test_words_as_the_lexicon_sees_them(tokenizer: Tokenizer, typed: str, read: list[str]) -> None:
    if typed.startswith("w/o"):
        assert norms(tokenizer, typed) in (read, ["without", "fever"])
    else:
        assert norms(tokenizer, typed) == read


@pytest.mark.parametrize(
    ("typed", "norm", "evidence"),
    [
        ("I have a FEEEVER now", "fever", "FEEEVER"),
        ("my ch\u0435st hurts", "chest", "ch\u0435st"),
        ("ow c h e s t ow", "chest", "c h e s t"),
        ("so p@in here", "pain", "p@in"),
        ("I can\u2019t", "not", "can\u2019t"),
        ("a fe\u200bver", "fever", "fe\u200bver"),
        ("İ fever", "fever", "fever"),
        ("ﬁne fever", "fever", "fever"),
    ],
)
def test_a_word_knows_where_it_was_typed(tokenizer: Tokenizer, typed: str, norm: str, evidence: str) -> None:
    found = next(word for word in tokenizer.words(typed, KNOWN.__contains__) if word.norm == norm)
    assert typed[found.start : found.end] == evidence


@pytest.mark.parametrize(
    "typed",
    ["a e i o", "I a m", "1 2 3 4 5", "a.b", "x y z", "A. B. Smith"],
)
def test_few_single_letters_do_not_vanish(tokenizer: Tokenizer, typed: str) -> None:
    assert "".join(norms(tokenizer, typed)).replace(".", "") == typed.lower().replace(" ", "").replace(".", "")


@given(st.text(max_size=200))
def test_offsets_lie_in_the_text_and_in_order(tokenizer: Tokenizer, text: str) -> None:
    found = tokenizer.words(text, KNOWN.__contains__)
    assert all(0 <= word.start <= word.end <= len(text) for word in found)
    assert all(one.start <= other.start for one, other in pairwise(found))
    assert all(word.norm for word in found)


@given(st.text(alphabet="abc .-_*'’\n019@$,", max_size=60))
def test_a_second_reading_finds_the_same_words(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.words(text) == tokenizer.words(text)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("My back hurts", []),
        ("I feel fine today. But my leg is numb.", ["I feel fine today.", "But my leg is numb."]),
        ("I have a fever but no chills today", ["I have a fever ", "but no chills today"]),
        ("Yes. My leg is numb.", []),
        ("one two three\nfour five six", ["one two three\n", "four five six"]),
        ("", []),
    ],
)
def test_clauses(clauses: Clauses, text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in clauses.pieces(text)] == pieces


@given(st.text(max_size=300))
def test_clauses_lie_in_the_text(clauses: Clauses, text: str) -> None:
    found = clauses.pieces(text)
    assert len(found) <= 12
    assert all(0 <= start < end <= len(text) for start, end in found)


def test_a_long_text_keeps_its_first_and_last_clauses(clauses: Clauses) -> None:
    text = " ".join(f"this is sentence {number}." for number in range(40))
    found = [text[start:end].strip() for start, end in clauses.pieces(text)]
    assert len(found) == 12
    assert found[0] == "this is sentence 0."
    assert found[-1] == "this is sentence 39."


def test_a_decimal_point_ends_no_clause(clauses: Clauses) -> None:
    text = "it was 37.6 at noon. the spot is pink"
    assert [text[start:end].strip() for start, end in clauses.pieces(text)] == ["it was 37.6 at noon.", "the spot is pink"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("gone… then", ["gone", ".", "then"]),
        ("help‼", ["help", "!"]),
        ("what⁉", ["what", "?"]),
        ("ﬁne", ["fine"]),
        ("⑽", ["⑽"]),
        ("ﷺ", ["ﷺ"]),
    ],
)
def test_no_character_becomes_many_words(tokenizer: Tokenizer, typed: str, read: list[str]) -> None:
    assert norms(tokenizer, typed) == read
