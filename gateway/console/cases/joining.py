"""Several chats of one person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, or_, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.transactions import CaseActs, held_case
from gateway.console.errors import ActError
from gateway.records.tables import triage_case


class JoiningActs(CaseActs):
    """Joining cases; see `CaseActs`. Each keeps its own clock, tier and history."""

    def join(self, number: int, by: int, other: int) -> None:
        """Say that two cases are chats of one person.

        Raises:
            ActError: there is no other case of this number, or they are joined already.
        """
        with held_case(self._records, number) as (connection, case):
            found = connection.execute(select(triage_case).where(triage_case.c.id == other).with_for_update()).one_or_none()
            if found is None or other == number:
                raise ActError("There is no other case of this number.", 422)
            first = min(_first(case), _first(found))
            if _first(case) == _first(found):
                raise ActError("These cases are joined already.")
            at = self._records.clock()
            for each in {row.id: row for row in (*_joined(connection, case), *_joined(connection, found))}.values():
                self._record(connection, each, AuditAct.JOIN, by, at, {"with": other if each.id == number else number}, joined=first)

    def separate(self, number: int, by: int) -> None:
        """Take a case out of those it is joined with.

        Raises:
            ActError: it is joined with none.
        """
        with held_case(self._records, number) as (connection, case):
            if case.joined is None:
                raise ActError("This case is joined with no other.")
            self._record(connection, case, AuditAct.SEPARATE, by, self._records.clock(), {}, joined=None)


def _first(case: Row[Any]) -> int:
    return int(case.joined or case.id)


def _joined(connection: Connection, case: Row[Any]) -> list[Row[Any]]:
    c = triage_case.c
    same = or_(c.id == case.id, c.joined == case.joined) if case.joined else c.id == case.id
    return list(connection.execute(select(triage_case).where(same).order_by(c.id).with_for_update()))
