"""What a lead does with a flood of emergencies from one address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.case_view import act_associated_data
from gateway.console.cases.floods import floods, of_group
from gateway.console.cases.transactions import CaseActs
from gateway.console.errors import ActError
from gateway.records.database import writing
from gateway.records.tables import triage_case
from gateway.records.tier import Rank

_BATCH = 20


class FloodActs(CaseActs):
    """Closing the emergencies of a flood; see `CaseActs`."""

    def close_flood(self, group: str, by: int, seen: datetime, outcome: str, reason: str) -> int:
        """Close the emergencies from one address that nobody has acknowledged, all together.

        Args:
            group: what they have in common.
            by: the account of who acts.
            seen: when they were shown; one whose patient wrote since then stays open.
            outcome: what is stored of each.
            reason: why; it is stored with each.

        Returns:
            How many were closed.

        Raises:
            ActError: they are no flood (any more), or something was not said.
        """
        self._must_be_outcome(outcome)
        if not reason.strip():
            raise ActError("Nothing is written. Write why they can be closed, then send it.", 422)
        c = triage_case.c
        with self._records.engine.connect() as connection:
            if not any(flood.group == group for flood in floods(connection, self._policy.flood[0])):
                raise ActError("These are not so many any more. Acknowledge them one by one.")
            unseen = and_(of_group(group), c.rank == Rank.RED, c.last_at <= seen)
            numbers = list(connection.scalars(select(c.id).where(unseen).order_by(c.fired_at, c.id)))
        batches = [numbers[start : start + _BATCH] for start in range(0, len(numbers), _BATCH)]
        closed = sum(self._close_unseen(batch, group, by, seen, outcome, reason.strip()) for batch in batches)
        self._audit_log.record(AuditAct.CLOSE_FLOOD, staff=by, detail={"group": group, "outcome": outcome, "closed": closed})
        return closed

    def _close_unseen(self, numbers: Sequence[int], group: str, by: int, seen: datetime, outcome: str, reason: str) -> int:
        c = triage_case.c
        still = and_(c.id.in_(numbers), c.rank == Rank.RED, c.last_at <= seen)
        with writing(self._records.engine) as connection:
            cases = connection.execute(select(triage_case).where(still).order_by(c.id).with_for_update()).all()
            for case in cases:
                at = self._records.clock()
                sealed = self._records.seal(case.conversation_id, {"text": reason}, act_associated_data(AuditAct.CLOSE, at))
                facts = {"outcome": outcome, "seen": case.last_seq, "group": group}
                self._end(connection, case, by, at, facts, outcome, sealed)
        return len(cases)
