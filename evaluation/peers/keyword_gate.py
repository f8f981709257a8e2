"""The peer that most open-source triage bots are: the first list with a word that stands in the text decides."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def _lists() -> dict[str, Any]:
    return dict(yaml.safe_load(Path(__file__).with_name("keywords.yml").read_text(encoding="utf-8")))


def outcome(text: str) -> str:
    """The outcome in the cases' terms; `out_of_scope` where no word is known."""
    lists, lower = _lists(), text.lower().replace("’", "'")
    holds: Callable[[list[str]], bool] = lambda words: any(word in lower for word in words)  # noqa: E731
    for name in ("emergency", "call_doctor", "self_care"):
        if holds(lists[name]):
            return name
    for topic, words in lists["faq"].items():
        if holds(words):
            return f"faq:{topic}"
    return "chat" if holds(lists["chat"]) else "out_of_scope"
