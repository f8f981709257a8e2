"""Telling somebody else: the rota's next step when nobody acknowledges a case in time, and when no patient comes in for too long.

Of a flood of emergencies from one address, those behind the first ones are notified of together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, text, update

from aftercare.protocol.clinic import Clinic
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.floods import Flood, flooding, floods
from gateway.console.identity.newcomers import LEVEL as NEWCOMERS
from gateway.console.notify.outbox import write_notices
from gateway.records.database import writing
from gateway.records.signals import OPEN, tier_of
from gateway.records.store import Records
from gateway.records.tables import case_act, conversation, notice, triage_case
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED, Rank
from gateway.settings import Settings

_DAY = timedelta(days=1)
_LOCK, _FLOOD_LOCK = 0x73696C65, 0x666C6F6F


class Escalation:
    """Watches over the cases of one database. Several gateways may do so at once; each step is taken by one of them.

    No patient learns of it.

    Args:
        records: the cases, and the time.
        settings: the limits, the rota, the console's address, and which conversations are probes.
        audit_log: the audit.
        clinic: whose hours of the day count for a silence.
    """

    def __init__(self, records: Records, settings: Settings, audit_log: AuditLog, clinic: Clinic) -> None:
        self._records = records
        self._policy = settings.policy
        self._audit_log = audit_log
        self._clinic = clinic
        self._console = f"{settings.console_origins[0]}/console"
        self._probes = [key.name for key in settings.embed_keys.values() if key.synthetic]

    def look(self) -> int:
        """Take every step that is due, write its notices to the outbox, and return how many steps were taken."""
        now = self._records.clock()
        with self._records.engine.connect() as connection:
            query = select(triage_case, conversation.c.address_group).join_from(triage_case, conversation)
            due = connection.execute(query.where(self._due(now))).all()
            found = floods(connection, self._policy.flood[0]) if due else []
        together: dict[tuple[Flood, int], list[int]] = {}
        taken = 0
        for case in due:
            red = found if case.rank == Rank.RED else []
            flood = next((each for each in red if each.takes(case.address_group, case.fired_at, case.id)), None)
            if flood is None:
                taken += self._escalate(case, now)
            else:
                together.setdefault((flood, case.escalated + 1), []).append(case.id)
        taken += sum(self._escalate_together(flood, level, numbers, now) for (flood, level), numbers in together.items())
        return taken + self._watch_silence(now)

    def _due(self, now: datetime) -> ColumnElement[bool]:
        c = triage_case.c
        late = [
            and_(c.rank == rank, c.escalated == taken, c.fired_at <= now - self._policy.limits[TIER_OF[rank]] * (taken + 1))
            for rank in UNACKNOWLEDGED
            for taken in range(len(self._policy.rota))
        ]
        awake = or_(c.rank == Rank.RED, c.snoozed_until.is_(None), c.snoozed_until <= now)
        return and_(c.state == OPEN, awake, or_(*late))

    def _escalate(self, case: Any, now: datetime) -> bool:
        c, level = triage_case.c, case.escalated + 1
        step = self._policy.rota[case.escalated]
        unchanged = and_(c.id == case.id, c.version == case.version)
        body = {
            "about": "case",
            "case": case.id,
            "tier": tier_of(case._mapping).key,
            "reason": "failed" if case.failed else "asking" if case.asking else "",
            "minutes": int((now - case.fired_at) / timedelta(minutes=1)),
            "link": f"{self._console}/cases/{case.id}",
        }
        with writing(self._records.engine) as connection:
            taken = update(triage_case).where(unchanged).values(escalated=level, version=case.version + 1, changed_at=now)
            if not connection.execute(taken).rowcount:
                return False
            notified = write_notices(connection, step, level, now, body, case.id)
            facts = {"step": step.name, "level": level, "told": notified}
            connection.execute(insert(case_act).values(case_id=case.id, at=now, staff_id=None, kind=AuditAct.ESCALATED, facts=facts))
            self._audit_log.record(AuditAct.ESCALATED, case=case.id, detail=facts, connection=connection)
        return True

    def _escalate_together(self, flood: Flood, level: int, numbers: Iterable[int], now: datetime) -> bool:
        """Take a step of a flood's cases, with notices only if none went out of it for a while."""
        c, step = triage_case.c, self._policy.rota[level - 1]
        with writing(self._records.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FLOOD_LOCK})
            still = and_(c.id.in_(numbers), c.rank == Rank.RED, c.escalated == level - 1)
            mine = list(connection.scalars(select(c.id).where(still).order_by(c.fired_at, c.id).with_for_update()))
            if not mine:
                return False
            values = {"escalated": level, "version": c.version + 1, "changed_at": now}
            connection.execute(update(triage_case).where(c.id.in_(mine)).values(**values))
            if self._knows_flood(connection, flood.group, level, now):
                return True
            body = {
                "about": "flood",
                "cases": flood.cases,
                "singly": flood.singly,
                "minutes": int((now - flood.since) / timedelta(minutes=1)),
                "again": int(self._policy.flood[1] / timedelta(minutes=1)),
                "link": f"{self._console}/?view=all&group={flood.group}",
            }
            notified = write_notices(connection, step, level, now, body, mine[0], flood.group)
            facts = {"step": step.name, "level": level, "told": notified, "group": flood.group, "cases": flood.cases}
            connection.execute(insert(case_act).values(case_id=mine[0], at=now, staff_id=None, kind=AuditAct.ESCALATED, facts=facts))
            self._audit_log.record(AuditAct.FLOOD, case=mine[0], detail=facts, connection=connection)
        return True

    def _knows_flood(self, connection: Connection, group: str, level: int, now: datetime) -> bool:
        """Whether this step was notified of this flood within the last while."""
        n = notice.c
        recent = and_(n.address_group == group, n.level == level, n.created_at > now - self._policy.flood[1])
        return connection.scalar(select(n.id).where(recent).limit(1)) is not None

    def _watch_silence(self, now: datetime) -> bool:
        c, after = conversation.c, self._policy.silence[0]
        begins, ends = self._watched_hours(now)
        if now >= ends or now - begins < after:
            return False
        with self._records.engine.connect() as connection:
            noise = flooding(now - after - _DAY, self._policy.flood[0])
            patients = and_(c.embed_key.not_in(self._probes), or_(c.address_group.is_(None), c.address_group.not_in(noise)))
            last = connection.scalar(select(func.max(c.started_at)).where(patients))
            if last is None or now - last < after or self._knows(connection, last):
                return False
        return self._tell_silence(last, now)

    def _watched_hours(self, now: datetime) -> tuple[datetime, datetime]:
        """When the hours in which a silence is worth telling began last, and when they end, both in UTC."""
        _, opens, closes = self._policy.silence
        today = self._clinic.day(now)
        day = today if self._clinic.moment(today, opens) <= now else today - _DAY
        return self._clinic.moment(day, opens), self._clinic.moment(day if opens < closes else day + _DAY, closes)

    def _tell_silence(self, last: datetime, now: datetime) -> bool:
        step, minutes = self._policy.rota[0], int((now - last) / timedelta(minutes=1))
        body = {"about": "silence", "minutes": minutes, "link": f"{self._console}/"}
        with writing(self._records.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if self._knows(connection, last):
                return False
            notified = write_notices(connection, step, 1, now, body)
            detail = {"step": step.name, "minutes": minutes, "told": notified}
            self._audit_log.record(AuditAct.SILENCE, detail=detail, connection=connection)
        return True

    def _knows(self, connection: Connection, last: datetime) -> bool:
        """Whether the silence behind the last conversation was reported."""
        n = notice.c
        return connection.scalar(select(n.id).where(n.case_id.is_(None), n.level > NEWCOMERS, n.created_at > last).limit(1)) is not None
