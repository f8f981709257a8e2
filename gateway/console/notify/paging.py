"""Paging the on-call team about a case by hand, without waiting for its limit."""

from __future__ import annotations

from datetime import timedelta

from aftercare.protocol import Library
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.transactions import CaseActs, held_case, must_be_open
from gateway.console.errors import ActError
from gateway.console.notify.outbox import write_notices
from gateway.records.signals import tier_of
from gateway.records.store import Records
from gateway.settings import Settings

_AGAIN = timedelta(minutes=1)


class Paging(CaseActs):
    """Paging about the cases of one database.

    Args:
        records: the gateway's records.
        settings: the rota, and the console's address.
        audit_log: the audit.
        library: gives the local time.
    """

    def __init__(self, records: Records, settings: Settings, audit_log: AuditLog, library: Library) -> None:
        super().__init__(records, settings.policy, audit_log, library)
        self._console = f"{settings.console_origins[0]}/console"

    def page(self, number: int, by: int, reason: str) -> int:
        """Notify the rota's next step now, or the last one again.

        Args:
            number: the case.
            by: the account of who acts.
            reason: why; it stays in the console, no notice has a word about the patient.

        Returns:
            How many addresses are notified; none where the step names nobody.

        Raises:
            ActError: the case is closed, was paged within the last minute, or no reason is given.
        """
        with held_case(self._records, number) as (connection, case):
            must_be_open(case)
            at, rota = self._records.clock(), self._policy.rota
            if case.paged_at is not None and at - case.paged_at < _AGAIN:
                raise ActError("The team was paged about this case within the last minute.")
            level = min(case.escalated + 1, len(rota))
            step = rota[level - 1]
            sealed = self._sealed(case, AuditAct.PAGE, at, reason)
            body = {
                "about": "case",
                "case": case.id,
                "tier": tier_of(dict(case._mapping)).key,
                "reason": "paged",
                "minutes": int((at - case.fired_at) / timedelta(minutes=1)),
                "link": f"{self._console}/cases/{case.id}",
            }
            notified = write_notices(connection, step, level, at, body, case.id)
            facts = {"step": step.name, "level": level, "told": notified}
            self._record(connection, case, AuditAct.PAGE, by, at, facts, sealed=sealed, escalated=level, paged_at=at)
        return notified
