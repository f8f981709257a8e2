"""Where a nurse disagrees with an answer: written down beside the record, which stays as it is."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import insert, select

from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.transactions import sealed_about
from gateway.console.errors import ActError, NoCaseError
from gateway.records.database import writing
from gateway.records.store import Records
from gateway.records.tables import disagreement, event, triage_case
from gateway.records.tier import TIERS, Tier

KINDS = ("under_triaged", "over_triaged", "wrong_finding", "misunderstood")
ACCEPTED = ("emergency", "call_doctor", "self_care", "ask", "not_in_leaflet", "chat", "out_of_scope")
FAQ = "faq:"


class Disagreements:
    """The disagreements of one database.

    Args:
        records: the gateway's records.
        audit_log: the audit.
    """

    def __init__(self, records: Records, audit_log: AuditLog) -> None:
        self._records = records
        self._audit_log = audit_log

    def add(self, number: int, by: int, seq: int, kind: str, accepted: tuple[str, ...], reason: str, topics: Collection[str] = ()) -> int:
        """Store a disagreement, and return its number.

        Args:
            number: the case.
            by: the account of who disagrees.
            seq: the sequence number of the answer.
            kind: one of `KINDS`.
            accepted: what would have been right: of `ACCEPTED`, or `faq:<topic>`; may be empty where the tier was right.
            reason: in the nurse's words.
            topics: those of the protocol; nothing else is stored, since what is accepted stands open in the database and in the audit.

        Raises:
            NoCaseError: there is no such case.
            ActError: something is missing or contradicts itself, or the conversation was purged.
        """
        with writing(self._records.engine) as connection:
            name = connection.scalar(select(triage_case.c.conversation_id).where(triage_case.c.id == number))
            if name is None:
                raise NoCaseError(number)
            answer = select(event.c.disposition).where(event.c.conversation_id == name, event.c.seq == seq, event.c.kind == "answer")
            found, known = connection.execute(answer).one_or_none(), {*ACCEPTED, *(f"{FAQ}{topic}" for topic in topics)}
            if found is None or kind not in KINDS or not known.issuperset(accepted):
                raise ActError("Choose the answer, and what is wrong with it.", 422)
            if not reason.strip():
                raise ActError("Say why you disagree.", 422)
            advised, levels = TIERS[found.disposition], [TIERS.get(each, Tier.NONE) for each in accepted]
            if kind == "under_triaged" and max(levels, default=0) <= advised:
                raise ActError("Under-triaged means that something more urgent was right. Choose what.", 422)
            if kind == "over_triaged" and min(levels, default=advised) >= advised:
                raise ActError("Over-triaged means that something less urgent was right. Choose what.", 422)
            at = self._records.clock()
            sealed = sealed_about(self._records, name, "disagreement", at, {"reason": reason.strip()})
            chosen = {"seq": seq, "kind": kind, "accepted": list(accepted)}
            row = {"case_id": number, "staff_id": by, "at": at, "sealed": sealed, **chosen}
            added = connection.execute(insert(disagreement).values(**row)).inserted_primary_key
            made = int(added[0]) if added else 0
            self._audit_log.record(AuditAct.DISAGREE, staff=by, case=number, detail={"disagreement": made, **chosen}, connection=connection)
        return made
