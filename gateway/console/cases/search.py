"""Looking for words. They are sealed on disk, so the newest conversations that match the filter are opened one by one, in this process."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.cases.rows import Row
from gateway.console.policy import Policy
from gateway.records.store import Records

_MOST = 500
_SHOWN = 100


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        looked: how many conversations were opened.
        whole: every conversation of the filter was.
    """

    rows: tuple[Row, ...]
    looked: int
    whole: bool


class Search:
    """Looks for words.

    Args:
        records: the gateway's records.
        policy: the limits, for the lines of what is found.
    """

    def __init__(self, records: Records, policy: Policy) -> None:
        self._records = records
        self._queue = Queue(records.engine, policy, records.clock)

    def look(self, wanted: Filter, words: str) -> Found:
        """The cases of a filter in whose messages all these words stand, in any order and case; without words, all of the filter."""
        parts = words.casefold().split()
        newest = self._queue.newest(wanted, _MOST + 1)
        rows = [row for row in newest[:_MOST] if not parts or self._has(row.id, parts)]
        return Found(tuple(rows[:_SHOWN]), min(len(newest), _MOST), len(newest) <= _MOST and len(rows) <= _SHOWN)

    def _has(self, number: int, parts: list[str]) -> bool:
        events = self._records.events(self._queue.conversation(number))
        messages = [str(event.words["text"]) for event in events if event.kind == "message" and event.words is not None]
        text = "\n".join(messages).casefold()
        return all(part in text for part in parts)
