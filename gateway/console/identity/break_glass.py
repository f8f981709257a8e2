"""Breaking the glass: somebody whose role does not see patients' words reads one case for a while, and everybody can see that they did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.errors import ActError, NoCaseError
from gateway.console.policy import Policy
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import break_glass, case_act, triage_case


class BreakGlass:
    """Who may read which case for a while.

    Args:
        records: the gateway's records.
        policy: for how long, and the reasons that can be chosen.
        audit_log: the audit.
    """

    def __init__(self, records: Records, policy: Policy, audit_log: AuditLog) -> None:
        self._records = records
        self._policy = policy
        self._audit_log = audit_log

    def until(self, number: int, by: int) -> datetime | None:
        """Until when somebody may read a case; None when they may not."""
        c, now = break_glass.c, self._records.clock()
        query = select(func.max(c.until)).where(c.staff_id == by, c.case_id == number, c.until > now)
        with self._records.engine.connect() as connection:
            until: datetime | None = connection.scalar(query)
        return until

    def grant(self, number: int, by: int, reason: str) -> datetime:
        """Let somebody read a case, and return until when; it stands in the case's history.

        Args:
            number: the case.
            by: the account.
            reason: a key of the policy's reasons.

        Raises:
            NoCaseError: there is no such case.
            ActError: the policy knows no such reason.
        """
        if reason not in self._policy.reasons:
            raise ActError("Choose a reason.", 422)
        at = self._records.clock()
        until = at + self._policy.break_glass
        facts = {"reason": reason, "until": until.isoformat()}
        with writing(self._records.engine) as connection:
            if connection.scalar(select(triage_case.c.id).where(triage_case.c.id == number)) is None:
                raise NoCaseError(number)
            connection.execute(insert(break_glass).values(staff_id=by, case_id=number, at=at, until=until, reason=reason))
            connection.execute(insert(case_act).values(case_id=number, at=at, staff_id=by, kind=AuditAct.BREAK_GLASS, facts=facts))
            self._audit_log.record(AuditAct.BREAK_GLASS, staff=by, case=number, detail=facts, connection=connection)
        return until
