"""Reading and adding to the records. Plain functions of a database: they block, so call them in a thread."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.records import cases
from gateway.records import statements as sql
from gateway.records.database import writing
from gateway.records.sealing import Keyring, Sealer
from gateway.records.tables import conversation, conversation_key, event, session
from gateway.settings import ABSOLUTE, IDLE

_TOKEN_BYTES = 32

Clock = Callable[[], datetime]
Bound = tuple[str, str]
"""The id of a protocol and the code of a language."""


class ConflictError(ValueError):
    """A client id that was used for other words."""


class OvertakenError(ValueError):
    """Something was written in the meantime."""


@dataclass(frozen=True)
class Session:
    """One patient's right to one conversation.

    Attributes:
        conversation: the conversation's id, which no patient sees.
        protocol: the id of the protocol that the conversation is bound to.
        language: the code of the language that it is bound to.
        idle_expires_at: when it ends, if the patient does nothing more.
        expires_at: when it ends in any case.
        closed: `ended` by the patient, `expired` for good, or empty.
        writer: `patient` or `helper`.
    """

    conversation: str
    embed_key: str
    protocol: str
    language: str
    started_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    closed: str
    writer: str

    @property
    def bound(self) -> Bound:
        """What the conversation is bound to."""
        return self.protocol, self.language

    @property
    def ended(self) -> bool:
        """Whether the patient ended it."""
        return self.closed == "ended"

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended or run out."""
        return bool(self.closed) or now >= self.idle_expires_at

    def after(self, act: datetime) -> Session:
        """The session once the patient has done something at this moment."""
        return replace(self, idle_expires_at=min(act + IDLE, self.expires_at))


@dataclass(frozen=True)
class Event:
    """One entry of a conversation.

    Attributes:
        seq: its place, from 1.
        kind: `greeting`, `message`, `answer`, `left` (the danger check behind an answer), `writer`, `extended`, `ended` or `expired`.
        client_id: the id that the patient's browser gave a message.
        reply_to: the place of the message that an answer answers; None where an interview was broken off.
        disposition: what the answer tells the patient to do, if anything.
        facts: what may stand unencrypted: no words.
        words: what is sealed; None once the conversation has been purged.
    """

    seq: int
    kind: str
    at: datetime
    client_id: str | None
    reply_to: int | None
    disposition: str | None
    facts: Mapping[str, Any]
    words: Mapping[str, Any] | None

    @property
    def follows_up(self) -> bool:
        """Whether it is an answer to no message: it tells what holds after an interview that was broken off."""
        return self.kind == "answer" and self.reply_to is None


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Records:
    """The record of all conversations.

    Args:
        engine: the database, brought up to date.
        keyring: the master keys.
        clock: tells the time.
        synthetic: embed keys whose conversations are probes and make no case.
    """

    def __init__(self, engine: Engine, keyring: Keyring, clock: Clock = utc_now, synthetic: frozenset[str] = frozenset()) -> None:
        self.engine = engine
        self.clock = clock
        self.keyring = keyring
        self._synthetic = synthetic
        self._unwrapped = lru_cache(maxsize=4_096)(keyring.unwrap)
        self._bound = lru_cache(maxsize=4_096)(self._read_bound)

    def start(self, embed_key: str, greeting: Mapping[str, Any], writer: str, address_group: str | None = None, *, bound: Bound) -> str:
        """Start a conversation with a greeting.

        Args:
            embed_key: of the page that it is started on.
            greeting: what is said first.
            writer: `patient` or `helper`.
            address_group: what it has in common with that day's other conversations from its address, if that is known.
            bound: the protocol and the language that it is bound to for good.

        Returns:
            Its session's token, which is stored nowhere.
        """
        token, name, now = secrets.token_urlsafe(_TOKEN_BYTES), uuid4().hex, self.clock()
        sealer, wrapped = self.keyring.new_key(name, now.date())
        with writing(self.engine) as connection:
            row = {"id": name, "embed_key": embed_key, "started_at": now, "address_group": address_group}
            row |= dict(zip(("protocol", "language"), bound, strict=True))
            connection.execute(insert(conversation).values(row))
            connection.execute(insert(conversation_key).values(conversation_id=name, wrapped=wrapped))
            connection.execute(insert(session).values(token_hash=_hash(token), conversation_id=name, started_at=now))
            self._insert(connection, name, 1, "greeting", {}, words=greeting, sealer=sealer)
            if writer != "patient":
                self._insert(connection, name, 2, "writer", {"writer": writer})
        return token

    def session(self, token: str) -> Session | None:
        """The session of a token, over or not; None when there never was one."""
        return self._session(sql.SESSION_OF_TOKEN, token_hash=_hash(token))

    def again(self, known: Session) -> Session:
        """A session as it is now."""
        return self._session(sql.SESSION_OF_CONVERSATION, name=known.conversation) or known

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

    def add_message(
        self,
        name: str,
        client_id: str,
        text: str,
        facts: Mapping[str, Any] | None = None,
        only_behind: int | None = None,
        rows: Sequence[Mapping[str, str]] = (),
    ) -> tuple[Event, bool]:
        """Store a patient's message, once.

        Args:
            name: the conversation.
            client_id: the browser's id of the message, by which a repeat is known.
            text: what was typed, or the title of the button that was pressed; empty where rows alone were answered.
            facts: `button`, the button that was pressed; `refused`, why it is not handed on to Rasa.
            only_behind: store it only as long as no message stands behind this place.
            rows: rows of the danger check that were answered one by one: their `fact`, `text` and `answer`.

        Returns:
            The message as stored, and whether it is new.

        Raises:
            ConflictError: the id was used for other words or answers.
            OvertakenError: a message stands behind `only_behind`.
        """
        known = self.message(name, client_id) if only_behind is not None else None
        facts = dict(facts or {})
        words: dict[str, Any] = {"text": text}
        if rows:
            facts["rows"], words["rows"] = {row["fact"]: row["answer"] for row in rows}, list(rows)
        if known is None:
            try:
                return self.add(name, "message", facts, words=words, client_id=client_id, only_behind=only_behind), True
            except (IntegrityError, OvertakenError):
                known = self.message(name, client_id)
                if known is None:
                    raise
        chosen = any(known.facts.get(key) != facts.get(key) for key in ("button", "rows"))
        if chosen or (known.words is not None and known.words["text"] != text):
            raise ConflictError(client_id)
        return known, False

    def add_answer(
        self, name: str, reply_to: int, facts: Mapping[str, Any], words: Mapping[str, Any], disposition: str | None
    ) -> Event | None:
        """Store the answer to a message; None when it has one already."""
        try:
            return self.add(name, "answer", facts, words=words, reply_to=reply_to, disposition=disposition)
        except IntegrityError:
            if self.is_answered(name, reply_to):
                return None
            raise

    def add(
        self,
        name: str,
        kind: str,
        facts: Mapping[str, Any],
        *,
        words: Mapping[str, Any] | None = None,
        client_id: str | None = None,
        reply_to: int | None = None,
        disposition: str | None = None,
        only_behind: int | None = None,
        right_behind: int | None = None,
    ) -> Event:
        """Add an event at the end of a conversation.

        Args:
            name: the conversation.
            kind: of the event.
            facts: what may stand unencrypted.
            words: what is sealed.
            client_id: of a message.
            reply_to: of an answer.
            disposition: of an answer.
            only_behind: add it only as long as no message stands behind this place.
            right_behind: add it only as long as neither a message nor an answer stands behind this place.

        Raises:
            OvertakenError: something does.
        """
        with writing(self.engine) as connection:
            mine = connection.execute(sql.TURN, {"name": name}).one()
            sealer = self._unwrapped(mine.wrapped, name) if words is not None and mine.wrapped is not None else None
            last = connection.scalar(sql.LAST_SEQ, {"name": name}) or 0
            if only_behind is not None and connection.scalar(sql.NEWER_MESSAGE, {"name": name, "seq": only_behind}) is not None:
                raise OvertakenError
            if right_behind is not None and connection.scalar(sql.NEWER_TURN, {"name": name, "seq": right_behind}) is not None:
                raise OvertakenError
            return self._insert(
                connection, name, last + 1, kind, facts, probe=mine.embed_key in self._synthetic,
                words=words, sealer=sealer, client_id=client_id, reply_to=reply_to, disposition=disposition,
            )  # fmt: skip

    def events(self, name: str, after: int = 0) -> list[Event]:
        """A conversation's events behind a place, in order."""
        return self._events(sql.EVENTS_BEHIND, name, seq=after)

    def newest(self, name: str) -> int:
        """The place of the last event, shown to the patient or not; whatever changes a conversation is one."""
        with self.engine.connect() as connection:
            return connection.scalar(sql.LAST_SEQ, {"name": name}) or 0

    def last(self, name: str, kind: str) -> Event | None:
        """The last event of this kind."""
        return next(iter(self._events(sql.LAST_OF_KIND, name, kind=kind)), None)

    def standing(self, name: str) -> tuple[Event | None, Event | None]:
        """How a conversation stands: its last answer, and the last `writer` behind the message that was answered."""
        last = {event.kind: event for event in self._events(sql.STANDING, name)}
        return last.get("answer"), last.get("writer")

    def is_answered(self, name: str, seq: int) -> bool:
        """Whether a message has its answer."""
        with self.engine.connect() as connection:
            return connection.scalar(sql.ANSWER_TO, {"name": name, "seq": seq}) is not None

    def unanswered(self, name: str | None = None) -> list[tuple[str, int, datetime]]:
        """Messages without an answer, the oldest first, as conversation, place and moment.

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
        """Conversations in which a question or the danger check has waited so long, with its place; not those of long ago."""
        now = self.clock()
        when = {"until": now - timedelta(minutes=minutes), "since": now - ABSOLUTE, "places": [*cases.WAITING]}
        with self.engine.connect() as connection:
            rows = [row for statement in (sql.ASKED_AND_LEFT, sql.CHECKED_AND_LEFT) for row in connection.execute(statement, when)]
        return sorted({(row.conversation_id, row.seq) for row in rows})

    def note_try(self, name: str, seq: int) -> int:
        """Remember that an answer to this message is tried for once more, before it is; and tell how often that is."""
        this = {"name": name, "message": seq}
        with writing(self.engine) as connection:
            if not connection.execute(sql.ONE_MORE_TRY, this).rowcount:
                connection.execute(sql.FIRST_TRY, {"conversation_id": name, "seq": seq, "tries": 1})
            return int(connection.scalar(sql.TRIES, this) or 0)

    def sent(self, name: str, seq: int) -> None:
        """Remember that the events up to this place went out to the patient's browser."""
        with writing(self.engine) as connection:
            further = connection.execute(sql.FURTHER_DELIVERED, {"name": name, "up_to": seq, "now": self.clock()}).rowcount
            if not further and connection.execute(sql.DELIVERED, {"name": name}).one_or_none() is None:
                connection.execute(sql.NEW_DELIVERY, {"conversation_id": name, "seq": seq, "at": self.clock()})

    def delivered(self, name: str) -> tuple[int, datetime | None]:
        """Up to which place events went out to the patient's browser, and when the last of them did."""
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

    def seal(self, name: str, data: Any, place: str) -> bytes | None:
        """Seal what is written about a conversation under its own key; None when it has been purged."""
        sealer = self._sealer(name)
        return sealer.seal(data, f"{name}/{place}") if sealer else None

    def open(self, name: str, sealed: bytes | None, place: str) -> Any:
        """What `seal` sealed; None when there is nothing, or the conversation has been purged."""
        sealer = self._sealer(name) if sealed is not None else None
        return sealer.open(sealed, f"{name}/{place}") if sealer and sealed is not None else None

    def _insert(
        self,
        connection: Connection,
        name: str,
        seq: int,
        kind: str,
        facts: Mapping[str, Any],
        *,
        words: Mapping[str, Any] | None = None,
        sealer: Sealer | None = None,
        probe: bool = False,
        **columns: Any,
    ) -> Event:
        now = self.clock()
        sealed = sealer.seal(words, _place(name, seq, kind)) if sealer and words is not None else None
        values = {"conversation_id": name, "seq": seq, "kind": kind, "at": now, "facts": dict(facts), "sealed": sealed, **columns}
        connection.execute(sql.NEW_EVENT, values)
        if not probe:
            cases.follow(connection, name, seq, kind, now, facts, columns.get("disposition"))
        return Event(seq, kind, now, columns.get("client_id"), columns.get("reply_to"), columns.get("disposition"), facts, words)

    def _events(self, query: Select[Any], name: str, **which: Any) -> list[Event]:
        with self.engine.connect() as connection:
            rows = connection.execute(query, {"name": name, **which}).all()
        return [self._event(name, row) for row in rows]

    def _event(self, name: str, row: Any) -> Event:
        sealer = self._unwrapped(row.wrapped, name) if row.sealed is not None and row.wrapped is not None else None
        words = sealer.open(row.sealed, _place(name, row.seq, row.kind)) if sealer else None
        return Event(row.seq, row.kind, row.at, row.client_id, row.reply_to, row.disposition, row.facts, words)

    def _sealer(self, name: str) -> Sealer | None:
        """The conversation's key, looked up each time, so that a purge is felt at once."""
        with self.engine.connect() as connection:
            wrapped = connection.scalar(sql.KEY, {"name": name})
        return self._unwrapped(wrapped, name) if wrapped is not None else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _place(name: str, seq: int, kind: str) -> str:
    return f"{name}/{seq}/{kind}"
