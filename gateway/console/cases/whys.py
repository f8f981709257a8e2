"""Why a case is in the queue, in the patient's own words, for the lines of one page. Opened words are kept in memory alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import select

from aftercare.conversation import Conversation
from aftercare.protocol import Library
from gateway.console.cases.checks import rows_shown
from gateway.console.cases.explained import Explained
from gateway.console.cases.rows import Row
from gateway.console.redaction.mask import Mask
from gateway.records.store import Event, Records
from gateway.records.tables import case_rule

_KEPT = 4_000
_MOST = 4


@dataclass(frozen=True)
class Quote:
    """What a patient said, telephone numbers masked.

    Attributes:
        question: what it answered; empty without any.
    """

    words: str
    question: str = ""


@dataclass(frozen=True)
class Why:
    """The words that brought a case before a nurse.

    Attributes:
        quotes: the patient's words for what the deciding rule rests on; the last message where no rule fired.
        rows: rows of the danger check that were answered dangerously, each as question and answer.
        left: the question that was left unanswered; empty without any.
        purged: the words were deleted.
    """

    quotes: tuple[Quote, ...] = ()
    rows: tuple[str, ...] = ()
    left: str = ""
    purged: bool = False


class Whys:
    """Opens the words of a page's cases; those of a case that has not changed are opened once.

    Args:
        records: the gateway's records.
        library: rules, questions and rows of every protocol in force.
    """

    def __init__(self, records: Records, library: Library) -> None:
        self._records = records
        self._library = library
        self._known: OrderedDict[tuple[int, int], Why] = OrderedDict()
        self._lock = Lock()

    def of(self, rows: Iterable[Row]) -> Mapping[int, Why]:
        """Why each of these cases is in the queue, by the case's number."""
        rows = list(rows)
        readable = self._records.readable([row.conversation for row in rows])
        purged = {row.id: Why(purged=True) for row in rows if row.conversation not in readable}
        with self._lock:
            kept = {row.id: self._known[row.id, row.version] for row in rows if (row.id, row.version) in self._known}
        missing = [row for row in rows if row.id not in purged and row.id not in kept]
        opened = self._open(missing)
        with self._lock:
            for row in rows:
                self._keep(row, opened.get(row.id), forget=row.id in purged)
        return kept | opened | purged

    def _keep(self, row: Row, why: Why | None, *, forget: bool) -> None:
        key = (row.id, row.version)
        if forget:
            self._known.pop(key, None)
            return
        if why is not None:
            self._known[key] = why
        if key in self._known:
            self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _open(self, rows: list[Row]) -> dict[int, Why]:
        if not rows:
            return {}
        r = case_rule.c
        fired = select(case_rule).where(r.case_id.in_([row.id for row in rows])).order_by(r.tier, r.seq, r.rank.desc())
        with self._records.engine.connect() as connection:
            deciding = {rule.case_id: rule for rule in connection.execute(fired)}
        turns = self._records.turns([row.conversation for row in rows])
        return {row.id: self._why(row, deciding.get(row.id), turns[row.conversation]) for row in rows}

    def _why(self, row: Row, rule: Any, events: list[Event]) -> Why:
        mask = Mask.phones()
        if rule is None:
            return Why(_last_message(events, mask))
        protocol = self._library.bound(*row.bound)
        explained = Explained(protocol)
        last = next((event for event in reversed(events) if event.kind == "answer" and event.words is not None), None)
        conversation = Conversation.parse(last.words["conversation"]) if last and last.words else Conversation()
        (complaint,) = explained.complaints([rule], rows_shown(events, protocol.danger_check), conversation, events, mask)
        grounds = explained.grounds(rule.rule, conversation, events, mask)
        said = dict.fromkeys(
            Quote(each.evidence, each.question) for each in grounds if each.evidence and each.evidence not in complaint.rows
        )
        quotes = tuple(said) or ((Quote(complaint.words, complaint.question),) if complaint.words and not complaint.rows else ())
        return Why(quotes[:_MOST], complaint.rows[:_MOST], complaint.question if complaint.left else "")


def _last_message(events: list[Event], mask: Mask) -> tuple[Quote, ...]:
    texts = [str(event.words["text"]) for event in events if event.kind == "message" and event.words is not None]
    last = next((text for text in reversed(texts) if text.strip()), "")
    return (Quote(mask(last)),) if last else ()
