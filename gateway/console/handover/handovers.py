"""The handover between shifts: what is open, what changed, what was promised; signed by who gives it and by who takes it over."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import Trail
from gateway.console.cases.waits import Summary, is_late, overdue, summary, waits
from gateway.console.policy import Policy
from gateway.records.cases import CLOSED
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import case_act, case_rule, conversation_key, handover, staff, triage_case
from gateway.records.tier import Place

FIRST_SHIFT = timedelta(hours=12)
LONGEST_COMMENT, LONGEST_GENERAL = 1_000, 4_000
NO_ANSWER = "no_answer"
_CALLED = timedelta(days=7)
_MOST = 200
_HISTORY = 50


class HandoverError(ValueError):
    """A handover that can not be signed as it is; the message says what is missing."""


class TakenError(ValueError):
    """A handover that can not be taken over; the message is a key of templates/reasons.yml."""


@dataclass(frozen=True)
class Line:
    """A case in a handover.

    Attributes:
        since: when its clock began.
        rule: the most urgent rule that fired, the latest first; empty without any.
        assignee: who looks after it, or empty.
        purged: the conversation's words were deleted, so that nothing can be written about it any more.
    """

    case: int
    tier: int
    state: str
    since: datetime
    rule: str
    assignee: str
    purged: bool


@dataclass(frozen=True)
class Promise:
    """A call that is still to be made: nobody answered at `called`, or the case was put aside until `due`, or both."""

    case: int
    called: datetime | None
    due: datetime | None


@dataclass(frozen=True)
class Change:
    """What a moment changed: cases that were opened, closed or escalated since, and those that were or are over their limit."""

    new: tuple[int, ...]
    closed: tuple[int, ...]
    escalated: tuple[int, ...]
    late: tuple[int, ...]


@dataclass(frozen=True)
class Shift:
    """What is handed over.

    Attributes:
        since: when the last handover was.
        at: when this was looked at.
        red: emergencies that nobody acknowledged.
        red_seen: emergencies that are acknowledged and still open.
        call: other cases that a nurse is to look after.
        snoozed: cases that were put aside.
        cut: some list is longer than what is shown.
    """

    since: datetime
    at: datetime
    red: tuple[Line, ...]
    red_seen: tuple[Line, ...]
    call: tuple[Line, ...]
    snoozed: tuple[Promise, ...]
    promised: tuple[Promise, ...]
    change: Change
    summary: Summary
    cut: bool

    @property
    def to_comment(self) -> tuple[Line, ...]:
        """The cases without whose comment nobody signs: the open emergencies."""
        return tuple(line for line in (*self.red, *self.red_seen) if not line.purged)

    def as_figures(self) -> dict[str, Any]:
        """What is kept of it: ids, moments and counts, no words."""
        kept: dict[str, Any] = _plain(asdict(self))
        return {name: value for name, value in kept.items() if name not in ("since", "at")}


@dataclass(frozen=True)
class Signed:
    """A handover on record.

    Attributes:
        figures: what `Shift.as_figures` gave.
        comments: case -> what the giver wrote; None where the conversation was purged since.
    """

    id: int
    at: datetime
    since: datetime
    given_by: str
    giver: int
    taken_by: str
    taken_at: datetime | None
    figures: Mapping[str, Any]
    comments: Mapping[int, str | None]
    general: str


@dataclass(frozen=True)
class Listed:
    """A line of the history."""

    id: int
    at: datetime
    given_by: str
    giver: int
    taken_by: str
    taken_at: datetime | None
    red: int


class Handovers:
    """The handovers of one database.

    Args:
        records: the gateway's records.
        policy: the limits.
        trail: the audit.
    """

    def __init__(self, records: Records, policy: Policy, trail: Trail) -> None:
        self._records = records
        self._policy = policy
        self._trail = trail

    def look(self) -> Shift:
        """What would be handed over now."""
        with self._records.engine.connect() as connection:
            return self._shift(connection)

    def give(self, by: int, comments: Mapping[int, str], general: str) -> int:
        """Sign a handover, and return its number.

        Args:
            by: the account of who gives it.
            comments: case -> what is to be known of it; every open emergency needs one.
            general: what else is to be known; may be empty.

        Raises:
            HandoverError: a comment is missing or too long.
        """
        written = {case: text.strip() for case, text in comments.items() if text.strip()}
        if any(len(text) > LONGEST_COMMENT for text in written.values()) or len(general) > LONGEST_GENERAL:
            raise HandoverError(f"A comment on a case has at most {LONGEST_COMMENT} characters, the general one {LONGEST_GENERAL}.")
        with writing(self._records.engine) as connection:
            shift = self._shift(connection)
            missing = [line.case for line in shift.to_comment if line.case not in written]
            if missing:
                raise HandoverError(f"Not signed. Write a comment on each open emergency: {_named(missing)}.")
            sealed_comments = self._sealed(connection, written, shift.at)
            words = {"comments": sealed_comments, "general": general.strip()}
            sealed = self._records.keyring.seal(words, _place(shift.at))
            row = {"at": shift.at, "since": shift.since, "given_by": by, "figures": shift.as_figures(), "sealed": sealed}
            added = connection.execute(insert(handover).values(**row)).inserted_primary_key
            number = int(added[0]) if added else 0
            detail = {"handover": number, "red": [line.case for line in shift.to_comment], "comments": len(sealed_comments)}
            self._trail.note(AuditAct.HANDOVER_GIVEN, staff=by, detail=detail, connection=connection)
        return number

    def take(self, number: int, by: int) -> None:
        """Take a handover over.

        Raises:
            LookupError: there is none of this number.
            TakenError: by who gave it, or it was taken over before.
        """
        c = handover.c
        with writing(self._records.engine) as connection:
            giver = connection.scalar(select(c.given_by).where(c.id == number))
            if giver is None:
                raise LookupError(number)
            if giver == by:
                raise TakenError("handover_own")
            free = update(handover).where(c.id == number, c.taken_by.is_(None)).values(taken_by=by, taken_at=self._records.clock())
            if not connection.execute(free).rowcount:
                raise TakenError("handover_taken")
            self._trail.note(AuditAct.HANDOVER_TAKEN, staff=by, detail={"handover": number}, connection=connection)

    def read(self, number: int) -> Signed | None:
        """A handover on record; None when there is none of this number."""
        with self._records.engine.connect() as connection:
            row = connection.execute(select(handover).where(handover.c.id == number)).one_or_none()
            if row is None:
                return None
            words = self._records.keyring.open(row.sealed, _place(row.at))
            names = _names(connection)
            conversations = _conversations(connection, map(int, words["comments"]))
        comments = {
            case: opened["text"] if (opened := self._records.open(name, b64decode(words["comments"][str(case)]), _place(row.at))) else None
            for case, name in conversations.items()
        }
        return Signed(
            row.id, row.at, row.since, names[row.given_by], row.given_by, names.get(row.taken_by, ""), row.taken_at, row.figures,
            comments, words["general"],
        )  # fmt: skip

    def newest(self) -> list[Listed]:
        """The latest handovers."""
        with self._records.engine.connect() as connection:
            names = _names(connection)
            rows = connection.execute(select(handover).order_by(handover.c.at.desc()).limit(_HISTORY)).all()
        return [
            Listed(
                row.id, row.at, names[row.given_by], row.given_by, names.get(row.taken_by, ""), row.taken_at,
                len(row.figures["red"]) + len(row.figures["red_seen"]),
            )
            for row in rows
        ]  # fmt: skip

    def _shift(self, connection: Connection) -> Shift:
        c, now = triage_case.c, self._records.clock()
        since = connection.scalar(select(func.max(handover.c.at))) or now - FIRST_SHIFT
        acknowledged, _ = waits(connection, since, now)
        late = [wait.case for wait in acknowledged if is_late(wait, self._policy.limits)]
        call = _lines(connection, c.place.in_((Place.CALL, Place.CALL_SEEN)), _MOST + 1)
        snoozed = connection.execute(
            select(c.id, c.snoozed_until).where(c.place < Place.CLOSED, c.snoozed_until > now).order_by(c.snoozed_until).limit(_MOST + 1)
        ).all()
        change = Change(
            new=_numbers(connection, c.opened_at > since, c.opened_at),
            closed=_numbers(connection, and_(c.changed_at > since, c.state == CLOSED, c.closed_at > since), c.changed_at),
            escalated=_acted_on(connection, AuditAct.ESCALATED, since),
            late=tuple(dict.fromkeys([*overdue(connection, self._policy, now), *late])),
        )
        return Shift(
            since=since,
            at=now,
            red=_lines(connection, c.place == Place.RED),
            red_seen=_lines(connection, c.place == Place.RED_SEEN),
            call=call[:_MOST],
            snoozed=tuple(Promise(row.id, None, row.snoozed_until) for row in snoozed[:_MOST]),
            promised=_unanswered_calls(connection, now),
            change=change,
            summary=summary(acknowledged, self._policy.limits),
            cut=max(map(len, (call, snoozed, change.new, change.closed, change.escalated))) > _MOST,
        )

    def _sealed(self, connection: Connection, comments: Mapping[int, str], at: datetime) -> dict[str, str]:
        """Comments on cases, each under the key of its conversation, so that a purge takes it along; none on a purged conversation."""
        sealed = {
            case: self._records.seal(name, {"text": comments[case]}, _place(at))
            for case, name in _conversations(connection, comments).items()
        }
        return {str(case): b64encode(data).decode() for case, data in sealed.items() if data is not None}


def _place(at: datetime) -> str:
    return f"handover/{at.isoformat()}"


def _named(cases: Iterable[int]) -> str:
    return ", ".join(f"case {case}" for case in cases)


def _names(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(staff.c.id, staff.c.name))}


def _conversations(connection: Connection, cases: Iterable[int]) -> dict[int, str]:
    c = triage_case.c
    return {row.id: row.conversation_id for row in connection.execute(select(c.id, c.conversation_id).where(c.id.in_(list(cases))))}


def _lines(connection: Connection, which: ColumnElement[bool], most: int | None = None) -> tuple[Line, ...]:
    c, r, names = triage_case.c, case_rule.c, _names(connection)
    query = (
        select(triage_case, conversation_key.c.wrapped.is_(None).label("purged"))
        .outerjoin(conversation_key, conversation_key.c.conversation_id == c.conversation_id)
        .where(which)
        .order_by(c.place, c.fired_at)
        .limit(most)
    )
    rows = connection.execute(query).all()
    rules: dict[int, str] = {}
    fired = select(r.case_id, r.rule).where(r.case_id.in_([row.id for row in rows])).order_by(r.tier.desc(), r.seq.desc(), r.rank)
    for number, rule in connection.execute(fired):
        rules.setdefault(number, rule)
    return tuple(
        Line(row.id, row.tier, row.state, row.fired_at, rules.get(row.id, ""), names.get(row.assignee, ""), row.purged) for row in rows
    )


def _numbers(connection: Connection, which: ColumnElement[bool], order: ColumnElement[Any]) -> tuple[int, ...]:
    return tuple(connection.scalars(select(triage_case.c.id).where(which).order_by(order.desc()).limit(_MOST + 1)))


def _acted_on(connection: Connection, kind: str, since: datetime) -> tuple[int, ...]:
    c = case_act.c
    rows = connection.scalars(select(c.case_id).where(c.kind == kind, c.at > since).order_by(c.at.desc()).limit(_MOST + 1))
    return tuple(dict.fromkeys(rows))


def _unanswered_calls(connection: Connection, now: datetime) -> tuple[Promise, ...]:
    """The open cases of whose patient the last thing known is that nobody answered, with the latest call of each."""
    c, a = triage_case.c, case_act.c
    calls = (
        select(a.case_id, func.max(a.at).label("at"), c.snoozed_until)
        .join(triage_case, c.id == a.case_id)
        .where(a.kind == AuditAct.OUTCOME, a.at > now - _CALLED, c.state != CLOSED, c.outcome == NO_ANSWER)
        .group_by(a.case_id, c.snoozed_until)
        .order_by(func.max(a.at))
        .limit(_MOST)
    )
    return tuple(Promise(row.case_id, row.at, row.snoozed_until) for row in connection.execute(calls))


def _plain(data: Any) -> Any:
    """Data as JSON has it."""
    if isinstance(data, datetime):
        return data.isoformat()
    if isinstance(data, timedelta):
        return data.total_seconds()
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(each) for each in data] if isinstance(data, list | tuple) else data
