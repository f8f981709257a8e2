"""Figures as cells and tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evaluation.rates import Rate


def cell(value: Sequence[int] | float) -> str:
    """A rate as `hits of total (share)`, a number as it is."""
    if not isinstance(value, Sequence):
        return f"{value:g}"
    found = Rate(*value)
    return f"{found.hits} of {found.total} ({100 * found.share:.1f}%)" if found.total else "none"


def counts(numbers: Mapping[str, int]) -> str:
    """How often each number was counted."""
    return ", ".join(f"{asked}: {count}" for asked, count in numbers.items())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
