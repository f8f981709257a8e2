"""The queue: which cases wait, the most urgent first, by keys that stay fast however many conversations there are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, func, not_, or_, select, tuple_

from gateway.console.cases.floods import Flood, floods, folded, of_group
from gateway.console.policy import Policy
from gateway.records.cases import ASSUMED, OPEN, PRESENT
from gateway.records.store import Bound, Clock
from gateway.records.tables import case_finding, case_rule, conversation, notice, staff, triage_case
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED, Place

PAGE = 50
VIEWS = ("work", "all", "unfinished", "closed", "snoozed")
ONLY = ("unacknowledged", "breached", "unanswered", "silent")
REDS = 200
_FOLDING = ("work", "all")
_LATEST_FIRST = ("unfinished", "closed")
_COUNTED_UNFINISHED = timedelta(hours=24)
_GROUP = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
UNANSWERED_AFTER = timedelta(seconds=10)


@dataclass(frozen=True)
class Filter:
    """What is shown of the queue.

    Attributes:
        view: `work`, what needs a nurse; `all` that is open; `unfinished`, chats that left the danger check before an answer; `closed`;
            `snoozed`.
        tier: only this tier.
        assignee: only the cases of this account; -1 for those of nobody.
        only: one of ONLY (`silent`: the leaflet did not say), or empty; `breached` and `unanswered` show snoozed cases too.
        number: only the case of this number.
        days: only cases that opened in so many last days.
        group: only the cases of a day from one address.
        protocol: only the conversations that are bound to this one.
    """

    view: str = "work"
    tier: int | None = None
    finding: str = ""
    rule: str = ""
    assignee: int | None = None
    only: str = ""
    number: int | None = None
    days: int | None = None
    group: str = ""
    protocol: str = ""

    def as_query(self) -> dict[str, str]:
        """The filter as the parameters of an address, without those that are as new."""
        new = Filter()
        return {name: str(value) for name, value in vars(self).items() if value not in (None, "") and value != getattr(new, name)}

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Filter:
        """The filter in these parameters; what does not count is left out."""
        known = {name: value.strip() for name, value in given.items() if name in vars(cls()) and value.strip()}
        whole = {name: int(known[name]) for name in ("tier", "assignee", "number", "days") if _is_number(known.get(name, ""))}
        texts = {name: known[name] for name in ("finding", "rule", "protocol") if _NAME.fullmatch(known.get(name, ""))}
        texts |= {"only": known["only"]} if known.get("only") in ONLY else {}
        texts |= {"group": known["group"]} if _GROUP.fullmatch(known.get("group", "")) else {}
        return cls(view=known["view"] if known.get("view") in VIEWS else "work", **texts, **whole)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Row:
    """A line of the queue.

    Attributes:
        rules: the rules that fired, those of the latest answer first, the deciding one before the others.
        findings: codes of the findings that are present.
        assumed: codes of those that only count as present, because a question was not answered.
        danger_check: where the danger check stands, as in `Standing`.
        asking: the patient has not answered a question.
        limit: how long it may wait for its acknowledgement; None when it needs none.
        untold: its last step of the rota reached nobody.
        group: what it has in common with that day's other cases from its address; None where that is not known.
        bound: the protocol and the language that its conversation is bound to.
    """

    id: int
    tier: int
    place: int
    state: str
    fired_at: datetime
    opened_at: datetime
    last_at: datetime
    last_seq: int
    waiting_since: datetime | None
    failed: bool
    silent: bool
    asking: bool
    danger_check: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assignee: str | None
    snoozed_until: datetime | None
    escalated: int
    version: int
    rules: tuple[str, ...]
    findings: tuple[str, ...]
    assumed: tuple[str, ...]
    limit: timedelta | None
    untold: bool
    group: str | None
    bound: Bound

    def breached(self, now: datetime) -> bool:
        """Whether it has waited for its acknowledgement for longer than it may."""
        return self.state == OPEN and self.limit is not None and now - self.fired_at > self.limit


@dataclass(frozen=True)
class Page:
    """A page of the queue, the key behind which the next one begins, if there is one, and the floods whose cases it leaves out."""

    rows: tuple[Row, ...]
    next: str
    floods: tuple[Flood, ...] = ()


@dataclass(frozen=True)
class Counts:
    """How many cases wait; `unfinished`: how many chats of the last 24 hours left the danger check before an answer."""

    red: int
    red_seen: int
    call: int
    call_seen: int
    breached: int
    unanswered: int
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
        key = tuple_(c.fired_at, c.id) if latest_first else tuple_(c.place, c.fired_at, c.id)
        order = (c.fired_at.desc(), c.id.desc()) if latest_first else (c.place, c.fired_at, c.id)
        conditions = self._conditions(wanted)
        start = _parse_key(after)
        if start is not None:
            place, fired_at, number = start
            conditions.append(key < tuple_(fired_at, number) if latest_first else key > tuple_(place, fired_at, number))
        query = select(triage_case).order_by(*order).limit(size + 1)
        with self._engine.connect() as connection:
            hidden = self._floods(connection) if not wanted.group and wanted.number is None and wanted.view in _FOLDING else ()
            conditions += [not_(folded(hidden))] if hidden else []
            found = connection.execute(query.where(*conditions)).all()
            rows = self._rows(connection, found[:size])
        last = found[size - 1] if len(found) > size else None
        return Page(rows, f"{last.place}|{last.fired_at.isoformat()}|{last.id}" if last else "", hidden)

    def flood(self, group: str) -> Flood | None:
        """The flood of a group, if it is one."""
        with self._engine.connect() as connection:
            return next((flood for flood in self._floods(connection) if flood.group == group), None)

    def reds(self) -> list[int]:
        """The emergencies that nobody has acknowledged, whatever is looked at; the oldest first, of more than REDS the latest.

        Of a flood only the first ones, so that it drowns no other.
        """
        c = triage_case.c
        query = select(c.id).where(c.place == Place.RED).order_by(c.fired_at.desc(), c.id.desc()).limit(REDS)
        with self._engine.connect() as connection:
            hidden = self._floods(connection)
            query = query.where(not_(folded(hidden))) if hidden else query
            return list(reversed(connection.scalars(query).all()))

    def one(self, number: int) -> Row | None:
        """The line of one case."""
        with self._engine.connect() as connection:
            rows = self._rows(connection, connection.execute(select(triage_case).where(triage_case.c.id == number)).all())
        return rows[0] if rows else None

    def newest(self, wanted: Filter, most: int) -> list[Row]:
        """The cases of a filter, the latest first, closed ones too unless the filter names a view."""
        c = triage_case.c
        conditions = self._conditions(wanted) if wanted.view != "work" else self._conditions(replace(wanted, view="any"))
        with self._engine.connect() as connection:
            found = connection.execute(select(triage_case).where(*conditions).order_by(c.opened_at.desc()).limit(most)).all()
            return list(self._rows(connection, found))

    def conversation(self, number: int) -> str:
        """The conversation of a case."""
        with self._engine.connect() as connection:
            return str(connection.scalar(select(triage_case.c.conversation_id).where(triage_case.c.id == number)))

    def following(self, row: Row, wanted: Filter) -> int | None:
        """The number of the case that comes behind one in the queue."""
        page = self.page(replace(wanted, number=None), f"{row.place}|{row.fired_at.isoformat()}|{row.id}", size=1)
        return page.rows[0].id if page.rows else None

    def counts(self) -> Counts:
        """How many wait."""
        c, now = triage_case.c, self._clock()
        with self._engine.connect() as connection:
            rows = connection.execute(select(c.place, func.count().label("cases")).where(c.place <= Place.CALL_SEEN).group_by(c.place))
            by_place: dict[int, int] = {row.place: row.cases for row in rows}
            breached = connection.scalar(select(func.count()).select_from(triage_case).where(self._breached(now))) or 0
            unanswered = connection.scalar(select(func.count()).select_from(triage_case).where(_unanswered(now))) or 0
            snoozed = (
                connection.scalar(select(func.count()).select_from(triage_case).where(c.place < Place.CLOSED, c.snoozed_until > now)) or 0
            )
            unfinished = connection.scalar(select(func.count()).select_from(triage_case).where(*self._unfinished(now))) or 0
        red, red_seen, call, call_seen = (by_place.get(place, 0) for place in (Place.RED, Place.RED_SEEN, Place.CALL, Place.CALL_SEEN))
        return Counts(red, red_seen, call, call_seen, breached, unanswered, snoozed, unfinished)

    def fingerprint(self) -> str:
        """Changes when anything in the queue does, and when a limit is passed or a message stays unanswered for too long."""
        c, now = triage_case.c, self._clock()
        with self._engine.connect() as connection:
            changed = connection.scalar(select(func.max(c.changed_at)))
            breached = connection.scalar(select(func.count()).select_from(triage_case).where(self._breached(now)))
            unanswered = connection.scalar(select(func.count()).select_from(triage_case).where(_unanswered(now)))
            woken = connection.scalar(select(func.max(c.snoozed_until)).where(c.place < Place.CLOSED, c.snoozed_until <= now))
        return f"{changed.timestamp() if changed else 0:.6f}.{breached}.{unanswered}.{woken.timestamp() if woken else 0:.0f}"

    def _conditions(self, wanted: Filter) -> list[ColumnElement[bool]]:
        c, now = triage_case.c, self._clock()
        awake = or_(c.place == Place.RED, c.snoozed_until.is_(None), c.snoozed_until <= now)
        by_view = {
            "work": [c.place <= Place.CALL_SEEN, awake],
            "all": [c.place < Place.CLOSED, awake],
            "unfinished": [c.place == Place.UNFINISHED, awake],
            "closed": [c.place == Place.CLOSED],
            "snoozed": [c.place < Place.CLOSED, c.snoozed_until > now],
            "any": [],
        }
        conditions: list[ColumnElement[bool]] = by_view[wanted.view]
        if wanted.number is not None:
            conditions = [c.id == wanted.number]
        if wanted.only == "unanswered":
            conditions = [_unanswered(now)]
        if wanted.only == "breached":
            conditions = [self._breached(now)]
        if wanted.tier is not None:
            conditions.append(c.tier == wanted.tier)
        if wanted.only == "unacknowledged":
            conditions.append(c.state == OPEN)
        if wanted.only == "silent":
            conditions.append(c.silent.is_(True))
        if wanted.assignee is not None:
            conditions.append(c.assignee.is_(None) if wanted.assignee == -1 else c.assignee == wanted.assignee)
        if wanted.group:
            conditions.append(of_group(wanted.group))
        if wanted.days is not None:
            conditions.append(c.opened_at >= now - timedelta(days=min(wanted.days, 36_500)))
        if wanted.finding:
            f = case_finding.c
            conditions.append(exists().where(f.case_id == c.id, f.code == wanted.finding, f.status.in_((PRESENT, ASSUMED))))
        if wanted.protocol:
            conditions.append(exists().where(conversation.c.id == c.conversation_id, conversation.c.protocol == wanted.protocol))
        if wanted.rule:
            conditions.append(exists().where(case_rule.c.case_id == c.id, case_rule.c.rule == wanted.rule))
        return conditions

    def _unfinished(self, now: datetime) -> list[ColumnElement[bool]]:
        """Lately left before an answer: nobody can reach who left, so that older ones only stand in their list."""
        return [*self._conditions(Filter(view="unfinished")), triage_case.c.last_at > now - _COUNTED_UNFINISHED]

    def _floods(self, connection: Connection) -> tuple[Flood, ...]:
        return tuple(floods(connection, self._policy.flood[0]))

    def _breached(self, now: datetime) -> ColumnElement[bool]:
        c = triage_case.c
        return or_(*(and_(c.place == place, c.fired_at < now - self._policy.limits[TIER_OF[place]]) for place in UNACKNOWLEDGED))

    def _rows(self, connection: Any, found: Any) -> tuple[Row, ...]:
        numbers = [row.id for row in found]
        names = {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))} if found else {}
        rules: dict[int, list[str]] = {}
        findings: dict[tuple[int, str], list[str]] = {}
        r, f = case_rule.c, case_finding.c
        for number, rule in connection.execute(
            select(r.case_id, r.rule).where(r.case_id.in_(numbers)).order_by(r.tier.desc(), r.seq.desc(), r.rank)
        ):
            rules.setdefault(number, []).append(rule)
        known = select(f.case_id, f.code, f.status).where(f.case_id.in_(numbers), f.status.in_((PRESENT, ASSUMED))).order_by(f.code)
        for number, code, status in connection.execute(known):
            findings.setdefault((number, status), []).append(code)
        told = {*connection.scalars(_told(numbers)), *connection.scalars(_told_together(numbers))}
        whole = {row.id: row for row in connection.execute(_conversations(numbers))}
        return tuple(
            Row(
                **{name: getattr(row, name) for name in _COPIED},
                acknowledged_by=names.get(row.acknowledged_by),
                assignee=names.get(row.assignee),
                rules=tuple(rules.get(row.id, ())),
                findings=tuple(findings.get((row.id, PRESENT), ())),
                assumed=_only(findings.get((row.id, ASSUMED), ()), findings.get((row.id, PRESENT), ())),
                limit=self._policy.limits.get(TIER_OF[row.place]) if row.place in TIER_OF else None,
                untold=row.escalated > 0 and row.id not in told,
                group=whole[row.id].address_group,
                bound=(whole[row.id].protocol, whole[row.id].language),
            )
            for row in found
        )


_COPIED = (
    "id", "tier", "place", "state", "fired_at", "opened_at", "last_at", "last_seq", "waiting_since", "failed", "silent", "asking",
    "danger_check",
    "acknowledged_at", "snoozed_until", "escalated", "version",
)  # fmt: skip


def _only(codes: Iterable[str], told: Collection[str]) -> tuple[str, ...]:
    """The codes that were not told as well."""
    return tuple(code for code in codes if code not in told)


def _unanswered(now: datetime) -> ColumnElement[bool]:
    return and_(triage_case.c.waiting_since < now - UNANSWERED_AFTER, triage_case.c.place != Place.CLOSED)


def _told(numbers: list[int]) -> Select[tuple[int]]:
    """Those of these cases whose last step of the rota was told, or is still being told."""
    c, n = triage_case.c, notice.c
    return (
        select(c.id)
        .join(notice, and_(n.case_id == c.id, n.level == c.escalated, n.created_at >= c.fired_at))
        .where(c.id.in_(numbers), n.given_up_at.is_(None))
    )


def _told_together(numbers: list[int]) -> Select[tuple[int]]:
    """Those of these cases of whose address the rota was told in one, or is still being told."""
    c, n = triage_case.c, notice.c
    return (
        select(c.id)
        .join(conversation)
        .join(notice, and_(n.address_group == conversation.c.address_group, n.level == c.escalated))
        .where(c.id.in_(numbers), n.given_up_at.is_(None))
    )


def _conversations(numbers: list[int]) -> Select[tuple[int, str | None, str, str]]:
    """Of these cases: which group they belong to, and what they are bound to."""
    c = conversation.c
    return select(triage_case.c.id, c.address_group, c.protocol, c.language).join(conversation).where(triage_case.c.id.in_(numbers))


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 10


def _parse_key(key: str) -> tuple[int, datetime, int] | None:
    try:
        place, at, number = key.split("|")
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (int(place), moment, int(number)) if moment.tzinfo and _is_number(place) and _is_number(number) else None
