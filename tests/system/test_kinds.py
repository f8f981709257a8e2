"""The kinds of dialogues that bots of this kind have got wrong, in words that need the classifier, with the running bot."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftercare.protocol import Disposition
from tests.system.conftest import Answer, Say

FILE = Path(__file__).with_name("kinds.yml")
ROOT = FILE.parents[2]
KINDS: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
DIALOGUES = [(kind, turns) for kind, told in KINDS.items() for turns in told["dialogues"]]
FEWEST = 2

_numbers = count(1)


def _waits(answer: Answer) -> tuple[str | None, list[str]]:
    return answer.about, answer.checks


def _outcomes(answer: Answer) -> set[str | None]:
    """What an answer is; `ask` where it says nothing before it is answered."""
    return {answer.disposition, {"triage": None, "question": "ask"}.get(answer.type, answer.type)}


@pytest.mark.parametrize(("kind", "turns"), DIALOGUES, ids=[f"{kind[0]}-{turns[-1]}" for kind, turns in DIALOGUES])
def test_dialogue_of_a_kind(kind: str, turns: list[str], say: Say) -> None:
    told, sender = KINDS[kind], f"kind-{next(_numbers)}"
    before: Answer | None = None
    answer: Answer | None = None
    for text in turns:
        before, answer = answer, say(sender, text)
    assert answer is not None
    seen = f"{answer.text}\n{dict(answer.custom)}"
    assert "none of that" not in answer.text, seen
    assert "danger sign in what you wrote" not in answer.text, seen
    assert told.get("contains", "") in answer.text, seen
    if told.get("keeps"):
        assert before is not None
        assert _waits(answer) == _waits(before), seen
        assert answer.disposition == before.disposition or answer.disposition is None, seen
    else:
        assert _outcomes(answer) & set(told["right"]), seen
    if told.get("not_closed"):
        assert before is not None
        assert answer.disposition == "emergency" or answer.checks == before.checks, seen


def test_every_kind_has_its_dialogues() -> None:
    assert {kind[0] for kind in KINDS} == set("ABCDEFGHIJKLMNOPQRST")
    assert all(len(told["dialogues"]) >= FEWEST for told in KINDS.values())
    known = {each.wire for each in Disposition} | {"ask", "faq", "chat", "not_in_leaflet", "out_of_scope"}
    assert {outcome for told in KINDS.values() for outcome in told.get("right", ())} <= known


def test_no_dialogue_stands_in_lexicon_or_training_data() -> None:
    folders = [ROOT / "data", ROOT / "evaluation", ROOT / "protocols"]
    theirs = "\n".join(file.read_text(encoding="utf-8").lower() for folder in folders for file in folder.rglob("*.yml"))
    openings = {turns[0] for _, turns in DIALOGUES if len(turns[0].split()) > FEWEST}
    assert [text for text in openings if text.lower().rstrip(".?!") in theirs] == []
