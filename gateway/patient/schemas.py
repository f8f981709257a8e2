"""The shapes of the patient API's requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.errors import Block
from gateway.records.store import Event, Session

Writer = Literal["patient", "helper"]


def _storable(text: object) -> object:
    """Text that every store takes: no lone surrogate, no NUL; nothing else is changed."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ") if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_storable)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartRequest(_Strict):
    """Start a chat."""

    key: str = Field(max_length=64, description="The embed key.")
    writer: Writer = "patient"


class WriterRequest(_Strict):
    """Who writes: the patient, or somebody for the patient."""

    writer: Writer


class MessageRequest(_Strict):
    """A message: either words, or the button that was pressed."""

    client_id: str = Field(pattern=r"^[A-Za-z0-9-]{8,64}$", description="Chosen by the browser; the same each time it is sent.")
    text: Text | None = Field(None, description="What the patient typed.", min_length=1)
    button: str | None = Field(None, max_length=64, description="The id of a button of the last answer.")

    @model_validator(mode="after")
    def one_of_both(self) -> MessageRequest:
        """Refuse both and neither."""
        if (self.text is None) == (self.button is None):
            raise ValueError("send text or button")
        return self


class EventsQuery(_Strict):
    """Which events to return, and how long to wait for one."""

    after: int = Field(0, ge=0, le=2**31 - 1, description="Events behind this one.")
    wait: int = Field(0, ge=0, le=25, description="For how many seconds to wait for one.")


class EndQuery(_Strict):
    """What ending the chat does besides."""

    clear_device: bool = Field(False, description="The browser forgets everything that this site keeps in it.")


class SessionBody(BaseModel):
    """The chat's state."""

    writer: Writer
    ended: bool
    started_at: datetime
    idle_expires_at: datetime = Field(description="When the chat ends, if nothing more is written.")
    expires_at: datetime = Field(description="When the chat ends in any case.")
    server_time: datetime

    @classmethod
    def of(cls, session: Session, now: datetime) -> SessionBody:
        """The state of a session."""
        return cls(
            writer=session.writer,  # type: ignore[arg-type]
            ended=session.ended,
            started_at=session.started_at,
            idle_expires_at=session.idle_expires_at,
            expires_at=session.expires_at,
            server_time=now,
        )


class Button(BaseModel):
    """A quick reply; valid while its answer is the last event."""

    id: str
    title: str


class Source(BaseModel):
    """A sentence of the leaflet."""

    section: str
    quote: str


class Protocol(BaseModel):
    """The rules in force."""

    id: str
    version: str


class EventBody(BaseModel):
    """One event of the chat."""

    seq: int
    at: datetime
    kind: Literal["greeting", "message", "answer", "writer"]
    client_id: str | None = None
    text: str | None = None
    writer: Writer | None = None
    reply_to: int | None = None
    type: str | None = None
    disposition: str | None = Field(None, pattern="^(emergency|call_doctor|self_care)$")
    blocks: list[Block] | None = None
    buttons: list[Button] | None = None
    sources: list[Source] | None = None
    protocol: Protocol | None = None

    @classmethod
    def of(cls, event: Event) -> EventBody | None:
        """An event as the patient may see it; None for what is not shown, or has been purged."""
        words: dict[str, Any] = dict(event.words or {})
        shown: dict[str, Any] = {"seq": event.seq, "at": event.at, "kind": event.kind}
        if event.kind == "writer":
            return cls(**shown, writer=event.facts["writer"])
        if event.kind not in ("greeting", "message", "answer") or not words:
            return None
        if event.kind == "message":
            return cls(**shown, client_id=event.client_id, text=words["text"])
        return cls(
            **shown,
            reply_to=event.reply_to,
            type=event.facts.get("type", "chat"),
            disposition=event.disposition,
            blocks=words["blocks"],
            buttons=words["buttons"],
            sources=words["sources"],
            protocol=event.facts.get("protocol"),
        )


class StartBody(BaseModel):
    """A new chat. The token is shown this once."""

    token: str
    session: SessionBody
    events: list[EventBody]


class StoredBody(BaseModel):
    """A message that has been stored. Its answer comes as an event."""

    state: Literal["stored", "answered"]
    seq: int
    session: SessionBody


class EventsBody(BaseModel):
    """Events, in order."""

    events: list[EventBody]
    session: SessionBody


class SummaryItem(BaseModel):
    """What was said."""

    at: datetime
    who: Literal["patient", "assistant"]
    blocks: list[Block]
    disposition: str | None = None


class SummaryBody(BaseModel):
    """The chat to print or save."""

    clinic: str
    started_at: datetime
    printed_at: datetime
    writer: Writer
    items: list[SummaryItem]
    advice: EventBody | None = Field(description="The most urgent advice given.")
    watch: list[Block] = Field(description="When to seek help.")
    protocol: Protocol
