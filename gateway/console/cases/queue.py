"""The queue: which cases wait, the most urgent first, by keys that stay fast however many conversations there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, func, not_, select, tuple_

from gateway.console.cases.alarms import Alarms, is_call, is_callback, sounds
from gateway.console.cases.filters import (
    Filter,
    asks_for_call,
    conditions_of,
    has_unread,
    is_breached,
    is_number,
    is_try_due,
    is_unanswered,
)
from gateway.console.cases.floods import Flood, floods, folded
from gateway.console.cases.rows import Row, read_rows
from gateway.console.policy import Policy
from gateway.records.signals import ACKNOWLEDGED
from gateway.records.store import Clock
from gateway.records.tables import triage_case
from gateway.records.tier import Rank

PAGE = 50
REDS = 200
_FOLDING = ("work", "all")
_LATEST_FIRST = ("unfinished", "closed")
_SEEN = (Rank.RED_SEEN, Rank.CALL_SEEN)
_COUNTED_UNFINISHED = timedelta(hours=24)


@dataclass(frozen=True)
class Page:
    """A page of the queue, the key behind which the next one begins, if there is one, and the floods whose cases it leaves out."""

    rows: tuple[Row, ...]
    next: str
    floods: tuple[Flood, ...] = ()


@dataclass(frozen=True)
class Counts:
    """How many cases wait.

    Attributes:
        callbacks: whose patients ask for a call; `unread`: that were acknowledged and whose patients wrote since; `due`: where the next try
            to reach the patient is due.
        unfinished: how many chats of the last 24 hours left the danger check before an answer.
    """

    red: int
    red_seen: int
    call: int
    call_seen: int
    breached: int
    unanswered: int
    callbacks: int
    unread: int
    due: int
    snoozed: int
    unfinished: int


class Queue:
    """The queue of one database.

    Args:
        engine: the records' database.
        policy: the limits.
        clock: tells the time.
    """

    def __init__(self, engine: Engine, policy: Policy, clock: Clock) -> None:
        self._engine = engine
        self._policy = policy
        self._clock = clock

    def page(self, wanted: Filter, after: str = "", size: int = PAGE) -> Page:
        """A page of cases.

        Args:
            wanted: which cases.
            after: the key that the page before gave.
            size: the most cases.
        """
        c = triage_case.c
        latest_first = wanted.view in _LATEST_FIRST
        key = tuple_(c.fired_at, c.id) if latest_first else tuple_(c.rank, c.fired_at, c.id)
        order = (c.fired_at.desc(), c.id.desc()) if latest_first else (c.rank, c.fired_at, c.id)
        conditions = conditions_of(wanted, self._policy, self._clock())
        start = _parse_key(after)
        if start is not None:
            rank, fired_at, number = start
            conditions.append(key < tuple_(fired_at, number) if latest_first else key > tuple_(rank, fired_at, number))
        query = select(triage_case).order_by(*order).limit(size + 1)
        with self._engine.connect() as connection:
            hidden = self._floods(connection) if not wanted.group and wanted.number is None and wanted.view in _FOLDING else ()
            conditions += [not_(folded(hidden))] if hidden else []
            found = connection.execute(query.where(*conditions)).all()
            rows = read_rows(connection, self._policy, found[:size])
        last = found[size - 1] if len(found) > size else None
        return Page(rows, f"{last.rank}|{last.fired_at.isoformat()}|{last.id}" if last else "", hidden)

    def flood(self, group: str) -> Flood | None:
        """The flood of a group, if it is one."""
        with self._engine.connect() as connection:
            return next((flood for flood in self._floods(connection) if flood.group == group), None)

    def reds(self) -> list[int]:
        """The emergencies that nobody has acknowledged, whatever is looked at; the oldest first, of more than REDS the latest.

        Of a flood only the first ones, so that it drowns no other.
        """
        c = triage_case.c
        query = select(c.id).where(c.rank == Rank.RED).order_by(c.fired_at.desc(), c.id.desc()).limit(REDS)
        with self._engine.connect() as connection:
            hidden = self._floods(connection)
            query = query.where(not_(folded(hidden))) if hidden else query
            return list(reversed(connection.scalars(query).all()))

    def alarms(self, person: int) -> Alarms:
        """What waits and what of it sounds for somebody, by the number of their account; of each kind the latest REDS at the most."""
        c, red = triage_case.c, self.reds()

        def numbers(which: ColumnElement[bool]) -> list[int]:
            query = select(c.id).where(which, sounds(person)).order_by(c.fired_at.desc(), c.id.desc()).limit(REDS)
            return list(reversed(connection.scalars(query).all()))

        with self._engine.connect() as connection:
            return Alarms(red, numbers(c.id.in_(red)) if red else [], numbers(is_call()), numbers(is_callback()))

    def one(self, number: int) -> Row | None:
        """The line of one case."""
        with self._engine.connect() as connection:
            rows = read_rows(connection, self._policy, connection.execute(select(triage_case).where(triage_case.c.id == number)).all())
        return rows[0] if rows else None

    def newest(self, wanted: Filter, most: int) -> list[Row]:
        """The cases of a filter, the latest first, closed ones too unless the filter names a view."""
        c = triage_case.c
        conditions = (
            conditions_of(wanted, self._policy, self._clock())
            if wanted.view != "work"
            else conditions_of(replace(wanted, view="any"), self._policy, self._clock())
        )
        with self._engine.connect() as connection:
            found = connection.execute(select(triage_case).where(*conditions).order_by(c.opened_at.desc()).limit(most)).all()
            return list(read_rows(connection, self._policy, found))

    def conversation(self, number: int) -> str:
        """The conversation of a case."""
        with self._engine.connect() as connection:
            return str(connection.scalar(select(triage_case.c.conversation_id).where(triage_case.c.id == number)))

    def following(self, row: Row, wanted: Filter) -> int | None:
        """The number of the case that comes behind one in the queue."""
        page = self.page(replace(wanted, number=None), f"{row.rank}|{row.fired_at.isoformat()}|{row.id}", size=1)
        return page.rows[0].id if page.rows else None

    def counts(self) -> Counts:
        """How many wait."""
        c, now = triage_case.c, self._clock()
        with self._engine.connect() as connection:
            rows = connection.execute(select(c.rank, func.count().label("cases")).where(c.rank <= Rank.CALL_SEEN).group_by(c.rank))
            by_rank: dict[int, int] = {row.rank: row.cases for row in rows}
            rest = {
                "breached": _count(connection, is_breached(self._policy, now)),
                "unanswered": _count(connection, is_unanswered(now)),
                "callbacks": _count(connection, asks_for_call()),
                "unread": _count(connection, c.rank.in_(_SEEN), c.state == ACKNOWLEDGED, has_unread()),
                "due": _count(connection, is_try_due(now)),
                "snoozed": _count(connection, c.rank < Rank.CLOSED, c.snoozed_until > now),
                "unfinished": _count(connection, *self._unfinished(now)),
            }
        red, red_seen, call, call_seen = (by_rank.get(rank, 0) for rank in (Rank.RED, Rank.RED_SEEN, Rank.CALL, Rank.CALL_SEEN))
        return Counts(red, red_seen, call, call_seen, **rest)

    def fingerprint(self) -> str:
        """Changes when anything in the queue does, and when a limit is passed, a try is due or a message stays unanswered for too long."""
        c, now = triage_case.c, self._clock()
        with self._engine.connect() as connection:
            changed = connection.scalar(select(func.max(c.changed_at)))
            breached = _count(connection, is_breached(self._policy, now))
            unanswered, due = _count(connection, is_unanswered(now)), _count(connection, is_try_due(now))
            woken = connection.scalar(select(func.max(c.snoozed_until)).where(c.rank < Rank.CLOSED, c.snoozed_until <= now))
        return f"{changed.timestamp() if changed else 0:.6f}.{breached}.{unanswered}.{due}.{woken.timestamp() if woken else 0:.0f}"

    def _unfinished(self, now: datetime) -> list[ColumnElement[bool]]:
        """Lately left before an answer: nobody can reach who left, so that older ones only stand in their list."""
        return [*conditions_of(Filter(view="unfinished"), self._policy, self._clock()), triage_case.c.last_at > now - _COUNTED_UNFINISHED]

    def _floods(self, connection: Connection) -> tuple[Flood, ...]:
        return tuple(floods(connection, self._policy.flood[0]))


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(triage_case).where(*which)) or 0


def _parse_key(key: str) -> tuple[int, datetime, int] | None:
    try:
        rank, at, number = key.split("|")
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (int(rank), moment, int(number)) if moment.tzinfo and is_number(rank) and is_number(number) else None
