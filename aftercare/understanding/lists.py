"""Lists of signs: how far a denial before the first item holds for the others."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from aftercare.understanding.clauses import Clauses
from aftercare.understanding.reading import Status


@dataclass(frozen=True)
class Reach:
    """How far assertion looks, in words or items; see `reach` in the language's assertion.yml."""

    list_carries: int
    list_end: int
    longest_list: int
    short_list: int
    long_list: int
    short_item: int
    longest_piece: int
    taken_back: int
    denial: int


class Lists:
    """Reads lists.

    Args:
        clauses: where the language's clauses end.
        reach: how far is looked.
        names: the words of which a sign's plain name is made.
    """

    def __init__(self, clauses: Clauses, reach: Reach, names: Set[str]) -> None:
        self._clauses = clauses
        self._reach = reach
        self._names = names

    def status(self, norms: Sequence[str], denied_from: int, start: int, end: int) -> Status | None:
        """Whether the denial of a list's first item holds for one behind a comma.

        `no A, B or C` denies all. `no A, did B` tells what stands behind the comma: it is more than a noun, or something behind it is.
        `no A, B` may be either, and so may what stands before `just C` at a list's end.

        Args:
            norms: the text's words.
            denied_from: the word behind the denial.
            start: the mention's first word.
            end: the word behind its last.

        Returns:
            Absent, doubtful, or None where the denial does not hold.
        """
        ahead = set(norms[denied_from : end + self._reach.list_end])
        if ahead & self._clauses.either:
            return Status.ABSENT
        items = self._items(norms[denied_from : denied_from + self._reach.longest_list])
        place = sum(word == "," for word in norms[denied_from:start])
        names = [self.is_name(item, loosely=len(items) >= self._reach.long_list) for item in items]
        first_known = next((number for number, name in enumerate(names) if number and not name), len(items))
        if place < self._contrast(items):
            return Status.DOUBTFUL
        if place < len(names) and not names[place]:
            return None
        if first_known < len(items) and first_known <= self._reach.short_list:
            return None
        return Status.ABSENT if ahead & self._clauses.both else Status.DOUBTFUL

    def _items(self, norms: Sequence[str]) -> list[list[str]]:
        """The items between the commas of a list, up to the sentence's end."""
        items: list[list[str]] = [[]]
        for word in norms:
            if word in self._clauses.ends:
                break
            if word == ",":
                items.append([])
            elif word not in self._clauses.list_words:
                items[-1].append(word)
        return items

    def _contrast(self, items: Sequence[Sequence[str]]) -> int:
        """The place of the item that ends a list of short items by a contrast: `just C`; 0 when there is none."""
        place = next((number for number, item in enumerate(items) if number > 1 and item and item[0] in self._clauses.turns), 0)
        return place if all(len(item) <= self._reach.short_item for item in items[:place]) else 0

    def is_name(self, item: Sequence[str], *, loosely: bool) -> bool:
        """Whether an item of a list is a sign's plain name; in a long list one with a word before its noun is, too."""
        return all(word in self._names for word in (item[-1:] if loosely else item))

    def pieces(self, first: int, between: Sequence[str]) -> list[tuple[int, int]]:
        """Token ranges between list marks: a comma, or a word of a list."""
        marks = [first + number for number, word in enumerate(between) if word in self._clauses.list_words or word == ","]
        begins = [first, *(mark + 1 for mark in marks)]
        return list(zip(begins, [*marks, first + len(between)], strict=True))
