"""Setting how urgent a case is by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.transactions import NO_LOWERING, CaseActs, held_case, is_emergency, must_be_open
from gateway.console.errors import ActError
from gateway.records.signals import CLOSED, OPEN, tier_of
from gateway.records.tier import Tier

_RAISED = (Tier.CALL_DOCTOR, Tier.EMERGENCY)
_ANEW = dict.fromkeys(("acknowledged_at", "acknowledged_by", "closed_at", "outcome", "snoozed_until"))


class TierActs(CaseActs):
    """Raising and lowering cases; see `CaseActs`. A rule that fires afterwards and is more urgent counts again."""

    def raise_to(self, number: int, by: int, tier: Tier, reason: str) -> None:
        """Make a case more urgent; it waits for its acknowledgement anew, closed or not.

        Args:
            number: the case.
            by: the account of who acts.
            tier: call doctor or emergency.
            reason: why.

        Raises:
            ActError: it is as urgent already, or no reason is given.
        """
        with held_case(self._records, number) as (connection, case):
            before = tier_of(dict(case._mapping))
            if tier not in _RAISED or tier <= before:
                raise ActError(f"This case counts as {before.label.lower()} already. Choose a more urgent tier.", 422)
            at = self._records.clock()
            sealed = self._sealed(case, AuditAct.RAISE, at, reason)
            self._raise(connection, case, by, at, tier, sealed)

    def raise_by_review(self, number: int, by: int, tier: Tier, disagreement: int) -> None:
        """Make a case as urgent as a second reviewer confirmed that it is; nothing where it is so already, or an older case is closed.

        Args:
            number: the case.
            by: the reviewer.
            tier: what would have been right.
            disagreement: what was confirmed.
        """
        with held_case(self._records, number) as (connection, case):
            if tier > tier_of(dict(case._mapping)):
                self._raise(connection, case, by, self._records.clock(), tier, None, disagreement)

    def lower_to(self, number: int, by: int, tier: Tier, reason: str) -> bool:
        """Make a case less urgent. An emergency is lowered when a second person confirms it.

        Args:
            number: the case.
            by: the account of who acts.
            tier: below what it counts as.
            reason: why.

        Returns:
            Whether it is lowered; else it waits for the second person.

        Raises:
            ActError: it is closed, not more urgent than that, or no reason is given.
        """
        with held_case(self._records, number) as (connection, case):
            must_be_open(case)
            before = tier_of(dict(case._mapping))
            if tier >= before:
                raise ActError(f"This case counts as {before.label.lower()}. Choose a less urgent tier.", 422)
            at = self._records.clock()
            facts = {"from": before, "to": tier}
            if is_emergency(case):
                sealed = self._sealed(case, AuditAct.LOWER_ASKED, at, reason)
                values = {"lower_to": tier, "lower_asked_by": by}
                self._record(connection, case, AuditAct.LOWER_ASKED, by, at, facts, sealed=sealed, **values)
                return False
            sealed = self._sealed(case, AuditAct.LOWER, at, reason)
            self._record(connection, case, AuditAct.LOWER, by, at, facts, sealed=sealed, by_hand=tier, **NO_LOWERING)
            return True

    def confirm_lowering(self, number: int, by: int, seen: int) -> None:
        """Agree that an emergency is none.

        Raises:
            ActError: nobody asked for it, it was asked for by oneself, or the case fired anew behind `seen`.
        """
        with held_case(self._records, number) as (connection, case):
            must_be_open(case)
            if case.lower_to is None:
                raise ActError("Nobody has asked to lower this case.")
            if case.lower_asked_by == by:
                raise ActError("You asked for this yourself. A second person has to agree.")
            self._must_have_seen(connection, case, seen)
            facts = {"from": tier_of(dict(case._mapping)), "to": case.lower_to, "asked_by": case.lower_asked_by}
            self._record(connection, case, AuditAct.LOWER, by, self._records.clock(), facts, by_hand=case.lower_to, **NO_LOWERING)

    def refuse_lowering(self, number: int, by: int) -> None:
        """Say that an emergency stays one, or take back that it is to be lowered."""
        with held_case(self._records, number) as (connection, case):
            if case.lower_to is None:
                raise ActError("Nobody has asked to lower this case.")
            self._record(connection, case, AuditAct.LOWER_REFUSED, by, self._records.clock(), {"to": case.lower_to}, **NO_LOWERING)

    def _raise(
        self,
        connection: Connection,
        case: Row[Any],
        by: int,
        at: datetime,
        tier: Tier,
        sealed: bytes | None,
        disagreement: int | None = None,
    ) -> None:
        facts = {"from": tier_of(dict(case._mapping)), "to": tier, "reopened": case.state == CLOSED, "disagreement": disagreement}
        values = {"by_hand": tier, "state": OPEN, "fired_at": at, "fired_seq": case.last_seq, "escalated": 0, **_ANEW, **NO_LOWERING}
        self._record(connection, case, AuditAct.RAISE, by, at, facts, sealed=sealed, **values)
