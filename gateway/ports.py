"""What a channel brings in and takes out. The web chat is the first; another is an adapter, and no second way through the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aftercare.protocol import Key
from gateway.records.store import Event, Session


class Inbound(Protocol):
    """A patient's message on its way in."""

    @property
    def client_id(self) -> str:
        """The channel's name for it, the same each time it is sent."""
        ...

    @property
    def text(self) -> str:
        """What was typed; may be empty."""
        ...

    @property
    def button(self) -> str | None:
        """The id of a button of the last answer, if one was pressed."""
        ...

    @property
    def rows(self) -> Mapping[str, str]:
        """Ids of rows of the last answer's danger check, each with `yes`, `no` or `unsure`."""
        ...

    @property
    def where(self) -> str:
        """Whom limits count it for: a network address, a telephone number."""
        ...

    async def session(self) -> Session:
        """Whose message it is.

        Raises:
            RefusedError: nobody's that is known, or the sender may not.
        """
        ...

    def bound(self) -> Key | None:
        """The protocol and language that it is about, as far as that is known by now."""
        ...


class Outbound(Protocol):
    """Where what is new in a conversation goes out."""

    def publish(self, name: str, event: Event | None = None) -> None:
        """Tell a conversation's listeners that it has changed, and by which event if by one alone."""
        ...
