"""Hides what tells who somebody is: telephone numbers on the screen; names, dates and more in what leaves the console."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.console.sheet import Mark

_PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,14}(?!\w)")


class Mask:
    """Replaces what it knows by a word in square brackets, and counts what it hid.

    Args:
        patterns: what is hidden -> how it is known.
    """

    def __init__(self, patterns: dict[str, re.Pattern[str]]) -> None:
        self._patterns = patterns
        self.hidden = 0

    @classmethod
    def phones(cls) -> Mask:
        """Hides telephone numbers alone."""
        return cls({"phone number": _PHONE})

    @staticmethod
    def find_phones(text: str) -> list[str]:
        """The telephone numbers in a text, as typed."""
        return [found.group().strip() for found in _PHONE.finditer(text)]

    def __call__(self, text: str) -> str:
        """A text with what this mask knows hidden."""
        return self.with_marks(text, ())[0]

    def with_marks(self, text: str, marks: tuple[Mark, ...]) -> tuple[str, tuple[Mark, ...]]:
        """A text with what this mask knows hidden, and the marks where their words stand now; a mark on hidden words covers the bracket."""
        spans = self._spans(text)
        self.hidden += len(spans)
        pieces, position = [], 0
        shifts: list[tuple[int, int, int]] = []
        for start, end, name in spans:
            pieces += [text[position:start], f"[{name}]"]
            shifts.append((start, end, len(name) + 2))
            position = end
        pieces.append(text[position:])

        def moved(place: int, *, end: bool) -> int:
            shift = 0
            for first, last, length in shifts:
                if place >= last:
                    shift += length - (last - first)
                elif place > first:
                    return first + shift + (length if end else 0)
            return place + shift

        return "".join(pieces), tuple(replace(m, start=moved(m.start, end=False), end=moved(m.end, end=True)) for m in marks)

    def deep(self, data: Any) -> Any:
        """JSON data with every text in it masked."""
        if isinstance(data, str):
            return self(data)
        if isinstance(data, dict):
            return {self(key): self.deep(value) for key, value in data.items()}
        return [self.deep(each) for each in data] if isinstance(data, list) else data

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        found = sorted((match.start(), match.end(), name) for name, pattern in self._patterns.items() for match in pattern.finditer(text))
        kept: list[tuple[int, int, str]] = []
        for span in found:
            if not kept or span[0] >= kept[-1][1]:
                kept.append(span)
        return kept
