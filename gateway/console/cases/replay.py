"""Replay: stored conversations once more, by today's protocol and by a candidate for its place, and where their dispositions differ.

A candidate takes the place of the protocol of its id and language. Conversations that are bound to another one are left out: nothing
changes for them. Both are replayed by the core alone, which reads with the lexicon; the classifier's second opinion is no part of a replay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from aftercare.assistant import Assistant
from aftercare.protocol import Library, Protocol
from gateway.dialogue.binding import begun
from gateway.dialogue.entries import rows_of
from gateway.records.store import Event, Records
from gateway.records.tables import triage_case
from gateway.records.tier import TIERS

MORE, LESS, SAME = "more urgent", "less urgent", "same"


class UnmatchedError(ValueError):
    """A candidate that would take the place of no protocol in force; the message says which there are."""


@dataclass(frozen=True)
class Outcome:
    """What a conversation came to under a protocol: its most urgent tier, and the rules that fired."""

    tier: int
    rules: frozenset[str]


@dataclass(frozen=True)
class Change:
    """One conversation under two protocols.

    Attributes:
        case: the case's number.
        got: the most urgent tier that the patient really got, with the classifier's help.
        before: by today's protocol.
        after: by the candidate.
    """

    case: int
    got: int
    before: Outcome
    after: Outcome

    @property
    def verdict(self) -> str:
        """`more urgent`, `less urgent` or `same`."""
        if self.after.tier == self.before.tier:
            return SAME
        return MORE if self.after.tier > self.before.tier else LESS

    @property
    def newly(self) -> tuple[str, ...]:
        """Rules that fire with the candidate alone."""
        return tuple(sorted(self.after.rules - self.before.rules))

    @property
    def no_longer(self) -> tuple[str, ...]:
        """Rules that fire with today's protocol alone."""
        return tuple(sorted(self.before.rules - self.after.rules))

    @property
    def differs(self) -> bool:
        """Whether the tier or any rule is another."""
        return self.before != self.after


@dataclass(frozen=True)
class Report:
    """What a replay found.

    Attributes:
        before: id and version of today's protocol.
        after: id and version of the candidate.
        purged: cases that were left out, because their words are unreadable for good.
        others: how many cases were left out, because they are bound to another protocol or language.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    purged: tuple[int, ...]
    others: int = 0

    @property
    def different(self) -> list[Change]:
        """The conversations that come out otherwise: less urgent ones first, then more urgent ones, then those with other rules alone."""
        order = (LESS, MORE, SAME)
        return sorted((change for change in self.changes if change.differs), key=lambda each: (order.index(each.verdict), each.case))

    def count(self, verdict: str) -> int:
        """How many conversations have this verdict."""
        return sum(change.verdict == verdict for change in self.changes)

    @property
    def matrix(self) -> Mapping[tuple[int, int], int]:
        """How many conversations went from one tier to another."""
        return Counter((change.before.tier, change.after.tier) for change in self.changes)

    @property
    def audited(self) -> dict[str, Any]:
        """What the audit keeps of it."""
        counts = {"replayed": len(self.changes), "less_urgent": self.count(LESS), "more_urgent": self.count(MORE)}
        return {"before": self.before, "after": self.after, **counts, "purged": len(self.purged), "others": self.others}


class Replay:
    """Replays conversations.

    Args:
        records: the gateway's records.
        library: the protocols in force.
        candidate: the protocol that may follow the one of its id and language.

    Raises:
        UnmatchedError: none of that id and language is in force.
    """

    def __init__(self, records: Records, library: Library, candidate: Protocol) -> None:
        today = library.find(*candidate.key)
        if today is None or today.key != candidate.key:
            known = ", ".join(" ".join(protocol.key) for protocol in library)
            raise UnmatchedError(f"{' '.join(candidate.key)} would take the place of no protocol. In force are: {known}.")
        self._records = records
        self._today = Assistant(today)
        self._candidate = Assistant(candidate)

    def run(self, numbers: Iterable[int]) -> Report:
        """Replay the conversations of these cases; a number without a case is passed over."""
        changes, purged, others = [], [], 0
        for number, name, tier in _conversations(self._records.engine, numbers):
            if self._records.bound(name) != self._candidate.protocol.key:
                others += 1
                continue
            events = self._records.events(name)
            if any(event.kind == "message" and event.words is None for event in events):
                purged.append(number)
                continue
            changes.append(Change(number, tier, _outcome(self._today, events), _outcome(self._candidate, events)))
        return Report(_version(self._today.protocol), _version(self._candidate.protocol), tuple(changes), tuple(purged), others)


def newest(engine: Engine, since: datetime, most: int | None = None) -> list[int]:
    """The numbers of the cases that opened since a moment, the latest first, and not more than so many."""
    opened = triage_case.c.opened_at
    with engine.connect() as connection:
        return list(connection.scalars(select(triage_case.c.id).where(opened >= since).order_by(opened.desc()).limit(most)))


def parse_numbers(text: str) -> list[int]:
    """Case numbers with commas or spaces between them, each once.

    Raises:
        ValueError: something is no number of a case.
    """
    parts = text.replace(",", " ").split()
    if not all(part.isascii() and part.isdecimal() and len(part) < 16 for part in parts):
        raise ValueError(text)
    return list(dict.fromkeys(map(int, parts)))


def _conversations(engine: Engine, numbers: Iterable[int]) -> Iterator[tuple[int, str, int]]:
    """Number, conversation and tier of each case."""
    for number in numbers:
        with engine.connect() as connection:
            query = select(triage_case.c.conversation_id, triage_case.c.tier).where(triage_case.c.id == number)
            row = connection.execute(query).one_or_none()
        if row is not None:
            yield number, row.conversation_id, row.tier


def _outcome(assistant: Assistant, events: Iterable[Event]) -> Outcome:
    """A conversation's messages in their order, rows of the danger check included, each answered at the moment when it was written."""
    conversation, tier, rules = begun(assistant.protocol.key), 0, set[str]()
    for event in events:
        if event.kind == "writer":
            conversation.writer = event.facts["writer"]
        if event.follows_up:
            conversation, reply = assistant.broken_off(conversation) or (conversation, None)
        elif event.kind == "message" and event.words is not None:
            day, text = assistant.protocol.clinic.day(event.at), str(event.words["text"])
            reading = assistant.read(assistant.most_telling(text, day), day)
            conversation, reply = assistant.respond(conversation, reading, day, at=event.at, answers=_known_rows(assistant.protocol, event))
        else:
            reply = None
        custom: Mapping[str, Any] = reply.custom if reply else {}
        tier = max(tier, TIERS[custom.get("disposition")])
        rules |= set(custom.get("rules", ()))
    return Outcome(tier, frozenset(rules))


def _known_rows(protocol: Protocol, message: Event) -> dict[str, str]:
    """The rows of the danger check that a message answered, without those that this protocol does not have."""
    known = {row.fact for row in protocol.danger_check.rows}
    return {fact: answer for fact, answer in rows_of(message).items() if fact in known}


def _version(protocol: Protocol) -> str:
    return f"{protocol.id} {protocol.version}"
