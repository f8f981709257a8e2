"""Hides what tells who somebody is: telephone numbers on the screen; names, dates and more in what leaves the console.

Patterns do not find everything, so a masked text is never called free of what tells who somebody is. How much they find, the tests measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from gateway.console.redaction.mark import Mark
from gateway.console.redaction.patterns import (
    ADDRESSES,
    AGES,
    CONTACTS,
    DATES,
    HIDE,
    NUMBERS,
    PHONE,
    REST,
    Patterns,
    announced_names,
    known_names,
    listed_names,
    towns,
)


class Mask:
    """Replaces what it knows by a word in square brackets, and counts what it hid.

    Args:
        patterns: what is hidden, and how it is known: the whole match, or its group `hide`.
    """

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self.hidden = 0

    @classmethod
    def nothing(cls) -> Mask:
        """Hides nothing."""
        return cls([])

    @classmethod
    def phones(cls) -> Mask:
        """Hides telephone numbers alone."""
        return cls([("phone number", PHONE)])

    @classmethod
    def limited(cls, known: Iterable[str] = ()) -> Mask:
        """Hides names, addresses, telephone numbers, e-mail and web addresses, dates, and numbers of records.

        Args:
            known: names that are known, such as those of the staff.
        """
        return cls(
            [*known_names(known), *CONTACTS, *ADDRESSES, *NUMBERS, *DATES, ("phone number", PHONE), *announced_names(), *listed_names()]
        )

    @classmethod
    def deidentified(cls, known: Iterable[str] = ()) -> Mask:
        """Hides what `limited` hides, and towns, ZIP codes, ages over 89, months, and every number of five digits or more."""
        return cls([*cls.limited(known)._patterns, *AGES, *towns(), *REST])

    @staticmethod
    def find_phones(text: str) -> list[str]:
        """The telephone numbers in a text, as typed."""
        return [found.group().strip() for found in PHONE.finditer(text)]

    @staticmethod
    def find_names(text: str) -> list[str]:
        """The names in a text that the words around them give away, to be hidden wherever else they stand."""
        return [found[HIDE] for _, pattern in announced_names() for found in pattern.finditer(text)]

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
        """The places that are hidden; of two that overlap, one place that covers both, under the name of the first and longer one."""
        kept: list[tuple[int, int, str]] = []
        for start, end, name in sorted(self._found(text), key=lambda span: (span[0], -span[1])):
            if kept and start < kept[-1][1]:
                kept[-1] = (kept[-1][0], max(end, kept[-1][1]), kept[-1][2])
            else:
                kept.append((start, end, name))
        return kept

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        for name, pattern in self._patterns:
            group = HIDE if HIDE in pattern.groupindex else 0
            for match in pattern.finditer(text):
                part = group if match[group] is not None else 0
                if match.end(part) > match.start(part):
                    yield match.start(part), match.end(part), name
