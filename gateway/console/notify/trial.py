"""A test message to everybody whom the rota names, so that it is known before it matters whether notices arrive."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.errors import ActError
from gateway.console.notify.outbox import NO_STEP, write_notices
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import notice
from gateway.settings import Settings

ABOUT = "test"
_AGAIN = timedelta(minutes=1)


class Trial:
    """Test messages. They go through the outbox as every notice does and hold no patient data.

    Args:
        records: the database, and the time.
        settings: the rota, and the console's address.
        audit_log: the audit.
    """

    def __init__(self, records: Records, settings: Settings, audit_log: AuditLog) -> None:
        self._records = records
        self._rota = settings.policy.rota
        self._link = f"{settings.console_origins[0]}/console/notices"
        self._audit_log = audit_log

    def send(self, by: int) -> int:
        """Put a test message for each step of the rota into the outbox.

        Args:
            by: the account of who sends it.

        Returns:
            How many addresses it goes to.

        Raises:
            ActError: one was sent within the last minute.
        """
        now = self._records.clock()
        with writing(self._records.engine) as connection:
            recent = select(notice.c.body).where(notice.c.level == NO_STEP, notice.c.created_at > now - _AGAIN)
            if any(body["about"] == ABOUT for body in connection.scalars(recent)):
                raise ActError("A test message was sent within the last minute. See below what became of it.")
            body = {"about": ABOUT, "link": self._link}
            notified = sum(write_notices(connection, step, NO_STEP, now, body) for step in self._rota)
            self._audit_log.record(AuditAct.TEST_NOTICE, staff=by, detail={"told": notified}, connection=connection)
        return notified
