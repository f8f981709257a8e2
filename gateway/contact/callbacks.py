"""Requests for a call: what is promised, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from aftercare.protocol import Library
from aftercare.protocol.clinic import Clinic
from gateway.console.policy import Contact
from gateway.contact.numbers import numbers_in, read_number
from gateway.contact.statuses import CALLBACK
from gateway.contact.times import opens
from gateway.records.database import writing
from gateway.records.store import Event, Records, Session
from gateway.records.tables import triage_case

_CALLER = "caller"


@dataclass(frozen=True)
class Offer:
    """What the form for a request says.

    Attributes:
        text: when a nurse reads a request, and that it is for no emergency.
        number: one that the patient typed; None without any.
        requested_at: when a request that is still open was made.
    """

    text: str
    number: str | None
    requested_at: datetime | None


class Callbacks:
    """The requests for a call of all conversations.

    Args:
        records: the gateway's records.
        library: the clinic and its wording, by protocol.
        contact: the policy.
    """

    def __init__(self, records: Records, library: Library, contact: Contact) -> None:
        self._records = records
        self._library = library
        self._contact = contact

    def offer(self, session: Session) -> Offer:
        """What the form says now."""
        texts = [str(each.words["text"]) for each in self._records.events(session.conversation) if each.kind == "message" and each.words]
        numbers = [number for text in texts for number in numbers_in(text, self._contact.region)]
        return Offer(
            text=self._promise(session, "offer"),
            number=numbers[-1] if numbers else None,
            requested_at=self._records.contact(session.conversation).callback_at,
        )

    def request(self, session: Session, client_id: str, number: str, details: Mapping[str, str]) -> tuple[Event, bool]:
        """Store a request, once.

        Args:
            session: whose.
            client_id: the browser's id of the request, by which a repeat is known.
            number: as typed.
            details: `name`, `whose` and `best` (the best time), as far as they were given.

        Returns:
            The request as stored, and whether it is new.

        Raises:
            NumberError: the number cannot be read.
        """
        name, readable = session.conversation, read_number(number, self._contact.region)
        clinic = self._library.bound(*session.bound).clinic
        words = {"number": readable, **details, "blocks": [{"kind": "note", "text": self._promise(session, "receipt")}]}
        due = due_at(clinic, self._records.clock(), self._contact)
        caller = self._records.keyring.fingerprint(readable, _CALLER)
        try:
            with writing(self._records.engine) as connection:
                event = self._records.add_within(connection, name, CALLBACK, {"due": due.isoformat()}, words=words, client_id=client_id)
                connection.execute(update(triage_case).where(triage_case.c.conversation_id == name).values(caller=caller))
            return event, True
        except IntegrityError:
            known = self._records.message(name, client_id)
            if known is None:
                raise
            return known, False

    def same_caller(self, case: int) -> list[int]:
        """The other cases whose patients left the same number as a case's, the latest first."""
        c = triage_case.c
        with self._records.engine.connect() as connection:
            caller = connection.scalar(select(c.caller).where(c.id == case))
            found = select(c.id).where(c.caller == caller, c.id != case).order_by(c.id.desc()) if caller else None
            return list(connection.scalars(found)) if found is not None else []

    def _promise(self, session: Session, key: str) -> str:
        protocol = self._library.bound(*session.bound)
        now = self._records.clock()
        if protocol.clinic.is_open(now):
            return protocol.say(f"contact.{key}.open")
        when = opens(protocol, now)
        return protocol.say(f"contact.{key}.closed", opens=when) if when else protocol.say(f"contact.{key}.closed_long")


def due_at(clinic: Clinic, now: datetime, contact: Contact) -> datetime:
    """Until when a request that is made now may wait: the policy's time, from when the clinic is open."""
    begins = now if clinic.is_open(now) else clinic.next_opening(now) or now
    return begins + contact.callback
