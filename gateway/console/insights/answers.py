"""How messages were answered, and what the leaflet does not answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from gateway.console.redaction.mask import Mask
from gateway.records.store import Event, Records
from gateway.records.tables import event, triage_case

OPENED_MOST = 500
_ANSWERS_MOST = 20_000
_EXAMPLES = 5
_SILENT, _OUT_OF_SCOPE, _RASA = "not_in_leaflet", "out_of_scope", "rasa"
_PURGED = "purged"


@dataclass(frozen=True)
class Example:
    """A message that the leaflet does not answer, with telephone numbers hidden."""

    case: int
    text: str


@dataclass(frozen=True)
class Unanswered:
    """Questions that the leaflet does not answer, of one meaning and subject; the newest few as examples.

    Attributes:
        meaning: the intent; empty where it is not known, `purged` where the words were deleted.
        topic: the id of the FAQ topic that was asked about; empty without any.
        findings: the codes of the findings that the message named.
    """

    meaning: str
    topic: str
    findings: tuple[str, ...]
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Answers:
    """How messages were answered.

    Attributes:
        all: how many answers were looked at.
        cut: there are more; the newest were looked at.
        alone: answers that were made without Rasa, by cause.
        out_of_scope: answers that say that this is nothing for the assistant.
        silent: answers that say that the leaflet does not say.
        unanswered: the newest of those, by meaning and subject; `opened` is how many were read for it.
    """

    all: int
    cut: bool
    alone: Mapping[str, int]
    out_of_scope: int
    silent: int
    unanswered: tuple[Unanswered, ...]
    opened: int


@dataclass
class _Subject:
    count: int = 0
    examples: list[Example] = field(default_factory=list)


def read_answers(records: Records, start: datetime, *, words: bool) -> Answers:
    """How messages were answered since a moment.

    Args:
        records: the gateway's records.
        start: the moment.
        words: with the patients' words as examples of what was not answered.
    """
    rows, cut = _newest_answers(records.engine, start)
    silent = [row for row in rows if row.facts.get("type") == _SILENT]
    alone = Counter(str(row.facts.get("cause") or "unknown") for row in rows if row.facts.get("by") != _RASA)
    return Answers(
        all=len(rows),
        cut=cut,
        alone=dict(alone.most_common()),
        out_of_scope=sum(row.facts.get("type") == _OUT_OF_SCOPE for row in rows),
        silent=len(silent),
        unanswered=_by_subject(records, silent[:OPENED_MOST], words=words),
        opened=min(len(silent), OPENED_MOST),
    )


def _by_subject(records: Records, silent: list[Any], *, words: bool) -> tuple[Unanswered, ...]:
    subjects: dict[tuple[str, str, tuple[str, ...]], _Subject] = {}
    opened = {row.conversation_id: records.events(row.conversation_id) for row in silent}
    for row in silent:
        events = {each.seq: each for each in opened[row.conversation_id]}
        answer, message = events[row.seq], events.get(row.reply_to)
        mine = subjects.setdefault(_subject_of(answer), _Subject())
        mine.count += 1
        if words and message is not None and message.words is not None and len(mine.examples) < _EXAMPLES:
            mine.examples.append(Example(row.case, Mask.phones()(str(message.words["text"]))))
    return tuple(
        Unanswered(*subject, each.count, tuple(each.examples))
        for subject, each in sorted(subjects.items(), key=lambda item: (-item[1].count, item[0]))
    )


def _subject_of(answer: Event) -> tuple[str, str, tuple[str, ...]]:
    """What was asked about: the meaning, the topic and the findings of the message, as it was understood."""
    if answer.words is None:
        return _PURGED, "", ()
    understood = answer.words["understood"]
    findings = {str(finding["code"]) for finding in understood.get("findings", ())}
    return str(understood.get("meaning") or ""), str(answer.words.get("topic") or ""), tuple(sorted(findings))


def _newest_answers(engine: Engine, start: datetime) -> tuple[list[Any], bool]:
    """The newest answers since a moment with the numbers of their cases, and whether older ones were left out. Probes have no case."""
    e, c = event.c, triage_case.c
    query = (
        select(e.conversation_id, e.seq, e.reply_to, e.facts, c.id.label("case"))
        .join(triage_case, c.conversation_id == e.conversation_id)
        .where(e.kind == "answer", e.at >= start)
        .order_by(e.at.desc())
        .limit(_ANSWERS_MOST + 1)
    )
    with engine.connect() as connection:
        rows = list(connection.execute(query))
    return rows[:_ANSWERS_MOST], len(rows) > _ANSWERS_MOST
