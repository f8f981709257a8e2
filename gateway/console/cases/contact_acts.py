"""Reaching the patient: writing into the chat, holding it, and tries by telephone."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.transactions import FREE, NOT_CALLED, CaseActs, held_case, must_be_acknowledged
from gateway.console.errors import ActError
from gateway.contact import times
from gateway.contact.statuses import Status
from gateway.records import statements as sql
from gateway.records.signals import tier_of
from gateway.records.tables import staff
from gateway.records.tier import Tier

STAFF = "staff"
LONGEST_NEXT = timedelta(hours=72)


class Attempt(StrEnum):
    """What came of a try to reach the patient."""

    REACHED = "reached"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"


class ContactActs(CaseActs):
    """Reaching the patient; see `CaseActs`."""

    def reply(self, number: int, by: int, seen: int, text: str, *, take_over: bool = False) -> None:
        """Write into the patient's chat; from now on the nurse holds it.

        Args:
            number: the case.
            by: the account of who writes.
            seen: the sequence number of the last event that was shown to them.
            text: what the patient reads.
            take_over: although another nurse holds the chat.

        Raises:
            ActError: the chat is over, nobody has acknowledged the case, another nurse holds the chat, the patient wrote or the case fired
                anew behind `seen`, or nothing is written.
        """
        with held_case(self._records, number) as (connection, case):
            self._must_have_seen(connection, case, seen)
            if connection.scalar(sql.NEWER_MESSAGE, {"name": case.conversation_id, "seq": seen}) is not None:
                raise ActError("The patient wrote since this page was loaded. Read it, then send your message.")
            at, who = self._take(connection, case, by, take_over=take_over)
            if not text.strip():
                raise ActError("Nothing is written. Write it, then send it.", 422)
            words = {"text": text.strip(), "who": who}
            event = self._records.add_within(connection, case.conversation_id, STAFF, {"staff": by}, words=words)
            until = at + self._policy.contact.hold
            self._record(connection, case, AuditAct.REPLY, by, at, {"seq": event.seq}, held_by=by, held_until=until)

    def hold(self, number: int, by: int, *, take_over: bool = False) -> None:
        """Hold the patient's chat without writing: the assistant speaks up at danger signs alone. It raises what `reply` raises."""
        with held_case(self._records, number) as (connection, case):
            at, _ = self._take(connection, case, by, take_over=take_over)
            until = at + self._policy.contact.hold
            self._record(connection, case, AuditAct.HOLD, by, at, {"until": until.isoformat()}, held_by=by, held_until=until)

    def hand_back(self, number: int, by: int) -> None:
        """Let the assistant answer again.

        Raises:
            ActError: nobody holds the chat.
        """
        with held_case(self._records, number) as (connection, case):
            if case.held_until is None:
                raise ActError("Nobody holds this chat.")
            self._record(connection, case, AuditAct.HAND_BACK, by, self._records.clock(), {}, **FREE)
            self._statuses.add(connection, case.conversation_id, Status.HANDED_BACK)

    def attempt(self, number: int, by: int, result: Attempt, note: str = "", next_in: timedelta | None = None) -> None:
        """Record a try to reach the patient; the patient reads that it was tried where it failed.

        Args:
            number: the case.
            by: the account of who tried.
            result: what came of it.
            note: what was said or agreed.
            next_in: when the next try is due; the policy's time for the tier where it is not given, none after the patient was reached.

        Raises:
            ActError: nobody has acknowledged the case, or the next try is too far off.
        """
        with held_case(self._records, number) as (connection, case):
            must_be_acknowledged(case)
            at, reached = self._records.clock(), result is Attempt.REACHED
            usual = self._policy.acts.next_attempt
            after = next_in or usual.get(tier_of(dict(case._mapping)), usual[Tier.CALL_DOCTOR])
            if not timedelta() < after <= LONGEST_NEXT:
                raise ActError("The next try has to be within three days.", 422)
            values: dict[str, Any] = {**NOT_CALLED} if reached else {"next_attempt_at": at + after}
            facts = {
                "result": result,
                "callback": case.callback_at.isoformat() if case.callback_at else None,
                "due": case.callback_due.isoformat() if case.callback_due else None,
                "next": None if reached else (at + after).isoformat(),
            }
            sealed = self._sealed_if_any(case, AuditAct.ATTEMPT, at, note)
            self._record(connection, case, AuditAct.ATTEMPT, by, at, facts, sealed=sealed, **values)
            if not reached:
                self._say_tried(connection, case, result, at)

    def _say_tried(self, connection: Connection, case: Row[Any], result: Attempt, at: datetime) -> None:
        protocol = self._library.bound(*self._records.bound(case.conversation_id))
        status = Status.WRONG_NUMBER if result is Attempt.WRONG_NUMBER else Status.TRIED
        self._statuses.add(connection, case.conversation_id, status, time=times.clock(protocol, at))

    def _take(self, connection: Connection, case: Row[Any], by: int, *, take_over: bool) -> tuple[datetime, str]:
        """Take the chat; returns the moment and how the patient sees the nurse. The patient reads that a nurse reads from now on."""
        must_be_acknowledged(case)
        at = self._records.clock()
        session = self._records.session_of(case.conversation_id)
        if session is None or session.is_over(at):
            raise ActError("The chat is closed on the patient's side, so nothing reaches them there. Call them instead.")
        held = case.held_until is not None and case.held_until > at
        people = select(staff.c.id, staff.c.name, staff.c.role).where(staff.c.id.in_([by, case.held_by]))
        names = {row.id: row for row in connection.execute(people)}
        if held and case.held_by != by and not take_over:
            raise ActError(f"{names[case.held_by].name} holds this chat. Take it over if you agreed on that.")
        who = self._shown_as(case.conversation_id, names[by].name, names[by].role)
        if not held or case.held_by != by:
            self._statuses.add(connection, case.conversation_id, Status.HELD, who=who[:1].upper() + who[1:])
        return at, who

    def _shown_as(self, conversation: str, name: str, role: str) -> str:
        """A nurse as the policy lets patients see them."""
        contact = self._policy.contact
        values = {"first_name": name.split()[0], "role": contact.roles[role]}
        return self._statuses.say(conversation, "contact.who.named" if contact.names else "contact.who.role", **values)
