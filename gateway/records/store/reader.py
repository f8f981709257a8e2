"""Reading the records. It blocks, so do it in a thread."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Select, select

from gateway.records import cases
from gateway.records import statements as sql
from gateway.records.sealing import Keyring, Sealer
from gateway.records.signals import DEFAULT, Signals
from gateway.records.store.entries import Bound, Clock, Contacting, Event, Session, utc_now
from gateway.records.tables import conversation, event
from gateway.settings import ABSOLUTE, IDLE


class Reader:
    """Reads the record of all conversations.

    Args:
        engine: the database, brought up to date.
        keyring: the master keys.
        clock: tells the time.
        synthetic: embed keys whose conversations are probes and make no case.
        signals: how far up in the queue each signal brings a case.
    """

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        clock: Clock = utc_now,
        synthetic: frozenset[str] = frozenset(),
        signals: Signals = DEFAULT,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.keyring = keyring
        self.signals = signals
        self._synthetic = synthetic
        self._unwrapped = lru_cache(maxsize=4_096)(keyring.unwrap)
        self._bound = lru_cache(maxsize=4_096)(self._read_bound)

    def session(self, token: str) -> Session | None:
        """The session of a token, over or not; None when there never was one."""
        return self._session(sql.SESSION_OF_TOKEN, token_hash=hash_of(token))

    def again(self, known: Session) -> Session:
        """A session as it is now."""
        return self.session_of(known.conversation) or known

    def session_of(self, name: str) -> Session | None:
        """The session of a conversation, over or not."""
        return self._session(sql.SESSION_OF_CONVERSATION, name=name)

    def _session(self, query: Select[Any], **which: Any) -> Session | None:
        with self.engine.connect() as connection:
            row = connection.execute(query, which).one_or_none()
        if row is None:
            return None
        end = row.started_at + ABSOLUTE
        return Session(
            conversation=row.conversation_id,
            embed_key=row.embed_key,
            protocol=row.protocol,
            language=row.language,
            started_at=row.started_at,
            idle_expires_at=min(row.latest + IDLE, end),
            expires_at=end,
            closed=row.closed or "",
            writer=row.writer["writer"] if row.writer else "patient",
        )

    def message(self, name: str, client_id: str) -> Event | None:
        """The message that was stored under a client id."""
        return next(iter(self._events(sql.MESSAGE_OF_CLIENT, name, client_id=client_id)), None)

    def events(self, name: str, after: int = 0) -> list[Event]:
        """A conversation's events behind a sequence number, in order."""
        return self._events(sql.EVENTS_BEHIND, name, seq=after)

    def turns(self, names: Sequence[str]) -> dict[str, list[Event]]:
        """What was said in some conversations, in order: messages, answers, and that the danger check was left."""
        found: dict[str, list[Event]] = {name: [] for name in names}
        with self.engine.connect() as connection:
            rows = connection.execute(sql.TURNS_OF, {"names": [*found]}).all()
        for row in rows:
            found[row.conversation_id].append(self._event(row.conversation_id, row))
        return found

    def readable(self, names: Sequence[str]) -> set[str]:
        """Those of some conversations whose words were not purged."""
        with self.engine.connect() as connection:
            return set(connection.scalars(sql.READABLE, {"names": [*names]}))

    def newest(self, name: str) -> int:
        """The sequence number of the last event, shown to the patient or not; whatever changes a conversation is one."""
        with self.engine.connect() as connection:
            return connection.scalar(sql.LAST_SEQ, {"name": name}) or 0

    def last(self, name: str, kind: str) -> Event | None:
        """The last event of this kind."""
        return next(iter(self._events(sql.LAST_OF_KIND, name, kind=kind)), None)

    def contact(self, name: str) -> Contacting:
        """How patient and nurses stand to each other; as new where nothing was said yet."""
        with self.engine.connect() as connection:
            row = connection.execute(sql.CONTACT, {"name": name}).one_or_none()
        return Contacting(*row) if row is not None else Contacting()

    def standing(self, name: str) -> tuple[Event | None, Event | None]:
        """How a conversation stands: its last answer, and the last `writer` behind the message that was answered."""
        last = {event.kind: event for event in self._events(sql.STANDING, name)}
        return last.get("answer"), last.get("writer")

    def is_answered(self, name: str, seq: int) -> bool:
        """Whether a message has its answer."""
        with self.engine.connect() as connection:
            return connection.scalar(sql.ANSWER_TO, {"name": name, "seq": seq}) is not None

    def unanswered(self, name: str | None = None) -> list[tuple[str, int, datetime]]:
        """Messages without an answer, the oldest first, as conversation, sequence number and moment.

        Args:
            name: of this conversation only.
        """
        answer = event.alias()
        query = (
            select(event.c.conversation_id, event.c.seq, event.c.at)
            .outerjoin(answer, (answer.c.conversation_id == event.c.conversation_id) & (answer.c.reply_to == event.c.seq))
            .where(event.c.kind == "message", answer.c.id.is_(None), event.c.at > self.clock() - ABSOLUTE)
            .order_by(event.c.id)
        )
        if name is not None:
            query = query.where(event.c.conversation_id == name)
        with self.engine.connect() as connection:
            return [(row.conversation_id, row.seq, row.at) for row in connection.execute(query)]

    def asked_and_left(self, minutes: float) -> list[tuple[str, int]]:
        """Conversations in which a question or the danger check has waited so long, with its sequence number; not those of long ago."""
        now = self.clock()
        when = {"until": now - timedelta(minutes=minutes), "since": now - ABSOLUTE, "ranks": [*cases.WAITING]}
        with self.engine.connect() as connection:
            rows = [row for statement in (sql.ASKED_AND_LEFT, sql.CHECKED_AND_LEFT) for row in connection.execute(statement, when)]
        return sorted({(row.conversation_id, row.seq) for row in rows})

    def delivered(self, name: str) -> tuple[int, datetime | None]:
        """Up to which sequence number events went out to the patient's browser, and when the last of them did."""
        with self.engine.connect() as connection:
            row = connection.execute(sql.DELIVERED, {"name": name}).one_or_none()
        return (row.seq, row.at) if row else (0, None)

    def embed_key(self, name: str) -> str:
        """By which embed key a conversation was started."""
        with self.engine.connect() as connection:
            return str(connection.scalar(select(conversation.c.embed_key).where(conversation.c.id == name)))

    def bound(self, name: str) -> Bound:
        """The protocol and the language that a conversation is bound to.

        Raises:
            SQLAlchemyError: there is no such conversation, or the records do not answer.
        """
        return self._bound(name)

    def _read_bound(self, name: str) -> Bound:
        with self.engine.connect() as connection:
            row = connection.execute(sql.BOUND, {"name": name}).one()
        return row.protocol, row.language

    def seal(self, name: str, data: Any, context: str) -> bytes | None:
        """Seal what is written about a conversation under its own key; None when it has been purged."""
        sealer = self._sealer(name)
        return sealer.seal(data, f"{name}/{context}") if sealer else None

    def open(self, name: str, sealed: bytes | None, context: str) -> Any:
        """What `seal` sealed; None when there is nothing, or the conversation has been purged."""
        sealer = self._sealer(name) if sealed is not None else None
        return sealer.open(sealed, f"{name}/{context}") if sealer and sealed is not None else None

    def _events(self, query: Select[Any], name: str, **which: Any) -> list[Event]:
        with self.engine.connect() as connection:
            rows = connection.execute(query, {"name": name, **which}).all()
        return [self._event(name, row) for row in rows]

    def _event(self, name: str, row: Any) -> Event:
        sealer = self._unwrapped(row.wrapped, name) if row.sealed is not None and row.wrapped is not None else None
        words = sealer.open(row.sealed, place_of(name, row.seq, row.kind)) if sealer else None
        return Event(row.seq, row.kind, row.at, row.client_id, row.reply_to, row.disposition, row.facts, words)

    def _sealer(self, name: str) -> Sealer | None:
        """The conversation's key, looked up each time, so that a purge is felt at once."""
        with self.engine.connect() as connection:
            wrapped = connection.scalar(sql.KEY, {"name": name})
        return self._unwrapped(wrapped, name) if wrapped is not None else None


def hash_of(token: str) -> bytes:
    """What is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


def place_of(name: str, seq: int, kind: str) -> str:
    """The associated data that an event's words are sealed with."""
    return f"{name}/{seq}/{kind}"
