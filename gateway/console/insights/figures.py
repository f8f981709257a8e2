"""The clinic's figures of the last days: how many came, how fast nurses were, what alarmed for nothing, where the leaflet is silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, func, literal, or_, select

from aftercare.protocol.clinic import Clinic
from gateway.console.cases.checks import Checks, checks
from gateway.console.cases.reviews import ACCEPTED, Agreement, agreement
from gateway.console.cases.waits import Summary, Wait, Waiting, closed_unseen, summary, waiting, waits
from gateway.console.policy import Policy
from gateway.console.redaction.mask import Mask
from gateway.records.store import Records
from gateway.records.tables import case_finding, case_rule, disagreement, event, handover, triage_case
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED

SPANS = (7, 30, 90)
SHIFTS = {"day": "07 to 15", "evening": "15 to 23", "night": "23 to 07"}
OPENED_MOST = 500
_ANSWERS_MOST = 20_000
_EXAMPLES = 5
_SILENT, _OUT_OF_SCOPE, _RASA = "not_in_leaflet", "out_of_scope", "rasa"
_NOT_NEEDED, _OVER = "not_needed", "over_triaged"


@dataclass(frozen=True)
class Day:
    """How many conversations began on a day of the clinic's calendar, by tier."""

    day: date
    tiers: Mapping[int, int]

    @property
    def all(self) -> int:
        """How many in all."""
        return sum(self.tiers.values())


@dataclass(frozen=True)
class Speed:
    """How fast some cases were acknowledged.

    Attributes:
        summary: those that were.
        waiting: how many wait now.
        overdue: how many of those wait for longer than they may.
        closed_unseen: how many were closed without an acknowledgement; None where it is not told apart.
    """

    summary: Summary
    waiting: int
    overdue: int
    closed_unseen: int | None = None


@dataclass(frozen=True)
class Alarm:
    """A rule: in how many cases it fired, and in how many of them for nothing.

    Attributes:
        over_triaged: a second reviewer accepted a nurse's word that it was too urgent.
        not_needed: no contact with the patient was needed.
        false: either of both.
    """

    rule: str
    fired: int
    over_triaged: int
    not_needed: int
    false: int


@dataclass(frozen=True)
class Example:
    """A message that the leaflet does not answer, with telephone numbers hidden."""

    case: int
    text: str


@dataclass(frozen=True)
class Unanswered:
    """Questions that the leaflet does not answer, of one meaning; the newest few as examples."""

    meaning: str
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
        unanswered: the newest of those, by meaning; `opened` is how many were read for it.
    """

    all: int
    cut: bool
    alone: Mapping[str, int]
    out_of_scope: int
    silent: int
    unanswered: tuple[Unanswered, ...]
    opened: int


@dataclass(frozen=True)
class Figures:
    """The figures of the last days, today included."""

    days: int
    start: datetime
    volume: tuple[Day, ...]
    tiers: Mapping[int, int]
    speed: Mapping[int, Speed]
    shifts: Mapping[str, Speed]
    waits_cut: bool
    alarms: tuple[Alarm, ...]
    findings: tuple[tuple[str, int], ...]
    checks: Checks
    answers: Answers
    agreement: Agreement
    handovers: int
    handovers_taken: int

    @property
    def cases(self) -> int:
        """How many conversations began."""
        return sum(self.tiers.values())


@dataclass
class _Meaning:
    count: int = 0
    examples: list[Example] = field(default_factory=list)


class Book:
    """Reads the figures of one database.

    Args:
        records: the gateway's records.
        policy: the limits.
        clinic: whose days and shifts are counted.
    """

    def __init__(self, records: Records, policy: Policy, clinic: Clinic) -> None:
        self._records = records
        self._policy = policy
        self._clinic = clinic

    def read(self, days: int, *, words: bool) -> Figures:
        """The figures.

        Args:
            days: of so many last days, today included.
            words: with the patients' words as examples of what was not answered.
        """
        now = self._records.clock()
        today = self._clinic.day(now)
        dates = [today - timedelta(days=ago) for ago in reversed(range(days))]
        begins = [self._clinic.moment(day) for day in dates]
        start = begins[0]
        with self._records.engine.connect() as connection:
            volume = _volume(connection, dates, begins)
            found, cut = waits(connection, start, now)
            open_now = waiting(connection, start)
            unseen = closed_unseen(connection, start, now)
            alarms, findings = _alarms(connection, start), _findings(connection, start)
            checked = checks(connection, start)
            h = handover.c
            given, taken = connection.execute(select(func.count(), func.count(h.taken_by)).where(h.at > start)).one()
        limits = self._policy.limits
        return Figures(
            days=days,
            start=start,
            volume=volume,
            tiers=sum((Counter(day.tiers) for day in volume), Counter()),
            speed={
                tier: self._speed(
                    (wait for wait in found if wait.tier == tier),
                    (case for case in open_now if case.tier == tier),
                    now,
                    unseen.get(tier, 0),
                )
                for tier in (TIER_OF[place] for place in UNACKNOWLEDGED)
            },
            shifts={
                shift: self._speed(
                    (wait for wait in found if wait.tier in limits and self._shift_of(wait.fired_at) == shift),
                    (case for case in open_now if self._shift_of(case.fired_at) == shift),
                    now,
                )
                for shift in SHIFTS
            },
            waits_cut=cut,
            alarms=alarms,
            findings=findings,
            checks=checked,
            answers=self._answers(start, words=words),
            agreement=agreement(self._records.engine),
            handovers=given,
            handovers_taken=taken,
        )

    def _shift_of(self, at: datetime) -> str:
        return shift_of(self._clinic.local(at))

    def _speed(self, found: Iterable[Wait], open_now: Iterable[Waiting], now: datetime, unseen: int | None = None) -> Speed:
        limits, still = self._policy.limits, list(open_now)
        overdue = sum(now - case.fired_at > limits[case.tier] for case in still)
        return Speed(summary(found, limits), len(still), overdue, unseen)

    def _answers(self, start: datetime, *, words: bool) -> Answers:
        rows, cut = _newest_answers(self._records.engine, start)
        silent = [row for row in rows if row.facts.get("type") == _SILENT]
        alone = Counter(str(row.facts.get("cause") or "unknown") for row in rows if row.facts.get("by") != _RASA)
        return Answers(
            all=len(rows),
            cut=cut,
            alone=dict(alone.most_common()),
            out_of_scope=sum(row.facts.get("type") == _OUT_OF_SCOPE for row in rows),
            silent=len(silent),
            unanswered=self._by_meaning(silent[:OPENED_MOST], words=words),
            opened=min(len(silent), OPENED_MOST),
        )

    def _by_meaning(self, silent: list[Any], *, words: bool) -> tuple[Unanswered, ...]:
        meanings: dict[str, _Meaning] = {}
        opened = {row.conversation_id: self._records.events(row.conversation_id) for row in silent}
        for row in silent:
            events = {each.seq: each for each in opened[row.conversation_id]}
            answer, message = events[row.seq], events.get(row.reply_to)
            name = str(answer.words["understood"].get("meaning") or "") if answer.words is not None else "purged"
            mine = meanings.setdefault(name, _Meaning())
            mine.count += 1
            if words and message is not None and message.words is not None and len(mine.examples) < _EXAMPLES:
                mine.examples.append(Example(row.case, Mask.phones()(str(message.words["text"]))))
        return tuple(
            Unanswered(name, each.count, tuple(each.examples)) for name, each in sorted(meanings.items(), key=lambda item: -item[1].count)
        )


def shift_of(local: datetime) -> str:
    """The shift of a moment in the clinic's time: `day` from 7, `evening` from 15, `night` from 23 o'clock."""
    return "day" if 7 <= local.hour < 15 else "evening" if 15 <= local.hour < 23 else "night"


def _volume(connection: Connection, dates: Sequence[date], begins: Sequence[datetime]) -> tuple[Day, ...]:
    """How many conversations began on each of some days; `begins` are the moments at which these days begin."""
    c = triage_case.c
    counts: dict[int, dict[int, int]] = {}
    day = _place(c.opened_at, begins).label("day")
    query = select(day, c.tier, func.count().label("cases")).where(c.opened_at >= begins[0]).group_by(day, c.tier)
    for row in connection.execute(query):
        counts.setdefault(row.day, {})[row.tier] = row.cases
    return tuple(Day(each, counts.get(number, {})) for number, each in enumerate(dates))


def _place(moment: ColumnElement[datetime], begins: Sequence[datetime], first: int = 0) -> ColumnElement[int]:
    """The place of the last of some moments in order that is not behind another one; it is found by halving.

    SQLite knows no time zones, so that the database is told when days begin.

    Args:
        moment: what is looked for.
        begins: the moments.
        first: the place of the first of them.
    """
    if len(begins) == 1:
        return literal(first)
    half = len(begins) // 2
    return case((moment < begins[half], _place(moment, begins[:half], first)), else_=_place(moment, begins[half:], first + half))


def _alarms(connection: Connection, start: datetime) -> tuple[Alarm, ...]:
    """The rules that fired in the conversations that began since a moment, those with the most false alarms first."""
    c, r, d = triage_case.c, case_rule.c, disagreement.c
    over = (
        select(d.id)
        .where(d.case_id == c.id, d.kind == _OVER, d.verdict == ACCEPTED, d.seq >= r.seq, or_(d.seq == r.seq, c.tier == r.tier))
        .correlate(triage_case, case_rule)
        .exists()
    )
    not_needed = c.outcome == _NOT_NEEDED
    query = (
        select(
            r.rule,
            func.count().label("fired"),
            func.count().filter(over).label("over"),
            func.count().filter(not_needed).label("idle"),
            func.count().filter(or_(over, not_needed)).label("false"),
        )
        .join(case_rule, r.case_id == c.id)
        .where(c.opened_at >= start)
        .group_by(r.rule)
    )
    found = [Alarm(row.rule, row.fired, row.over, row.idle, row.false) for row in connection.execute(query)]
    return tuple(sorted(found, key=lambda each: (-each.false, -each.fired, each.rule)))


def _findings(connection: Connection, start: datetime) -> tuple[tuple[str, int], ...]:
    c, f, cases = triage_case.c, case_finding.c, func.count().label("cases")
    query = (
        select(f.code, cases)
        .join(triage_case, c.id == f.case_id)
        .where(c.opened_at >= start, f.status == "present")
        .group_by(f.code)
        .order_by(cases.desc(), f.code)
    )
    return tuple((row.code, row.cases) for row in connection.execute(query))


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
