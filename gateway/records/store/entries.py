"""What the records hold: sessions and events, and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gateway.settings import IDLE

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
class Contacting:
    """How patient and nurses stand to each other in a conversation.

    Attributes:
        tier: the most urgent advice so far.
        callback_at: when the patient asked for a call that nobody has made; None without any.
        held_until: until when a nurse holds the chat, unless somebody ends it before; None when no one does.
    """

    tier: int = 0
    callback_at: datetime | None = None
    held_until: datetime | None = None

    def is_held(self, now: datetime) -> bool:
        """Whether a nurse holds the chat."""
        return self.held_until is not None and now < self.held_until


@dataclass(frozen=True)
class Event:
    """One entry of a conversation.

    Attributes:
        seq: its sequence number, from 1.
        kind: `greeting`, `message`, `answer`, `left` (the danger check behind an answer), `writer`, `extended`, `ended`, `expired`,
            `callback` (a request for a call), `staff` (a nurse's message), `status` (what became of something), `followup` (was somebody
            reached?) or `followed` (the patient's word on that).
        client_id: the id that the patient's browser gave a message.
        reply_to: the sequence number of the message that an answer answers; None where an interview was broken off.
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
