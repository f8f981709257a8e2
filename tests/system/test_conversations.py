"""Whole conversations with the running bot, one scenario a file; the file's name says what it is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).with_name("conversations")
RULES = Path(__file__).resolve().parents[2] / "protocols" / "vertebroplasty" / "rules.yml"
KEYS = {"says", "type", "disposition", "rule", "about", "topic", "contains", "not_contains"}


def _turns(file: Path) -> list[dict[str, Any]]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))["turns"]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.stem)
def test_conversation(file: Path, say: Callable[[str, str], Any]) -> None:
    for number, turn in enumerate(_turns(file), start=1):
        assert set(turn) <= KEYS, turn
        answer = say(file.stem, turn["says"])
        seen = f"turn {number}, {turn['says']!r}: {answer.text}\n{dict(answer.custom)}"
        assert answer.type in ([turn["type"]] if isinstance(turn["type"], str) else turn["type"]), seen
        for key in ("disposition", "about", "topic"):
            if key in turn:
                assert getattr(answer, key) == turn[key], seen
        if "rule" in turn:
            assert turn["rule"] in answer.rules, seen
        for phrase in turn.get("contains", ()):
            assert phrase in answer.text, f"{phrase!r} is missing; {seen}"
        for phrase in turn.get("not_contains", ()):
            assert phrase not in answer.text, f"{phrase!r} is there; {seen}"


def test_every_rule_decides_in_some_conversation() -> None:
    told = {turn["rule"] for file in FOLDER.glob("*.yml") for turn in _turns(file) if "rule" in turn}
    assert {rule["id"] for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["rules"]} <= told
