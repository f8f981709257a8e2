"""Whole conversations with the running bot, one scenario a file; the file's name says what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.conftest import BOTH_SET_UPS, DANGER, ROWS, RULES, Say

FOLDER = Path(__file__).with_name("conversations")
KEYS = {"says", "taps", "checks", "type", "disposition", "rule", "about", "topic", "offers", "contains", "not_contains"}


ALL, NONE, DANGER_ROWS = "all", "none", "danger"
"""What `checks` says where it is no list: every row, none, or the rows that are an emergency; a list names rows that are shown."""


def _taps(turn: dict[str, Any], waiting: list[str]) -> dict[str, str]:
    """Rows that a turn answers one by one; `others` stands for all that wait besides."""
    taps = dict(turn.get("taps", {}))
    others = taps.pop("others", "")
    return {**(dict.fromkeys(waiting, others) if others else {}), **taps}


def _shows(expected: str | list[str], shown: list[str]) -> bool:
    exact = {ALL: list(ROWS), NONE: [], DANGER_ROWS: DANGER}
    return shown == exact[expected] if isinstance(expected, str) else bool(shown) and set(expected) <= set(shown)


def _turns(file: Path) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["turns"]
    return turns


@BOTH_SET_UPS
@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.stem)
def test_conversation(file: Path, say: Say) -> None:
    waiting: list[str] = []
    for number, turn in enumerate(_turns(file), start=1):
        assert set(turn) <= KEYS, turn
        answer = say(file.stem, turn.get("says", ""), **_taps(turn, waiting))
        waiting = answer.checks
        seen = f"turn {number}, {turn.get('says') or turn.get('taps')!r}: {answer.text}\n{dict(answer.custom)}"
        assert "checks" not in turn or _shows(turn["checks"], answer.checks), seen
        assert answer.type in ([turn["type"]] if isinstance(turn["type"], str) else turn["type"]), seen
        for key in ("disposition", "about", "topic"):
            if key in turn:
                assert getattr(answer, key) == turn[key], seen
        assert answer.custom.get("offers", []) == turn.get("offers", answer.custom.get("offers", [])), seen
        if "rule" in turn:
            assert turn["rule"] in answer.rules, seen
        for phrase in turn.get("contains", ()):
            assert phrase in answer.text, f"{phrase!r} is missing; {seen}"
        for phrase in turn.get("not_contains", ()):
            assert phrase not in answer.text, f"{phrase!r} is there; {seen}"


def test_every_rule_decides_in_some_conversation() -> None:
    told = {turn["rule"] for file in FOLDER.glob("*.yml") for turn in _turns(file) if "rule" in turn}
    assert told >= RULES
