from __future__ import annotations

import pytest

from aftercare.protocol import load_protocol
from evaluation import bars, report
from evaluation.answers import of_answers
from evaluation.cases import PARTS, Pair, pairs

pytestmark = pytest.mark.slow

GIVEN = [("yes", "yes"), ("yes", "no"), ("yes", ""), ("no", "no"), ("no", "yes"), ("unsure", "no"), ("aside", "yes"), ("aside", "aside")]


@pytest.fixture(scope="module")
def results() -> dict[str, list[int]]:
    given = [*GIVEN, ("other", "no"), ("other", ""), ("unclear", "")]
    return of_answers([Pair("walking", "words", label) for label, _ in given], [taken for _, taken in given])


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("dangerous_taken_as_no", [1, 3]),
        ("unsure_taken_as_no", [1, 1]),
        ("no_taken_as_yes", [1, 2]),
        ("aside_taken_as_answer", [1, 2]),
        ("other_taken_as_no", [1, 2]),
        ("unclear_taken_as_no", [0, 1]),
        ("yes_understood", [1, 3]),
        ("aside_understood", [1, 2]),
        ("asked_again", [1, 8]),
    ],
)
def test_each_figure_counts_its_own_answers(results: dict[str, list[int]], key: str, found: list[int]) -> None:
    assert results[key] == found


def test_the_bars_are_those_of_a_dangerous_misreading(results: dict[str, list[int]]) -> None:
    assert [bar.met for bar in bars.bars_of_answers(results)] == [False, False, False, False, True]


def test_the_page_has_the_answers_of_the_parts_that_were_measured(results: dict[str, list[int]]) -> None:
    parts = {part: {**stored, "answers": results} for part, stored in report.stored().items()}
    text = report.page(parts)
    assert text.count("| dangerous answers taken as No | 1 of 3 (33.3%) | 1 of 3 (33.3%) | 1 of 3 (33.3%) | at most 0% |") == 1


def test_the_answers_fit_the_questions() -> None:
    protocol = load_protocol()
    keys = {question.heard_as for question in protocol.questions.values() if not question.scale}
    for part, fewest in zip(PARTS, (400, 200, 400), strict=True):
        given = pairs(part)
        assert len(given) >= fewest
        assert keys <= {pair.question for pair in given}
