"""What `python -m aftercare.protocol` says of examples: each mistake with file, line and remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aftercare.protocol import ProtocolError
from aftercare.protocol.compose import PROTOCOLS
from aftercare.protocol.load import examine
from aftercare.protocol.skeleton import begin

pytestmark = pytest.mark.slow

Edit = Callable[..., None]


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    folder = tmp_path / "draft"
    shutil.copytree(PROTOCOLS / "vertebroplasty", folder)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def problem(folder: Path) -> str:
    with pytest.raises(ProtocolError) as raised:
        examine(folder, "en")
    (told,) = raised.value.problems
    return told


def test_the_shipped_protocol_has_its_examples() -> None:
    examine(PROTOCOLS / "vertebroplasty", "en")


def test_a_new_protocol_has_its_examples(tmp_path: Path) -> None:
    examine(begin("knee", tmp_path), "en")


def test_a_topic_that_nothing_teaches(draft: Path) -> None:
    edit(draft / "faq.yml", "topics:\n", "topics:\n  bandage: {sentences: [bandage], en: {label: the bandage}}\n")
    assert problem(draft).startswith("draft/faq.yml:")
    assert "'ask_bandage'" in problem(draft)
    assert "nlu/questions.yml" in problem(draft)


def test_an_intent_that_nothing_teaches(draft: Path) -> None:
    edit(draft / "findings" / "soreness.yml", "report_soreness", "report_sorenes")
    assert problem(draft).startswith("draft/findings/soreness.yml:2: no examples teach the intent 'report_sorenes'")


def test_a_question_whose_answers_nothing_teaches(draft: Path) -> None:
    edit(draft / "interview.yml", "heard_as: both_legs", "heard_as: both_leggs")
    assert "no examples of answers to 'both_leggs'" in problem(draft)


@pytest.mark.parametrize(("which", "told"), [("yes", "does not match its example"), ("no", "matches its example")])
def test_a_pattern_that_does_not_do_as_its_examples_say(draft: Path, which: str, told: str) -> None:
    file = draft / "findings" / "soreness.yml"
    lines = file.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if f'"{which}": ' in line)
    other = next(line for line in lines[place - 2 :] if f'"{"no" if which == "yes" else "yes"}": ' in line)
    lines[place] = lines[place].partition(":")[0] + ":" + other.partition(":")[2]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert told in problem(draft)
    assert problem(draft).startswith("draft/findings/soreness.yml:")
