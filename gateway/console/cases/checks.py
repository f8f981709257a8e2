"""The danger check in a conversation's record: what became of each row, when, by tap or by words, and how the check ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from aftercare.protocol.model import DangerCheck, Disposition
from gateway.console.cases.waits import share
from gateway.dialogue.rows import STATES, RowState
from gateway.records.signals import Standing
from gateway.records.tables import event, triage_case

_ANSWERED = (RowState.YES, RowState.NO, RowState.NOT_SURE)
DANGEROUS = (RowState.YES, RowState.NOT_SURE)
_KINDS = ("message", "answer", "left")
_MOST = 40_000


class How(StrEnum):
    """How a row was answered; empty for what is no answer."""

    TAP = "tap"
    WORDS = "words"
    NOT = ""


@dataclass(frozen=True)
class Step:
    """Something that became of a row.

    Attributes:
        seq: the patient's message that answered it, else the event that asked it or tells that it was left.
    """

    state: RowState
    at: datetime
    seq: int
    how: How = How.NOT


@dataclass(frozen=True)
class CheckRow:
    """A row that was shown.

    Attributes:
        text: as the patient read it.
        danger: Yes is an emergency.
        course: what became of it, in order; never empty.
    """

    fact: str
    text: str
    danger: bool
    course: tuple[Step, ...]

    @property
    def last(self) -> Step:
        """What became of it in the end."""
        return self.course[-1]


def courses(events: Iterable[Any]) -> dict[str, tuple[Step, ...]]:
    """What became of each row that was shown, row -> steps in order, from a conversation's events in order."""
    found: dict[str, list[Step]] = {}
    heard: dict[int | None, datetime] = {}
    for each in events:
        if each.kind == "message":
            heard[each.seq] = each.at
        for fact, value in each.facts.get("rows", {}).items():
            step = _step(each, value, heard)
            course = found.setdefault(fact, [])
            if not course or course[-1].state != step.state:
                course.append(step)
    return {fact: tuple(course) for fact, course in found.items()}


def _step(each: Any, value: str, heard: Mapping[int | None, datetime]) -> Step:
    """A tap stands in the message itself, and words in what their answer made of them."""
    if each.kind == "message":
        return Step(RowState(STATES[value]), each.at, each.seq, How.TAP)
    state = RowState(value)
    if state in _ANSWERED:
        return Step(state, heard.get(each.reply_to, each.at), each.reply_to or each.seq, How.WORDS)
    return Step(state, each.at, each.seq)


def rows_shown(events: Iterable[Any], check: DangerCheck) -> tuple[CheckRow, ...]:
    """The rows that were shown in a conversation, in the protocol's order; those that it no longer has come last.

    Args:
        events: all events of the conversation, opened.
        check: names and orders the rows; a row's text is that of its last showing, where its words are still there.
    """
    events = list(events)
    known = {row.fact: row for row in check.rows}
    texts = {fact: row.text for fact, row in known.items()}
    for each in events:
        if each.kind == "answer" and each.words is not None:
            texts |= {row["fact"]: row["text"] for row in each.words.get("rows", ())}
    order = {fact: number for number, fact in enumerate(known)}
    found = sorted(courses(events).items(), key=lambda item: order.get(item[0], len(order)))
    return tuple(
        CheckRow(fact, texts.get(fact, fact), fact in known and known[fact].tier is Disposition.EMERGENCY, course) for fact, course in found
    )


def alarming(rows: Iterable[CheckRow], seq: int, answers: Mapping[str, str]) -> tuple[str, ...]:
    """The rows that a message answered dangerously, each as question and answer.

    Args:
        rows: the rows of the conversation.
        seq: the message.
        answers: what `yes` and `unsure` read.
    """
    words = {RowState.YES: answers["yes"], RowState.NOT_SURE: answers["unsure"]}
    return tuple(f"{row.text} {words[step.state]}" for row in rows for step in row.course if step.seq == seq and step.state in DANGEROUS)


class End(StrEnum):
    """How a danger check ended, or that it waits.

    `finished`: each row was answered, or an emergency was said before. `passed_over`: it came with information, and rows stayed open.
    `left_before`: it stood before an answer and was left. `left_behind`: it came with 'call your doctor' and was left.
    """

    FINISHED = "finished"
    PASSED_OVER = "passed_over"
    LEFT_BEFORE = "left_before"
    LEFT_BEHIND = "left_behind"
    WAITING = "waiting"


_ENDS = {
    Standing.UNFINISHED: End.LEFT_BEFORE,
    Standing.LEFT: End.LEFT_BEHIND,
    Standing.BEFORE: End.WAITING,
    Standing.BEHIND: End.WAITING,
    Standing.NONE: End.PASSED_OVER,
}


def ending(events: Iterable[Any]) -> tuple[End, timedelta] | None:
    """How a conversation's check ended, and how long it took from its last showing to that; None when none was shown.

    The time means something for a finished one alone.
    """
    began: datetime | None = None
    ended: datetime | None = None
    still, standing = set[str](), Standing.NONE
    heard: dict[int | None, datetime] = {}
    for each in events:
        if each.kind == "message":
            heard[each.seq] = each.at
            continue
        states = each.facts.get("rows", {})
        still = (still | states.keys()) - {fact for fact, state in states.items() if state in _ANSWERED}
        still = set() if each.disposition == Disposition.EMERGENCY.wire else still
        standing = Standing.LEFT if each.kind == "left" else Standing(each.facts.get("check", Standing.NONE))
        if still and (began is None or ended is not None):
            began, ended = each.at, None
        if began is not None and ended is None and not still:
            ended = heard.get(each.reply_to, each.at)
    if began is None:
        return None
    return (End.FINISHED, ended - began) if ended is not None else (_ENDS[standing], timedelta())


@dataclass(frozen=True)
class RowCount:
    """Of a row: in how many conversations it was shown, and in how many it stands at Yes and at 'not sure'."""

    fact: str
    shown: int
    yes: int
    not_sure: int


@dataclass(frozen=True)
class Checks:
    """The danger checks of some conversations; one that showed it more than once counts once, as it stands.

    Attributes:
        median: the time from the card to its end, of those that were finished; None without any.
        cut: there are more; the newest were counted.
    """

    ends: Mapping[End, int]
    median: timedelta | None
    rows: tuple[RowCount, ...]
    cut: bool

    @property
    def shown(self) -> int:
        """In how many conversations it was shown."""
        return sum(self.ends.values())


def checks(connection: Connection, start: datetime) -> Checks:
    """The danger checks of the conversations that began since a moment. Nothing is opened: only what stands unencrypted is read."""
    conversations, cut = _conversations(connection, start)
    ends, times = Counter[End](), list[timedelta]()
    shown, yes, not_sure = Counter[str](), Counter[str](), Counter[str]()
    for events in conversations:
        end = ending(events)
        if end is None:
            continue
        ends[end[0]] += 1
        times += [end[1]] if end[0] is End.FINISHED else []
        last = {fact: course[-1].state for fact, course in courses(events).items()}
        shown.update(last.keys())
        yes.update(fact for fact, state in last.items() if state is RowState.YES)
        not_sure.update(fact for fact, state in last.items() if state is RowState.NOT_SURE)
    rows = [RowCount(fact, number, yes[fact], not_sure[fact]) for fact, number in shown.items()]
    rows.sort(key=lambda row: (-row.yes, -row.not_sure, row.fact))
    return Checks(ends, share(sorted(times), 0.5), tuple(rows), cut)


def _conversations(connection: Connection, start: datetime) -> tuple[list[list[Any]], bool]:
    """The events of each conversation in order, the newest conversation first, and whether older ones were left out."""
    e, c = event.c, triage_case.c
    query = (
        select(c.id, e.seq, e.kind, e.at, e.reply_to, e.disposition, e.facts)
        .join(event, e.conversation_id == c.conversation_id)
        .where(c.opened_at >= start, e.kind.in_(_KINDS))
        .order_by(c.id.desc(), e.seq)
        .limit(_MOST + 1)
    )
    rows = connection.execute(query).all()
    found = [list(events) for _, events in groupby(rows, key=lambda row: row.id)]
    cut = len(rows) > _MOST
    return (found[:-1] if cut else found), cut
