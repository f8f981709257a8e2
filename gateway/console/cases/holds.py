"""Chats that a nurse held and did not hand back."""

from __future__ import annotations

from sqlalchemy import and_, insert, select, update

from aftercare.protocol import Library
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.contact.statuses import Status, Statuses
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import case_act, triage_case


class Holds:
    """Lets the assistant answer again where the policy's time has passed.

    Args:
        records: the gateway's records.
        audit_log: the audit.
        library: the wording of what the patient reads then.
    """

    def __init__(self, records: Records, audit_log: AuditLog, library: Library) -> None:
        self._records = records
        self._audit_log = audit_log
        self._statuses = Statuses(records, library)

    def release(self) -> int:
        """Hand back what is due; returns how many chats."""
        c, now = triage_case.c, self._records.clock()
        with self._records.engine.connect() as connection:
            due = list(connection.scalars(select(c.id).where(c.held_until <= now)))
        for number in due:
            with writing(self._records.engine) as connection:
                mine = and_(c.id == number, c.held_until <= now)
                case = connection.execute(select(c.id, c.conversation_id, c.version).where(mine).with_for_update()).one_or_none()
                if case is None:
                    continue
                values = {"held_by": None, "held_until": None, "version": case.version + 1, "changed_at": now}
                connection.execute(update(triage_case).where(c.id == number).values(**values))
                row = {"case_id": number, "at": now, "staff_id": None, "kind": AuditAct.HAND_BACK, "facts": {}}
                connection.execute(insert(case_act).values(**row))
                self._audit_log.record(AuditAct.HAND_BACK, case=number, connection=connection)
                self._statuses.add(connection, case.conversation_id, Status.HANDED_BACK)
        return len(due)
