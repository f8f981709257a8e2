"""What a nurse has in front of them: whether a case changed since, and that the patient's words were read."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

from sqlalchemy import func, select, update

from gateway.records import statements as sql
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import disagreement, notice, triage_case


@dataclass(frozen=True)
class Shown:
    """How far a case's page shows what there is; it changes when anything on the page does.

    Attributes:
        version: of the case.
        seq: of the last event.
        delivered: up to which event the patient's browser has them.
        notices: how many notices were written, sent or tried.
        disagreements: how many were written or reviewed.
        waiting: a limit in time that has not passed: a snooze or a held chat.
        unread: how many of the patient's words no nurse has opened.
    """

    version: int
    seq: int
    delivered: int
    notices: int
    disagreements: int
    waiting: int
    unread: int = 0

    def __str__(self) -> str:
        """As it stands in the page."""
        return ".".join(map(str, astuple(self)[:-1]))


def shown_now(records: Records, number: int) -> Shown | None:
    """How a case stands; None when there is none of this number."""
    c, n, d, now = triage_case.c, notice.c, disagreement.c, records.clock()
    with records.engine.connect() as connection:
        case = connection.execute(select(triage_case).where(c.id == number)).one_or_none()
        if case is None:
            return None
        seq = connection.scalar(sql.LAST_SEQ, {"name": case.conversation_id}) or 0
        delivered = connection.execute(sql.DELIVERED, {"name": case.conversation_id}).one_or_none()
        told = select(func.count(), func.coalesce(func.sum(n.attempts), 0), func.count(n.sent_at)).where(n.case_id == number)
        doubted = select(func.count(), func.count(d.reviewed_at)).where(d.case_id == number)
        notices, disagreements = connection.execute(told).one(), connection.execute(doubted).one()
    waiting = sum(until is not None and until > now for until in (case.snoozed_until, case.held_until))
    return Shown(case.version, seq, delivered.seq if delivered else 0, sum(notices), sum(disagreements), waiting, case.unread)


def mark_read(records: Records, number: int, shown: Shown) -> Shown:
    """Note that a nurse has the patient's words in front of them; returns how the case stands then.

    Words that came behind what was shown stay unread.
    """
    if not shown.unread:
        return shown
    mine = (triage_case.c.id == number, triage_case.c.version == shown.version)
    values = {"unread": 0, "version": shown.version + 1, "changed_at": records.clock()}
    with writing(records.engine) as connection:
        done = connection.execute(update(triage_case).where(*mine).values(**values)).rowcount
    return replace(shown, version=shown.version + 1, unread=0) if done else shown
