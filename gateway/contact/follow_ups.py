"""Asking, once after urgent advice, whether the patient reached somebody, and what to do if not."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, or_, select
from sqlalchemy.exc import IntegrityError

from aftercare.protocol import Library
from gateway.console.policy import Contact
from gateway.contact.statuses import Status, Statuses
from gateway.records.cases import REACHED
from gateway.records.database import writing
from gateway.records.signals import Standing
from gateway.records.store import Event, Records, Session
from gateway.records.tables import event, triage_case
from gateway.records.tier import Tier
from gateway.settings import ABSOLUTE, IDLE

FOLLOW_UP, FOLLOWED = "followup", "followed"
_NOBODY = "nobody"
ANSWERS = (REACHED, _NOBODY, "not_yet")
_TIME_TO_ANSWER = timedelta(minutes=2)
_OVER = ("ended", "expired")


class GoneError(LookupError):
    """An answer to a question that does not wait for one."""


class FollowUps:
    """The questions of all conversations whether somebody was reached.

    Args:
        records: the gateway's records.
        library: the wording, by protocol.
        contact: the policy: after which time each tier is asked.
    """

    def __init__(self, records: Records, library: Library, contact: Contact) -> None:
        self._records = records
        self._statuses = Statuses(records, library)
        self._library = library
        self._after = contact.follow_up

    def look(self) -> int:
        """Ask where it is time; returns how many were asked."""
        asked = 0
        for tier, after in self._after.items():
            with self._records.engine.connect() as connection:
                names = self._due(connection, tier, after)
            for name in names:
                with writing(self._records.engine) as connection:
                    if name in self._due(connection, tier, after, name):
                        self._ask(connection, name, Tier(tier))
                        asked += 1
        return asked

    def answer(self, session: Session, client_id: str, seq: int, answer: str) -> tuple[Event, bool]:
        """Store what the patient says, once, and what to do then.

        Args:
            session: whose.
            client_id: the browser's id of the answer, by which a repeat is known.
            seq: the question.
            answer: one of ANSWERS.

        Returns:
            The answer as stored, and whether it is new.

        Raises:
            GoneError: the question does not wait for an answer.
        """
        name = session.conversation
        known = self._records.message(name, client_id)
        if known is not None:
            return known, False
        events = self._records.events(name, seq - 1)
        if not events or events[0].kind != FOLLOW_UP or any(each.kind in (FOLLOW_UP, FOLLOWED) for each in events[1:]):
            raise GoneError(seq)
        tier = events[0].facts["tier"]
        say = self._library.bound(*session.bound).say
        facts = {"answer": answer, "tier": tier, "question": seq}
        more = {} if answer == REACHED else {"disposition": tier}
        try:
            with writing(self._records.engine) as connection:
                words = {"text": say(f"follow_up.answers.{answer}")}
                stored = self._records.add_within(connection, name, FOLLOWED, facts, words=words, client_id=client_id)
                self._statuses.write(connection, name, Status.FOLLOW_UP, self._told(session, tier, answer, events[0].at), more)
        except IntegrityError:
            repeated = self._records.message(name, client_id)
            if repeated is None:
                raise
            return repeated, False
        return stored, True

    def _told(self, session: Session, tier: str, answer: str, asked: datetime) -> list[tuple[str, str]]:
        """What to do then: not the number again that did not answer, but the next one, and behind the last one the ER."""
        protocol = self._library.bound(*session.bound)
        if answer == REACHED:
            return [("note", protocol.say(f"follow_up.{tier}.{answer}"))]
        if (tier, answer) == (Tier.CALL_DOCTOR.key, _NOBODY) and not protocol.clinic.is_open(asked):
            return [("advice", protocol.say("advice.unreached")), ("note", protocol.say("follow_up.call_doctor.nobody_closed"))]
        return [("advice", protocol.say(f"follow_up.{tier}.{answer}"))]

    def _due(self, connection: Connection, tier: int, after: timedelta, name: str | None = None) -> list[str]:
        """Open chats in which nothing was said since advice of this tier for so long, and that were not asked since."""
        now, c = self._records.clock(), triage_case.c
        mine = event.c.conversation_id == c.conversation_id
        query = select(c.conversation_id).where(
            c.opened_at > now - ABSOLUTE,
            c.tier == tier,
            c.last_at <= now - after,
            c.last_at > now - IDLE + _TIME_TO_ANSWER,
            c.asking.is_(False),
            c.danger_check != Standing.BEFORE,
            or_(c.held_until.is_(None), c.held_until <= now),
            ~exists().where(mine, event.c.kind == FOLLOW_UP, event.c.seq > c.fired_seq),
            ~exists().where(mine, event.c.kind.in_(_OVER)),
        )
        return list(connection.scalars(query if name is None else query.where(c.conversation_id == name)))

    def _ask(self, connection: Connection, name: str, tier: Tier) -> None:
        protocol = self._library.bound(*self._records.bound(name))
        titles = protocol.wording["follow_up"]["answers"]
        words = {
            "text": protocol.say(f"follow_up.{tier.key}.ask"),
            "buttons": [{"id": each, "title": titles[each]} for each in ANSWERS],
        }
        self._records.add_within(connection, name, FOLLOW_UP, {"tier": tier.key}, words=words)
