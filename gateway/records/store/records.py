"""Adding to the records. It blocks, so do it in a thread."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from gateway.records import cases
from gateway.records import statements as sql
from gateway.records.database import writing
from gateway.records.sealing import Sealer
from gateway.records.store.entries import Bound, ConflictError, Event, OvertakenError
from gateway.records.store.reader import Reader, hash_of, place_of
from gateway.records.tables import conversation, conversation_key, session

_TOKEN_BYTES = 32


class Records(Reader):
    """The record of all conversations, which is only ever added to; a `Reader`, with the same arguments."""

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
            connection.execute(insert(session).values(token_hash=hash_of(token), conversation_id=name, started_at=now))
            self._insert(connection, name, 1, "greeting", {}, words=greeting, sealer=sealer)
            if writer != "patient":
                self._insert(connection, name, 2, "writer", {"writer": writer})
        return token

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
            only_behind: store it only as long as no message has a greater sequence number.
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
            only_behind: add it only as long as no message has a greater sequence number.
            right_behind: add it only as long as neither a message nor an answer has a greater sequence number.

        Raises:
            OvertakenError: something does.
        """
        with writing(self.engine) as connection:
            if only_behind is not None or right_behind is not None:
                connection.execute(sql.TURN, {"name": name})
            if only_behind is not None and connection.scalar(sql.NEWER_MESSAGE, {"name": name, "seq": only_behind}) is not None:
                raise OvertakenError
            if right_behind is not None and connection.scalar(sql.NEWER_TURN, {"name": name, "seq": right_behind}) is not None:
                raise OvertakenError
            return self.add_within(
                connection, name, kind, facts, words=words, client_id=client_id, reply_to=reply_to, disposition=disposition
            )

    def add_within(
        self,
        connection: Connection,
        name: str,
        kind: str,
        facts: Mapping[str, Any],
        *,
        words: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> Event:
        """Add an event at the end of a conversation, in a transaction that does more than that.

        Args:
            connection: the transaction.
            name: the conversation.
            kind: of the event.
            facts: what may stand unencrypted.
            words: what is sealed.
            columns: `client_id`, `reply_to` and `disposition`, as for `add`.
        """
        mine = connection.execute(sql.TURN, {"name": name}).one()
        sealer = self._unwrapped(mine.wrapped, name) if words is not None and mine.wrapped is not None else None
        last = connection.scalar(sql.LAST_SEQ, {"name": name}) or 0
        probe = mine.embed_key in self._synthetic
        return self._insert(connection, name, last + 1, kind, facts, probe=probe, words=words, sealer=sealer, **columns)

    def note_try(self, name: str, seq: int) -> int:
        """Remember that an answer to this message is tried for once more, before it is; and tell how often that is."""
        this = {"name": name, "message": seq}
        with writing(self.engine) as connection:
            if not connection.execute(sql.ONE_MORE_TRY, this).rowcount:
                connection.execute(sql.FIRST_TRY, {"conversation_id": name, "seq": seq, "tries": 1})
            return int(connection.scalar(sql.TRIES, this) or 0)

    def sent(self, name: str, seq: int) -> None:
        """Remember that the events up to this one went out to the patient's browser."""
        with writing(self.engine) as connection:
            further = connection.execute(sql.FURTHER_DELIVERED, {"name": name, "up_to": seq, "now": self.clock()}).rowcount
            if not further and connection.execute(sql.DELIVERED, {"name": name}).one_or_none() is None:
                connection.execute(sql.NEW_DELIVERY, {"conversation_id": name, "seq": seq, "at": self.clock()})

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
        sealed = sealer.seal(words, place_of(name, seq, kind)) if sealer and words is not None else None
        values = {"conversation_id": name, "seq": seq, "kind": kind, "at": now, "facts": dict(facts), "sealed": sealed, **columns}
        connection.execute(sql.NEW_EVENT, values)
        if not probe:
            cases.follow(connection, name, seq, kind, now, facts, columns.get("disposition"), self.signals)
        return Event(seq, kind, now, columns.get("client_id"), columns.get("reply_to"), columns.get("disposition"), facts, words)
