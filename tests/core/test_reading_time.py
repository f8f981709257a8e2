"""How long reading takes: at most in proportion to the length of a text, whatever the text is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import pytest

from aftercare.understanding import measures

WEDNESDAY = date(2024, 5, 15)
LONGEST = 4_000
# Processor time; a busy machine with small caches takes some of it too.
SECONDS = 0.15
SLACK = 3


def seconds(work: Callable[[], object], tries: int = 2) -> float:
    """The processor time that some work takes, the least of some tries."""
    return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(text: str) -> None:
    measures.temperatures(text)
    measures.pain_scores(text)
    measures.days_answered(text, WEDNESDAY)


@pytest.mark.parametrize(
    "text",
    [
        "pulse " + "temp" * 60 + "! 99",
        "pulse " + "temp" * 1_000 + "! 99",
        "kypho" * 800,
        "vertebro" * 500 + " yesterday",
        "cement sun " * 360,
        "pulse" + " " * LONGEST + "! 99",
        "99" + " " * LONGEST + "!",
        "pain" + " is" * 1_300 + "!",
        "day" + " " * LONGEST + "!",
        "99 " * 1_300,
        "3 days " * 570,
        "weigh" * 800 + " 99",
    ],
    ids=lambda text: text[:12],
)
def test_figures_are_read_in_time(text: str) -> None:
    assert seconds(lambda: measure(text)) < SECONDS * SLACK
