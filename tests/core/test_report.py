from __future__ import annotations

from pathlib import Path

import pytest

from evaluation import bars, report
from evaluation.cases import PARTS, cases, dialogues, pairs, patients
from evaluation.peers import keyword_gate
from evaluation.rates import Rate

pytestmark = pytest.mark.slow


def test_the_page_is_made_from_the_stored_figures() -> None:
    assert report.PAGE.read_text(encoding="utf-8") == report.page(report.stored()), "run `make evaluate` or `make evaluate-test`"


def test_every_part_has_been_measured_on_the_cases_that_it_has_now() -> None:
    for part, results in report.stored().items():
        assert results["systems"]["Aftercare"]["messages"] == len(cases(part)), part
        assert results["patients"]["words"]["patients"] == len(patients(part)), part
        assert results["patients"]["rows"]["patients"] == len([patient for patient in patients(part) if patient.rows]), part
        assert results["answers"]["pairs"] == len(pairs(part)), part
        assert results.get("dialogues", {"right": [0, 0]})["right"][1] == len(dialogues(part)), part
    assert set(report.stored()) == set(PARTS)


def test_the_page_holds_no_sentence_of_a_case() -> None:
    text = report.PAGE.read_text(encoding="utf-8") + "".join(file.read_text(encoding="utf-8") for file in report.FIGURES.glob("*.json"))
    for part in PARTS:
        own = [case.text for case in cases(part)] + [turn for dialogue in dialogues(part) for turn in dialogue.turns]
        assert not [words for words in own if len(words) > 25 and words in text]


def test_the_peers_are_in_the_table() -> None:
    assert set(report.stored()["test"]["systems"]) == {"Aftercare", "plain Rasa (DIET)", "keyword gate"}


@pytest.mark.parametrize(("hits", "at_least", "met"), [(99, True, True), (98, True, False), (99, False, True), (100, False, False)])
def test_a_bar_is_met_on_its_right_side(hits: int, at_least: bool, met: bool) -> None:
    assert bars.Bar("a bar", Rate(hits, 100), 0.99, at_least).met is met


def test_pictures_are_drawn(tmp_path: Path) -> None:
    from evaluation import plots

    ours = report.stored()["test"]["systems"]["Aftercare"]
    plots.confusion(ours["confusion"], tmp_path / "confusion.svg")
    plots.errors_by_tag(ours["by_tag"], tmp_path / "tags.svg")
    plots.sensitivity({"Aftercare": [9, 10]}, [{"name": "a study", "hits": 5, "total": 10}], tmp_path / "sensitivity.svg")
    assert all(b"</svg>" in file.read_bytes() for file in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("no chest pain", "emergency"),
        ("a little sore", "self_care"),
        ("which ice pack", "faq:ice"),
        ("thank you", "chat"),
        ("qwerty", "out_of_scope"),
        ("I have a FEVER", "call_doctor"),
    ],
)
def test_the_keyword_gate_knows_words_and_no_context(text: str, outcome: str) -> None:
    assert keyword_gate.outcome(text) == outcome
