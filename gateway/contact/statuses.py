"""What patients read of what nurses do, in the clinic's wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from aftercare.protocol import Library
from gateway.records.store import Event, Records

STATUS, CALLBACK = "status", "callback"


class Status(StrEnum):
    """What became of a request, or who answers."""

    SEEN = "seen"
    TRIED = "tried"
    WRONG_NUMBER = "wrong_number"
    HELD = "held"
    HANDED_BACK = "handed_back"
    FOLLOW_UP = "follow_up"


class Statuses:
    """Adds what patients read to their conversations.

    Args:
        records: the gateway's records.
        library: the wording of every protocol in force.
    """

    def __init__(self, records: Records, library: Library) -> None:
        self._records = records
        self._library = library

    def say(self, conversation: str, key: str, **values: str) -> str:
        """A text of the wording by which a conversation is answered.

        Args:
            conversation: its id.
            key: the text's dotted key.
            values: what is put in.
        """
        return self._library.bound(*self._records.bound(conversation)).say(key, **values)

    def add(self, connection: Connection, name: str, status: Status, **values: str) -> Event:
        """Add what a status is called in the clinic's wording.

        Args:
            connection: the transaction.
            name: the conversation.
            status: what it is.
            values: what is put into its text.
        """
        offers = {"offers": [CALLBACK]} if status is Status.WRONG_NUMBER else {}
        return self.write(connection, name, status, [("note", self.say(name, f"contact.{status}", **values))], offers)

    def write(
        self, connection: Connection, name: str, status: Status, texts: Iterable[tuple[str, str]], facts: Mapping[str, Any] | None = None
    ) -> Event:
        """Add texts.

        Args:
            connection: the transaction.
            name: the conversation.
            status: what it is.
            texts: the kind of each block and its text.
            facts: more of what may stand unencrypted: `offers`, `disposition`.
        """
        words = {"blocks": [{"kind": kind, "text": text} for kind, text in texts]}
        return self._records.add_within(connection, name, STATUS, {"status": status, **(facts or {})}, words=words)
