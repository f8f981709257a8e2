"""Whether patients were reached: requests for a call and whether they were kept, tries, and what patients said of it themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.contact_acts import Attempt
from gateway.console.cases.waits import share
from gateway.contact.follow_ups import ANSWERS, FOLLOW_UP, FOLLOWED
from gateway.contact.statuses import CALLBACK
from gateway.records.tables import case_act, event, triage_case


@dataclass(frozen=True)
class Kept:
    """What became of the requests for a call; one that is repeated while it is open counts once.

    Attributes:
        asked: how many were made.
        in_time: after how many the patient was reached before the call was due.
        late: after how many only later.
        not_kept: how many ended without the patient being reached.
        waiting: how many wait now.
        overdue: how many of those are due.
        median: the time until the patient was reached; None without any.
    """

    asked: int
    in_time: int
    late: int
    not_kept: int
    waiting: int
    overdue: int
    median: timedelta | None

    @property
    def kept(self) -> int:
        """After how many the patient was reached."""
        return self.in_time + self.late


@dataclass(frozen=True)
class FollowUp:
    """How patients answered whether they reached somebody, by the advice that they had.

    Attributes:
        tier: the tier's name in the contract.
        asked: how often it was asked.
        answers: answer -> how many.
    """

    tier: str
    asked: int
    answers: Mapping[str, int]

    @property
    def unanswered(self) -> int:
        """How often nothing was answered, or the question was asked before the period alone."""
        return max(0, self.asked - sum(self.answers.values()))


@dataclass(frozen=True)
class _Request:
    at: datetime
    due: datetime
    ended: datetime | None = None
    reached: bool = False


def read_callbacks(connection: Connection, start: datetime, now: datetime, unreached: Collection[str]) -> Kept:
    """The requests for a call that were made since a moment.

    A request ends when a nurse records that the patient was reached, or closes the case; only an outcome that says that somebody was
    reached keeps it then.

    Args:
        connection: the records' database.
        start: the moment.
        now: as of when those that wait are due or not.
        unreached: the outcomes that say that nobody was reached.
    """
    requests = list(_requests(connection, start, unreached))
    kept = [each for each in requests if each.reached and each.ended is not None]
    times = sorted(each.ended - each.at for each in kept if each.ended is not None)
    in_time = sum(each.ended <= each.due for each in kept if each.ended is not None)
    open_now = [each for each in requests if each.ended is None]
    return Kept(
        asked=len(requests),
        in_time=in_time,
        late=len(kept) - in_time,
        not_kept=len(requests) - len(kept) - len(open_now),
        waiting=len(open_now),
        overdue=sum(each.due < now for each in open_now),
        median=share(times, 0.5),
    )


def read_attempts(connection: Connection, start: datetime) -> dict[Attempt, int]:
    """How many tries to reach a patient there were since a moment, by what came of them."""
    a = case_act.c
    facts = connection.scalars(select(a.facts).where(a.kind == AuditAct.ATTEMPT, a.at >= start))
    found = Counter(each["result"] for each in facts)
    return {each: found[each] for each in Attempt}


def read_follow_ups(connection: Connection, start: datetime) -> tuple[FollowUp, ...]:
    """How the questions since a moment were answered, whether somebody was reached, by tier."""
    asked, answers = Counter[str](), dict[str, Counter[str]]()
    for row in _events(connection, (FOLLOW_UP, FOLLOWED), start):
        tier = row.facts["tier"]
        mine = answers.setdefault(tier, Counter())
        if row.kind == FOLLOW_UP:
            asked[tier] += 1
        else:
            mine[row.facts["answer"]] += 1
    return tuple(FollowUp(tier, asked[tier], {each: mine[each] for each in ANSWERS}) for tier, mine in sorted(answers.items()))


def _requests(connection: Connection, start: datetime, unreached: Collection[str]) -> Iterator[_Request]:
    a = case_act.c
    acts = select(a.case_id.label("case"), a.at, a.kind, a.facts).where(a.kind.in_((AuditAct.ATTEMPT, AuditAct.CLOSE)), a.at >= start)
    rows = [*_events(connection, (CALLBACK,), start), *(row for row in connection.execute(acts) if row.facts.get("callback"))]
    rows.sort(key=lambda row: (row.case, row.at, row.kind != CALLBACK))
    for _, of_case in groupby(rows, key=lambda row: row.case):
        current: _Request | None = None
        for row in of_case:
            if row.kind == CALLBACK:
                current = current or _Request(row.at, datetime.fromisoformat(row.facts["due"]))
            elif current is not None and _ends(row):
                reached = row.kind == AuditAct.ATTEMPT or row.facts["outcome"] not in unreached
                yield _Request(current.at, current.due, row.at, reached)
                current = None
        if current is not None:
            yield current


def _ends(act: Any) -> bool:
    return bool(act.kind == AuditAct.CLOSE or act.facts["result"] == Attempt.REACHED)


def _events(connection: Connection, kinds: Collection[str], start: datetime) -> list[Any]:
    """Events of patients since a moment, with their cases. Probes have none."""
    e, c = event.c, triage_case.c
    query = (
        select(c.id.label("case"), e.at, e.kind, e.facts)
        .join(triage_case, c.conversation_id == e.conversation_id)
        .where(e.kind.in_(kinds), e.at >= start)
        .order_by(e.at)
    )
    return list(connection.execute(query))
