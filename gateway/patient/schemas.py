"""The shapes of the patient API's requests and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from gateway.errors import Block
from gateway.records.signals import Standing
from gateway.records.store import Event, Session

Writer = Literal["patient", "helper"]
_MOST_ROWS = 40


def _storable(text: object) -> object:
    """Text that every store takes: no lone surrogate, no NUL; nothing else is changed."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ") if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_storable)]


class Strict(BaseModel):
    """A request's body, in which nothing else may stand."""

    model_config = ConfigDict(extra="forbid")


class StartRequest(Strict):
    """Start a chat."""

    key: str = Field(max_length=64, description="The embed key.")
    writer: Writer = "patient"
    language: str = Field("", max_length=64, description="One that the embed key offers; the key's own when it is left out or not offered.")


class WriterRequest(Strict):
    """Who writes: the patient, or somebody for the patient."""

    writer: Writer


ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{8,64}$")]
RowAnswer = Literal["yes", "no", "unsure"]
RowId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class MessageRequest(Strict):
    """A message: the button that was pressed, or words, rows of the danger check, or both of these."""

    client_id: ClientId = Field(description="Chosen by the browser; the same each time it is sent.")
    text: Text | None = Field(None, description="What the patient typed.", min_length=1)
    button: str | None = Field(None, max_length=64, description="The id of a button of the last answer.")
    rows: dict[RowId, RowAnswer] | None = Field(
        None,
        min_length=1,
        max_length=_MOST_ROWS,
        description="Ids of rows of the last answer's danger check, all or some of them, and what each was answered with.",
    )

    @model_validator(mode="after")
    def one_of_both(self) -> MessageRequest:
        """Refuse a button with anything else, and nothing at all."""
        if (self.text is None and self.rows is None) == (self.button is None):
            raise ValueError("send a button, or text, rows or both")
        return self


class EventsQuery(Strict):
    """Which events to return, and how long to wait for one."""

    after: int = Field(0, ge=0, le=2**31 - 1, description="Events behind this one.")
    wait: int = Field(0, ge=0, le=25, description="For how many seconds to wait for one.")


class EndQuery(Strict):
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
    to_call: Literal["clinic", "after_hours"] | None = Field(None, description="Which of the clinic's two numbers is answered now.")
    language: str = Field(description="The language that the chat is held in.")

    @classmethod
    def of(cls, session: Session, now: datetime, to_call: str, language: str) -> SessionBody:
        """The state of a session at a moment at which this one of the clinic's numbers is answered, with the language of the answers."""
        same = ("writer", "ended", "started_at", "idle_expires_at", "expires_at")
        told = {name: getattr(session, name) for name in same}
        return cls(**told, server_time=now, to_call=to_call, language=language)  # type: ignore[arg-type]


class Button(BaseModel):
    """A quick reply; valid while its answer is the last event."""

    id: str
    title: str


class Row(BaseModel):
    """A row of the danger check: answered Yes, No or Not sure."""

    id: str
    text: str
    danger: bool = Field(description="Yes is an emergency: send it at once.")


class Check(BaseModel):
    """The danger check; its rows are valid while its answer is the last event. Its rows stand in a block of kind `check` too."""

    waits: bool = Field(description="Nothing is said before it is answered; else it may be passed over.")
    rows: list[Row]


class RowAnswered(BaseModel):
    """A row of the danger check, and what the patient answered."""

    text: str
    answer: RowAnswer


class Source(BaseModel):
    """A sentence of the leaflet."""

    section: str
    quote: str


class Protocol(BaseModel):
    """The rules in force."""

    id: str
    version: str


class CallbackBody(BaseModel):
    """A request for a call."""

    number: str
    name: str | None = None
    whose: Writer
    best: str | None = None


class Choice(BaseModel):
    """An answer that can be chosen."""

    id: str
    title: str


Offers = list[Literal["callback"]]


class EventBody(BaseModel):
    """One event of the chat."""

    seq: int
    at: datetime
    kind: Literal["greeting", "message", "answer", "writer", "callback", "staff", "status", "followup", "followed"]
    client_id: str | None = None
    text: str | None = None
    writer: Writer | None = None
    reply_to: int | None = None
    type: str | None = None
    disposition: str | None = Field(None, pattern="^(emergency|call_doctor|self_care)$")
    blocks: list[Block] | None = None
    buttons: list[Button | Choice] | None = None
    offers: Offers | None = Field(None, description="What the patient may ask for behind this.")
    callback: CallbackBody | None = None
    who: str | None = Field(None, description="The nurse who wrote, as the clinic's policy names them.")
    status: str | None = Field(None, description="What became of a request, or who answers now.")
    check: Check | None = None
    rows: list[RowAnswered] | None = Field(None, description="What a message answered of the danger check.")
    sources: list[Source] | None = None
    protocol: Protocol | None = None

    @classmethod
    def of(cls, event: Event) -> EventBody | None:
        """An event as the patient may see it; None for what is not shown, or has been purged."""
        words: dict[str, Any] = dict(event.words or {})
        shown: dict[str, Any] = {"seq": event.seq, "at": event.at, "kind": event.kind}
        if event.kind == "writer":
            return cls(**shown, writer=event.facts["writer"])
        if not words:
            return None
        if event.kind in _CONTACT:
            return cls(**shown, **_CONTACT[event.kind](event, words))
        if event.kind not in ("greeting", "message", "answer"):
            return None
        if event.kind == "message":
            return cls(**shown, client_id=event.client_id, text=words["text"], rows=words.get("rows") or None)
        if event.facts.get("held"):
            return cls(**shown, reply_to=event.reply_to, type="held", blocks=[])
        return cls(
            **shown,
            reply_to=event.reply_to,
            type=event.facts.get("type", "chat"),
            disposition=event.disposition,
            blocks=words["blocks"],
            buttons=words["buttons"],
            check=_check(words.get("rows"), event.facts),
            offers=event.facts.get("offers"),
            sources=words["sources"],
            protocol=event.facts.get("protocol"),
        )


def _callback(event: Event, words: Mapping[str, Any]) -> dict[str, Any]:
    request = {name: words.get(name) for name in CallbackBody.model_fields}
    return {"client_id": event.client_id, "callback": request, "blocks": words["blocks"]}


def _staff(event: Event, words: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": words["text"], "who": words["who"]}


def _status(event: Event, words: Mapping[str, Any]) -> dict[str, Any]:
    return {name: event.facts.get(name) for name in ("status", "offers", "disposition")} | {"blocks": words["blocks"]}


def _follow_up(event: Event, words: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": words["text"], "buttons": words["buttons"]}


def _followed(event: Event, words: Mapping[str, Any]) -> dict[str, Any]:
    return {"client_id": event.client_id, "text": words["text"], "reply_to": event.facts["question"]}


_CONTACT = {"callback": _callback, "staff": _staff, "status": _status, "followup": _follow_up, "followed": _followed}


def _check(rows: Sequence[Mapping[str, str]] | None, facts: Mapping[str, Any]) -> Check | None:
    if not rows:
        return None
    waits = facts["check"] in (Standing.BEFORE, Standing.UNFINISHED)
    return Check(waits=waits, rows=[Row(id=row["id"], text=row["text"], danger=row["tier"] == "emergency") for row in rows])


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
    who: Literal["patient", "assistant", "nurse"]
    name: str | None = Field(None, description="The nurse who wrote.")
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
