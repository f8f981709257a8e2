"""How patient and nurses of one case stand to each other: requests for a call, who holds the chat, what was set by hand, other chats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select

from gateway.console.redaction.mask import Mask
from gateway.contact.follow_ups import FOLLOW_UP, FOLLOWED
from gateway.contact.statuses import CALLBACK
from gateway.records.signals import ACKNOWLEDGED, tier_of
from gateway.records.store import Event, Session
from gateway.records.tables import triage_case
from gateway.records.tier import Tier

_MOST = 10


@dataclass(frozen=True)
class Call:
    """A request for a call that is still open.

    Attributes:
        since: when the first one was made; `due`: until when a nurse was promised to read it.
        details: `name`, `whose` and `best` of the latest one, as far as given, telephone numbers in them masked; None when purged.
    """

    since: datetime
    due: datetime
    details: Mapping[str, str] | None


@dataclass(frozen=True)
class Reached:
    """Whether the patient reached somebody.

    Attributes:
        question: as the patient read it; None when purged.
        answer: `reached`, `nobody` or `not_yet`; empty while the question waits.
        words: the answer as the patient read it; None without any.
    """

    at: datetime
    question: str | None
    answer: str
    words: str | None


@dataclass(frozen=True)
class Lowering:
    """An emergency that is to be lowered when a second person agrees."""

    to: Tier
    by: int
    name: str


@dataclass(frozen=True)
class Related:
    """Another case of perhaps the same person; `joined`: a nurse said that it is."""

    number: int
    tier: Tier
    state: str
    last_at: datetime
    joined: bool


@dataclass(frozen=True)
class Contact:
    """How patient and nurses stand to each other.

    Attributes:
        tier: how urgent the case counts as; `by_rules`: as its advice says.
        by_hand: a nurse set it.
        holder: who holds the chat until `held_until`; None when nobody does.
        next_attempt_at: when the next try to reach the patient is due.
        is_joined: it is joined with other cases.
        chat_is_open: what a nurse writes reaches the patient.
        undo_until: how long `acknowledged_by` can take the acknowledgement back.
        unread: how many of the patient's words no nurse has opened.
    """

    tier: Tier
    by_rules: Tier
    by_hand: bool
    call: Call | None
    reached: Reached | None
    holder: str | None
    held_by: int | None
    held_until: datetime | None
    lowering: Lowering | None
    next_attempt_at: datetime | None
    related: tuple[Related, ...]
    is_joined: bool
    chat_is_open: bool
    acknowledged_by: int | None
    undo_until: datetime | None
    unread: int


def contact_of(
    case: Any,
    events: Sequence[Event],
    session: Session | None,
    related: tuple[Related, ...],
    names: Mapping[int, str],
    now: datetime,
    undo: timedelta,
    mask: Mask,
) -> Contact:
    """How patient and nurses of a case stand to each other.

    Args:
        case: a row of `triage_case`.
        events: all of the conversation.
        session: the patient's.
        related: other cases of perhaps the same person.
        names: of all accounts.
        now: the moment.
        undo: how long an acknowledgement can be taken back.
        mask: hides what it knows in the patient's words.
    """
    held = case.held_until is not None and case.held_until > now
    acknowledged = case.state == ACKNOWLEDGED and case.acknowledged_at is not None
    return Contact(
        tier=tier_of(dict(case._mapping)),
        by_rules=Tier(case.tier),
        by_hand=case.by_hand is not None,
        call=_call(case, events, mask),
        reached=_reached(events),
        holder=names.get(case.held_by, "?") if held else None,
        held_by=case.held_by if held else None,
        held_until=case.held_until if held else None,
        lowering=Lowering(Tier(case.lower_to), case.lower_asked_by, names.get(case.lower_asked_by, "?"))
        if case.lower_to is not None
        else None,
        next_attempt_at=case.next_attempt_at,
        related=related,
        is_joined=case.joined is not None,
        chat_is_open=session is not None and not session.is_over(now),
        acknowledged_by=case.acknowledged_by,
        undo_until=case.acknowledged_at + undo if acknowledged else None,
        unread=case.unread,
    )


def related_to(connection: Connection, case: Any, same: Sequence[int]) -> tuple[Related, ...]:
    """The cases that a case is joined with, and the latest ones whose patients left the same number.

    Args:
        connection: the records' database.
        case: a row of `triage_case`.
        same: the numbers of the cases whose patients left the same telephone number, the latest first.
    """
    c, latest = triage_case.c, same[:_MOST]
    mine = or_(c.id.in_(latest), c.joined == case.joined) if case.joined is not None else c.id.in_(latest)
    rows = connection.execute(select(triage_case).where(mine, c.id != case.id).order_by(c.id.desc())).all()
    return tuple(
        Related(row.id, tier_of(dict(row._mapping)), row.state, row.last_at, case.joined is not None and row.joined == case.joined)
        for row in rows
    )


def numbers_left(events: Iterable[Event]) -> list[str]:
    """The telephone numbers of the requests for a call, the latest first."""
    return list(dict.fromkeys(str(e.words["number"]) for e in reversed(list(events)) if e.kind == CALLBACK and e.words is not None))


def _call(case: Any, events: Sequence[Event], mask: Mask) -> Call | None:
    if case.callback_at is None:
        return None
    last = next((event for event in reversed(events) if event.kind == CALLBACK), None)
    words = last.words if last is not None else None
    details = {name: mask(str(words[name])) for name in ("name", "whose", "best") if name in words} if words is not None else None
    return Call(case.callback_at, case.callback_due, details)


def _reached(events: Sequence[Event]) -> Reached | None:
    asked = next((event for event in reversed(events) if event.kind == FOLLOW_UP), None)
    if asked is None:
        return None
    question = asked.words["text"] if asked.words is not None else None
    answer = next((event for event in events if event.kind == FOLLOWED and event.facts["question"] == asked.seq), None)
    if answer is None:
        return Reached(asked.at, question, "", None)
    return Reached(answer.at, question, answer.facts["answer"], answer.words["text"] if answer.words is not None else None)
