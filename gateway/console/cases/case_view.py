"""One case as a nurse reads it, in SBAR order: the words that alarmed, why they did, what was not asked, what the patient was told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from aftercare.conversation import Conversation
from aftercare.protocol import Key, Library, Protocol
from gateway.console.cases.case_contact import Contact, Related, contact_of, numbers_left, related_to
from gateway.console.cases.checks import CheckRow, rows_shown
from gateway.console.cases.explained import Complaint, Explained, Known
from gateway.console.cases.queue import Queue
from gateway.console.cases.rows import Row
from gateway.console.cases.transcript import ANSWER, MESSAGE, SHOWN, TURNS, Entry, entry_of
from gateway.console.policy import Policy
from gateway.console.redaction.mask import Mask
from gateway.contact.callbacks import Callbacks
from gateway.records.store import Event, Records
from gateway.records.tables import case_act, case_rule, disagreement, notice, staff, triage_case


@dataclass(frozen=True)
class Act:
    """Something a nurse, or the console itself, did."""

    id: int
    at: datetime
    who: str
    kind: str
    facts: Mapping[str, Any]
    words: Mapping[str, Any] | None


@dataclass(frozen=True)
class Disagreement:
    """A nurse's disagreement with an answer, and the second reviewer's verdict."""

    id: int
    case: int
    seq: int
    at: datetime
    by: str
    kind: str
    accepted: tuple[str, ...]
    reason: str | None
    reviewed_at: datetime | None
    reviewer: str | None
    verdict: str | None


@dataclass(frozen=True)
class Notice:
    """A message to the rota and what became of it."""

    at: datetime
    level: int
    channel: str
    recipient: str
    sent_at: datetime | None
    given_up_at: datetime | None
    attempts: int
    problem: str | None


@dataclass(frozen=True)
class CaseView:
    """A case.

    Attributes:
        row: its line in the queue.
        protocol: what answers the conversation and explains it here; the default one where what it is bound to is no longer in force.
        complaints: the rules that fired, the most urgent first.
        days_since_procedure: None when it was not said.
        writer: `patient` or `helper`.
        not_asked: questions that could have changed the disposition and were not asked.
        asked: questions that were asked.
        check: the rows of the danger check that were shown, and what became of each.
        entries: the messages and answers; `transcript`: these and what else patient and nurses read.
        contact: how patient and nurses stand to each other.
        phones: how many telephone numbers stand masked in the transcript.
        delivered_at: when the last answer went out to the patient's browser.
        undelivered: how many answers did not.
        purged: the words are unreadable for good.
    """

    row: Row
    conversation: str
    embed_key: str
    protocol: Protocol
    complaints: tuple[Complaint, ...]
    findings: tuple[Known, ...]
    days_since_procedure: int | None
    writer: str
    asked: tuple[str, ...]
    not_asked: tuple[str, ...]
    check: tuple[CheckRow, ...]
    entries: tuple[Entry, ...]
    transcript: tuple[Entry, ...]
    contact: Contact
    acts: tuple[Act, ...]
    disagreements: tuple[Disagreement, ...]
    notices: tuple[Notice, ...]
    phones: int
    delivered_at: datetime | None
    undelivered: int
    closed_by_patient: str
    outcome: str | None
    purged: bool

    @property
    def bound(self) -> Key:
        """The protocol and the language that the conversation is bound to."""
        return self.row.bound

    @property
    def in_force(self) -> bool:
        """Whether what the conversation is bound to is still in force."""
        return self.bound == self.protocol.key


@dataclass(frozen=True)
class _Stored:
    """What the database has of a case beside its conversation, words sealed, and the names of all accounts."""

    case: Any
    rules: Sequence[Any]
    acts: Sequence[Any]
    disagreements: Sequence[Any]
    notices: tuple[Notice, ...]
    names: Mapping[int, str]


class CaseViews:
    """Reads cases.

    Args:
        records: the gateway's records.
        library: labels, rules and questions of every protocol in force.
        policy: the limits.
    """

    def __init__(self, records: Records, library: Library, policy: Policy) -> None:
        self._records = records
        self._library = library
        self._policy = policy
        self._callbacks = Callbacks(records, library, policy.contact)
        self._queue = Queue(records.engine, policy, records.clock)

    def read(self, number: int, mask: Mask | None = None) -> CaseView | None:
        """A case; None when there is none of this number.

        Args:
            number: the case's number.
            mask: hides what it knows in every text; by default telephone numbers in the patient's words, which show behind a click alone.
        """
        own_words, mask = mask or Mask.nothing(), mask or Mask.phones()
        row = self._queue.one(number)
        if row is None:
            return None
        same = self._callbacks.same_caller(number)
        with self._records.engine.connect() as connection:
            stored = _stored(connection, number)
            related = related_to(connection, stored.case, same)
        case, names = stored.case, stored.names
        events = self._records.events(case.conversation_id)
        delivered, delivered_at = self._records.delivered(case.conversation_id)
        protocol = self._library.bound(*row.bound)
        explained = Explained(protocol)
        transcript = tuple(entry_of(event, events, delivered, mask, own_words, explained) for event in events if event.kind in SHOWN)
        last = next((event for event in reversed(events) if event.kind == "answer" and event.words is not None), None)
        conversation = Conversation.parse(last.words["conversation"]) if last and last.words else Conversation()
        day = conversation.procedure_day
        asked, check = explained.asked(events), rows_shown(events, protocol.danger_check)
        return CaseView(
            row=row,
            conversation=case.conversation_id,
            embed_key=self._records.embed_key(case.conversation_id),
            protocol=protocol,
            complaints=explained.complaints(stored.rules, check, conversation, events, mask),
            findings=explained.findings(conversation, events, mask),
            days_since_procedure=(protocol.clinic.day(case.last_at) - date.fromisoformat(day)).days if day else None,
            writer=next((e.facts["writer"] for e in reversed(events) if e.kind == "writer"), conversation.writer or "patient"),
            asked=tuple(asked.values()),
            not_asked=explained.not_asked(conversation, asked, check),
            check=check,
            entries=tuple(entry for entry in transcript if entry.kind in TURNS),
            transcript=transcript,
            contact=self._contact(case, events, related, names, mask),
            acts=tuple(self._act(case.conversation_id, act, names) for act in stored.acts),
            disagreements=tuple(self._disagreement(case.conversation_id, each, names) for each in stored.disagreements),
            notices=stored.notices,
            phones=len(_phones(events)),
            delivered_at=delivered_at,
            undelivered=sum(entry.kind == ANSWER and not entry.delivered and not entry.detail["held"] for entry in transcript),
            closed_by_patient=next((event.kind for event in events if event.kind in ("ended", "expired")), ""),
            outcome=case.outcome,
            purged=any(event.kind == "message" and event.words is None for event in events),
        )

    def number_of(self, conversation: str) -> int | None:
        """The number of a conversation's case."""
        with self._records.engine.connect() as connection:
            return connection.scalar(select(triage_case.c.id).where(triage_case.c.conversation_id == conversation))

    def phones(self, number: int) -> list[str]:
        """The telephone numbers that a patient left for a call, and those in the patient's words as typed."""
        with self._records.engine.connect() as connection:
            name = connection.scalar(select(triage_case.c.conversation_id).where(triage_case.c.id == number))
        return _phones(self._records.events(str(name)))

    def _contact(self, case: Any, events: list[Event], related: tuple[Related, ...], names: Mapping[int, str], mask: Mask) -> Contact:
        session, undo = self._records.session_of(case.conversation_id), self._policy.acts.undo
        return contact_of(case, events, session, related, names, self._records.clock(), undo, mask)

    def _act(self, conversation: str, row: Any, names: Mapping[int, str]) -> Act:
        words = self._records.open(conversation, row.sealed, act_associated_data(row.kind, row.at))
        return Act(row.id, row.at, names.get(row.staff_id, "Aftercare"), row.kind, row.facts, words)

    def _disagreement(self, conversation: str, row: Any, names: Mapping[int, str]) -> Disagreement:
        words = self._records.open(conversation, row.sealed, act_associated_data("disagreement", row.at))
        return Disagreement(
            row.id, row.case_id, row.seq, row.at, names.get(row.staff_id, "?"), row.kind, tuple(row.accepted),
            words["reason"] if words else None, row.reviewed_at, names.get(row.reviewer_id), row.verdict,
        )  # fmt: skip


def _stored(connection: Connection, number: int) -> _Stored:
    def of_case(table: Table) -> Sequence[Any]:
        return connection.execute(select(table).where(table.c.case_id == number).order_by(table.c.id)).all()

    return _Stored(
        case=connection.execute(select(triage_case).where(triage_case.c.id == number)).one(),
        rules=connection.execute(select(case_rule).where(case_rule.c.case_id == number)).all(),
        acts=of_case(case_act),
        disagreements=of_case(disagreement),
        notices=tuple(
            Notice(n.created_at, n.level, n.channel, n.recipient, n.sent_at, n.given_up_at, n.attempts, n.problem) for n in of_case(notice)
        ),
        names={row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))},
    )


def _phones(events: Iterable[Event]) -> list[str]:
    events = list(events)
    texts = [str(event.words["text"]) for event in events if event.kind == MESSAGE and event.words is not None]
    found = [*numbers_left(events), *(phone for text in texts for phone in Mask.find_phones(text))]
    by_digits: dict[str, str] = {}
    for phone in found:
        by_digits.setdefault(re.sub(r"\D", "", phone), phone)
    return list(by_digits.values())


def act_associated_data(kind: str, at: datetime) -> str:
    """What is authenticated with the sealed words of an act, so that they open as those of this act alone."""
    return f"{kind}/{at.isoformat()}"
