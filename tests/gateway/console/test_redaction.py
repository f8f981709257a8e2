"""The masks: how much they find of what tells who somebody is, and that they leave what a nurse must read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.console.redaction.mark import Mark
from gateway.console.redaction.mask import Mask

_CORPUS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("redaction.yml").read_text(encoding="utf-8"))
_FLOOR = 0.95


def recall(mask: Mask, texts: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """The share of identifying pieces that a mask hides, and those that it leaves."""
    left = [f"{piece} in {each['text']!r}" for each in texts for piece in each["hide"] if piece in mask(each["text"])]
    return 1 - len(left) / sum(len(each["hide"]) for each in texts), left


@pytest.mark.parametrize(
    ("make", "kinds"),
    [(Mask.limited, ("identifying",)), (Mask.deidentified, ("identifying", "deidentified"))],
    ids=["limited", "deidentified"],
)
def test_most_of_what_tells_who_somebody_is_gets_hidden(make: Callable[[], Mask], kinds: tuple[str, ...]) -> None:
    found, left = recall(make(), [each for kind in kinds for each in _CORPUS[kind]])
    print(f"recall {found:.3f}; left: {left}")
    assert found >= _FLOOR, left


def test_every_kind_that_has_a_shape_is_hidden_in_every_sentence() -> None:
    shaped = [each for each in _CORPUS["identifying"] if any(piece[0].isdigit() or "@" in each["text"] for piece in each["hide"])]
    assert len(shaped) > 25
    assert recall(Mask.limited(), shaped)[1] == []


@pytest.mark.parametrize("text", _CORPUS["clinical"])
@pytest.mark.parametrize("make", [Mask.phones, Mask.limited, Mask.deidentified], ids=["phones", "limited", "deidentified"])
def test_clinical_sentences_stay_word_for_word(make: Callable[[], Mask], text: str) -> None:
    assert make()(text) == text


def test_names_of_the_staff_are_known() -> None:
    mask = Mask.limited(["Yevgenia Marchbanks", "Nurse Example"])
    assert mask("Marchbanks told me, and yevgenia marchbanks too") == "[name] told me, and [name] too"
    assert mask("a nurse said so") == "a nurse said so"


def test_small_words_in_a_name_of_the_staff_are_no_names() -> None:
    mask = Mask.limited(["Lead of the queue", "Jan van der Berg", "ana quispe"])
    assert mask("she wet the bed, The queue was long") == "she wet the bed, The queue was long"
    assert mask("Berg came, not Quispe, nor ana quispe") == "[name] came, not [name], nor [name]"


def test_a_name_that_was_said_once_can_be_hidden_everywhere() -> None:
    names = Mask.find_names("my name is Quimby")
    assert Mask.limited(names)("Quimby here again, QUIMBY") == "[name] here again, [name]"


def test_overlapping_places_are_hidden_as_one() -> None:
    text = "my name is Quimby212-664-7665x"
    assert "664" not in Mask.limited()(text)


def test_marks_stand_on_their_words_behind_the_mask() -> None:
    text = "my name is Agatha Quimby and I have a fever"
    start = text.index("fever")
    masked, (mark,) = Mask.deidentified().with_marks(text, (Mark(start, start + 5, "fever", "present"),))
    assert masked[mark.start : mark.end] == "fever"


def test_the_mask_counts_and_goes_deep() -> None:
    mask = Mask.limited()
    assert mask.deep({"a": ["call 212-664-7665", 7, None], "b": {"c": "dob 3/14/1950"}}) == {
        "a": ["call [phone number]", 7, None],
        "b": {"c": "dob [date]"},
    }
    assert mask.hidden == 2


def test_no_text_keeps_a_mask_busy_for_long() -> None:
    for text in ("my name is " + "a " * 2_000, "1 " * 2_000, "A" * 4_000, "1-" * 2_000, "x@" * 2_000, "Aa " * 1_300, "in Aa " * 600):
        Mask.deidentified(["Jane Doe"])(text)


@pytest.mark.parametrize(
    "piece", ["\n", "id-", "5 ", "5 a@b.", ":a@b.c", "- A", "\n5 in A", "name is ", "thanks ", "record 9", "a.", "1 may ", "555 0", "9"]
)
def test_hiding_takes_time_in_proportion_to_the_text(piece: str) -> None:
    mask = Mask.deidentified(["Ann Lee"])

    def seconds(length: int) -> float:
        text, started = (piece * length)[:length], time.process_time()
        mask(text)
        return time.process_time() - started

    short = min(seconds(4_000) for _ in range(3))
    long = min(seconds(16_000) for _ in range(3))
    assert long < 0.1 or long < 8 * short
    assert short < 0.3
