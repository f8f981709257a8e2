"""The patient API: start a chat, send, receive, read it again, print it, end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.exc import SQLAlchemyError

from aftercare.protocol import Disposition
from aftercare.protocol import Protocol as Rules
from gateway.errors import Block, ErrorBody, RefusedError, bind
from gateway.metrics import MESSAGES, SESSIONS, STREAMS
from gateway.patient import contact
from gateway.patient.access import Gateway, Known, Live, Staying, Waiting, address, allow_origin, bearer
from gateway.patient.inbound import WebMessage
from gateway.patient.receiving import Receiver
from gateway.patient.schemas import (
    EndQuery,
    EventBody,
    EventsBody,
    EventsQuery,
    MessageRequest,
    Protocol,
    SessionBody,
    StartBody,
    StartRequest,
    StoredBody,
    SummaryBody,
    SummaryItem,
    WriterRequest,
)
from gateway.records.store import Event, Session
from gateway.services import Services

_log = structlog.get_logger(__name__)
_LOOK_AGAIN_SECONDS = 2.0
_WHO: dict[str, Literal["patient", "nurse"]] = {"message": "patient", "followed": "patient", "staff": "nurse"}
_FROM_CLINIC = ("answer", "staff", "status", "followup")
_GREETING: dict[str, list[Any]] = {"buttons": [], "sources": []}

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text}
    for status, text in {
        400: "The request cannot be read.",
        401: "No token, an unknown one, or one that is over.",
        403: "Not from a page that the embed key lists.",
        422: "The request is not as described here.",
        429: "Too many requests; Retry-After says for how many seconds.",
        503: "The records cannot be reached, or maintenance.",
    }.items()
}

_ERRORS_OF_STREAM: dict[int | str, dict[str, Any]] = {
    status: {
        "description": error["description"],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    }
    for status, error in _ERRORS.items()
}

router = APIRouter(prefix="/api/v1", responses=_ERRORS)
router.include_router(contact.router)
streaming = APIRouter(prefix="/api/v1", responses=_ERRORS_OF_STREAM)


@router.post("/sessions", status_code=201, response_model_exclude_none=True)
async def start(body: StartRequest, request: Request, gateway: Gateway) -> StartBody:
    """Start a chat. The token in the answer is its only key, and is shown this once."""
    allow_origin(request, gateway, body.key)
    embed = gateway.settings.embed_keys[body.key]
    bound = embed.bound_in(body.language)
    bind(request, bound)
    seconds = await gateway.limiter.wait("start", embed=embed, address=address(request), key=body.key)
    if seconds:
        raise RefusedError(429, "rate_limited", retry_after=seconds)
    if gateway.settings.maintenance:
        raise RefusedError(503, "maintenance")
    assistant = gateway.core.of(bound)
    greeting = {"blocks": assistant.greeting().wire["blocks"], **_GREETING}
    group = gateway.groups.of(request.scope, gateway.records.clock().date())
    token = await asyncio.to_thread(partial(gateway.records.start, bound=assistant.protocol.key), body.key, greeting, body.writer, group)
    SESSIONS.labels(body.key).inc()
    session = await asyncio.to_thread(gateway.records.session, token)
    assert session is not None
    return StartBody(token=token, session=_state(session, gateway), events=await _events(gateway, session, 0))


@router.get("/session")
async def state(session: Live, gateway: Gateway) -> SessionBody:
    """How long the chat stays open, and who writes."""
    return _state(session, gateway)


@router.post("/session/extend")
async def extend(session: Live, gateway: Gateway) -> SessionBody:
    """Keep the chat open: the patient is still there."""
    await asyncio.to_thread(gateway.records.add, session.conversation, "extended", {})
    return await _renewed(session, gateway)


@router.put("/session/writer")
async def set_writer(body: WriterRequest, session: Live, gateway: Gateway) -> SessionBody:
    """Say who writes."""
    if body.writer != session.writer:
        await asyncio.to_thread(gateway.records.add, session.conversation, "writer", {"writer": body.writer})
        gateway.event_bus.publish(session.conversation)
    return await _renewed(session, gateway)


@router.post(
    "/session/messages",
    status_code=202,
    responses={
        200: {"model": StoredBody, "description": "It had been stored before."},
        409: {"model": ErrorBody, "description": "The client id was used for other words, or the button is no longer valid."},
        413: {"model": ErrorBody, "description": "The text is too long."},
    },
)
async def send(
    body: MessageRequest,
    response: Response,
    request: Request,
    gateway: Gateway,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> StoredBody:
    """Send a message. It is stored before anything else happens; its answer comes as an event.

    Whatever refuses a message, words with a red flag are stored where there is a chat to store them in, and answered.
    """
    received = await Receiver(gateway, WebMessage(gateway, request, credentials, body)).receive()
    response.status_code = 202 if received.new else 200
    MESSAGES.labels("stored" if received.new else "repeated").inc()
    answered = not received.new and await asyncio.to_thread(gateway.records.is_answered, received.session.conversation, received.seq)
    return StoredBody(state="answered" if answered else "stored", seq=received.seq, session=_state(received.session, gateway))


@router.get("/session/events", response_model_exclude_none=True)
async def events(
    session: Live,
    gateway: Gateway,
    listener: Waiting,
    query: Annotated[EventsQuery, Query()],
) -> EventsBody:
    """The chat's events: at once, or as soon as there is one."""
    end, heard = asyncio.get_running_loop().time() + query.wait, None
    while True:
        found = _shown(heard or await _behind(gateway, session, query.after))
        await _sent(gateway, session, found)
        left = end - asyncio.get_running_loop().time()
        if found or left <= 0 or gateway.event_bus.closed:
            return EventsBody(events=found, session=await _renewed(session, gateway))
        await gateway.answering.recover(session.conversation)
        heard = await listener.wait(min(left, _LOOK_AGAIN_SECONDS), query.after)


@streaming.get("/session/stream", response_class=EventSourceResponse)
async def stream(
    session: Live,
    gateway: Gateway,
    listener: Staying,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,9}$", description="The last event that was received.")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The chat's events as they come: `greeting`, `message`, `answer`, `writer` with their sequence number as id; `session`; `ended`.

    A chat has three streams at most: of a fourth, the oldest ends with `crowded`, and its window had better ask for events.
    """
    last, sent, seen, unanswered = int(last_event_id or 0), None, 0, True
    heard: list[Event] | None = None
    with STREAMS.track_inprogress():
        while not gateway.event_bus.closed:
            if heard is None:
                newest = await asyncio.to_thread(gateway.records.newest, session.conversation)
                if newest != seen:
                    session, seen = await asyncio.to_thread(gateway.records.again, session), newest
                    heard = await _behind(gateway, session, last)
                if session.is_over(gateway.records.clock()):
                    yield ServerSentEvent(event="ended", data=_state(session, gateway))
                    return
            else:
                written = [each.at for each in heard if each.kind == "message"]
                session = session.after(written[-1]) if written else session
            told = _state(session, gateway)
            if sent != (session, told.to_call):
                yield ServerSentEvent(event="session", data=told)
                sent = session, told.to_call
            found = _shown(heard or ())
            for event in found:
                yield ServerSentEvent(event=event.kind, id=str(event.seq), data=event.model_dump(mode="json", exclude_none=True))
                last, unanswered = event.seq, event.kind == "message"
            await _sent(gateway, session, found)
            if unanswered:
                await gateway.answering.recover(session.conversation)
            heard = await listener.wait(_LOOK_AGAIN_SECONDS, last)
            if listener.ousted:
                yield ServerSentEvent(event="crowded", data=_state(session, gateway))
                return


@router.get("/session/summary")
async def summary(session: Live, gateway: Gateway) -> SummaryBody:
    """The chat to print or save: what was said, what was advised, when to seek help."""
    protocol = gateway.core.of(session.bound).protocol
    found = await _events(gateway, session, 0)
    items = [
        SummaryItem(
            at=event.at,
            who=_WHO.get(event.kind, "assistant"),
            name=event.who,
            blocks=event.blocks or _said(event, protocol),
            disposition=event.disposition,
        )
        for event in found
        if event.kind not in ("greeting", "writer") and event.type != "held"
    ]
    advised = [event for event in found if event.type == "triage" and event.disposition]
    return SummaryBody(
        clinic=protocol.clinic.details["clinic"],
        started_at=session.started_at,
        printed_at=gateway.records.clock(),
        writer=session.writer,  # type: ignore[arg-type]
        items=items,
        advice=max(advised, key=_urgency) if advised else None,
        watch=[Block(**block) for block in gateway.copies.of(session.bound).safety()["blocks"]],
        protocol=Protocol(id=protocol.id, version=protocol.version),
    )


@router.delete("/session", status_code=204)
async def end(session: Known, gateway: Gateway, query: Annotated[EndQuery, Query()]) -> Response:
    """End the chat: the token opens nothing from now on. The clinic keeps its record."""
    if not session.ended:
        await asyncio.to_thread(gateway.records.add, session.conversation, "ended", {})
        gateway.event_bus.publish(session.conversation)
    return Response(status_code=204, headers={"Clear-Site-Data": '"storage"'} if query.clear_device else {})


def _said(event: EventBody, protocol: Rules) -> list[Block]:
    """What a patient typed, and a line for each row of the danger check that was answered."""
    lines = [f"{row.text} {protocol.wording['check']['answers'][row.answer]}" for row in event.rows or ()]
    return [Block(kind="say", text=text) for text in (event.text, "\n".join(lines)) if text]


def _urgency(event: EventBody) -> tuple[int, int]:
    return Disposition[str(event.disposition).upper()], event.seq


async def _sent(gateway: Services, session: Session, events: list[EventBody]) -> None:
    """Remember that answers went out, for the nurses; that it cannot be remembered keeps nothing from the patient."""
    if any(event.kind in _FROM_CLINIC for event in events):
        try:
            await asyncio.to_thread(gateway.records.sent, session.conversation, events[-1].seq)
        except SQLAlchemyError as error:
            _log.error("delivery not recorded", conversation=session.conversation, error=type(error).__name__)


def _state(session: Session, gateway: Services) -> SessionBody:
    now = gateway.records.clock()
    copy = gateway.copies.of(session.bound)
    return SessionBody.of(session, now, copy.to_call(now), copy.language)


async def _renewed(session: Session, gateway: Services) -> SessionBody:
    return _state(await asyncio.to_thread(gateway.records.again, session), gateway)


async def _events(gateway: Services, session: Session, after: int) -> list[EventBody]:
    return _shown(await _behind(gateway, session, after))


async def _behind(gateway: Services, session: Session, after: int) -> list[Event]:
    return await asyncio.to_thread(gateway.records.events, session.conversation, after)


def _shown(events: Iterable[Event]) -> list[EventBody]:
    return [body for event in events if (body := EventBody.of(event))]
