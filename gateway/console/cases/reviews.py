"""The second opinion on a disagreement: another person than its author accepts or rejects it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select, update

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.case_view import act_associated_data
from gateway.console.cases.tier_acts import TierActs
from gateway.console.redaction.mask import Mask
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import disagreement, staff, triage_case
from gateway.records.tier import TIERS, Tier

UNDER_TRIAGED = "under_triaged"
ACCEPTED, REJECTED = VERDICTS = ("accepted", "rejected")
MOST = 50


class ReviewError(ValueError):
    """A review that is not stored; `reason` is a key of templates/reasons.yml."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Waiting:
    """A disagreement that nobody has reviewed.

    Attributes:
        seq: the sequence number of the answer.
        message: the patient's words, telephone numbers hidden; None when they were purged, as with `answer` and `reason`.
        advised: the disposition of the answer, if it has one.
        accepted: what would have been right.
    """

    id: int
    case: int
    seq: int
    at: datetime
    author: int
    by: str
    kind: str
    accepted: tuple[str, ...]
    message: str | None
    answer: str | None
    advised: str | None
    reason: str | None


@dataclass(frozen=True)
class Agreement:
    """How often second reviewers agreed, and which errors of triage they confirmed."""

    waiting: int
    reviewed: int
    accepted: int
    under_triaged: int
    over_triaged: int

    @property
    def share(self) -> float | None:
        """The share of reviewed disagreements that were accepted; None of none."""
        return self.accepted / self.reviewed if self.reviewed else None


class Reviews:
    """The reviews of one database.

    Args:
        records: the gateway's records.
        audit_log: the audit.
        acts: raise a case.
    """

    def __init__(self, records: Records, audit_log: AuditLog, acts: TierActs) -> None:
        self._records = records
        self._audit_log = audit_log
        self._acts = acts

    def waiting(self) -> list[Waiting]:
        """Disagreements that wait for their reviewer, the oldest first, at most MOST."""
        d = disagreement.c
        query = (
            select(disagreement, staff.c.name, triage_case.c.conversation_id)
            .join(staff, staff.c.id == d.staff_id)
            .join(triage_case, triage_case.c.id == d.case_id)
            .where(d.reviewed_at.is_(None))
            .order_by(d.id)
            .limit(MOST)
        )
        with self._records.engine.connect() as connection:
            rows = connection.execute(query).all()
        mask = Mask.phones()
        found = []
        for row in rows:
            events = {event.seq: event for event in self._records.events(row.conversation_id)}
            answer = events.get(row.seq)
            message = events.get(answer.reply_to or 0) if answer else None
            words = self._records.open(row.conversation_id, row.sealed, act_associated_data("disagreement", row.at))
            found.append(
                Waiting(
                    id=row.id,
                    case=row.case_id,
                    seq=row.seq,
                    at=row.at,
                    author=row.staff_id,
                    by=row.name,
                    kind=row.kind,
                    accepted=tuple(row.accepted),
                    message=mask(str(message.words["text"])) if message and message.words is not None else None,
                    answer="\n".join(mask(block["text"]) for block in answer.words["blocks"]) if answer and answer.words else None,
                    advised=answer.disposition if answer else None,
                    reason=mask(str(words["reason"])) if words else None,
                )
            )
        return found

    def review(self, number: int, by: int, verdict: str) -> None:
        """Accept or reject a disagreement. One that is accepted and says that the tier was too low raises the case.

        Raises:
            ReviewError: 404 there is none of this number; 409 it is one's own, or reviewed already; 422 this is no verdict.
        """
        if verdict not in VERDICTS:
            raise ReviewError(422, "bad_request")
        d = disagreement.c
        with writing(self._records.engine) as connection:
            row = connection.execute(select(d.staff_id, d.case_id, d.kind, d.accepted).where(d.id == number)).one_or_none()
            if row is None:
                raise ReviewError(404, "not_found")
            if row.staff_id == by:
                raise ReviewError(409, "own_review")
            values = {"reviewed_at": self._records.clock(), "reviewer_id": by, "verdict": verdict}
            if not connection.execute(update(disagreement).where(d.id == number, d.reviewed_at.is_(None)).values(**values)).rowcount:
                raise ReviewError(409, "reviewed_already")
            detail = {"disagreement": number, "verdict": verdict}
            self._audit_log.record(AuditAct.REVIEW, staff=by, case=row.case_id, detail=detail, connection=connection)
        if verdict == ACCEPTED and row.kind == UNDER_TRIAGED:
            tier = max((TIERS[each] for each in row.accepted if each in TIERS), default=Tier.NONE)
            self._acts.raise_by_review(row.case_id, by, tier, number)


def agreement(engine: Engine) -> Agreement:
    """The figures of all reviews so far."""
    d = disagreement.c
    with engine.connect() as connection:
        rows = connection.execute(select(d.verdict, d.kind, func.count()).group_by(d.verdict, d.kind)).all()
    accepted = {kind: count for verdict, kind, count in rows if verdict == ACCEPTED}
    return Agreement(
        waiting=sum(count for verdict, _, count in rows if verdict is None),
        reviewed=sum(count for verdict, _, count in rows if verdict is not None),
        accepted=sum(accepted.values()),
        under_triaged=accepted.get(UNDER_TRIAGED, 0),
        over_triaged=accepted.get("over_triaged", 0),
    )
