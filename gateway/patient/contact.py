"""The patient API's part in which patient and nurse reach each other: ask for a call, and say whether somebody was reached."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import uuid4

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from gateway.contact.callbacks import Callbacks
from gateway.contact.follow_ups import FollowUps, GoneError
from gateway.contact.numbers import NumberError
from gateway.errors import ErrorBody, RefusedError
from gateway.patient.access import Gateway, Live, address
from gateway.patient.schemas import ClientId, EventBody, Strict, Text, Writer
from gateway.records.store import Event, Session
from gateway.services import Services

_log = structlog.get_logger(__name__)
router = APIRouter()
_STORED: dict[int | str, dict[str, Any]] = {200: {"model": EventBody, "description": "It had been stored before."}}
_GONE: dict[int | str, dict[str, Any]] = {409: {"model": ErrorBody, "description": "The question does not wait for an answer any more."}}


async def acting_session(request: Request, session: Live, gateway: Gateway) -> Session:
    """The session of a request that stores something.

    Raises:
        RefusedError: 503 while the chat is closed for a while; 429 when it acts too often.
    """
    if gateway.settings.maintenance:
        raise RefusedError(503, "maintenance")
    embed = gateway.settings.embed_keys.get(session.embed_key)
    seconds = await gateway.limiter.wait("message", embed=embed, session=session.conversation, address=address(request))
    if seconds:
        raise RefusedError(429, "rate_limited", retry_after=seconds)
    return session


class CallbackRequest(Strict):
    """Ask for a call."""

    client_id: ClientId
    number: Text = Field(max_length=40)
    name: Text | None = Field(None, max_length=80)
    whose: Writer | None = Field(None, description="Whose number it is; of who writes, when not given.")
    best: Text | None = Field(None, max_length=120, description="When is a good time.")


class OfferBody(BaseModel):
    """What the form for a call says."""

    text: str = Field(description="When a nurse reads a request. Show it beside the emergency number.")
    number: str | None = Field(description="One that the patient typed.")
    requested_at: datetime | None = Field(description="When a request that is still open was made.")


class FollowedRequest(Strict):
    """Say whether somebody was reached."""

    client_id: ClientId
    seq: int = Field(ge=1, le=2**31 - 1, description="The question.")
    answer: Literal["reached", "nobody", "not_yet"]


Acting = Annotated[Session, Depends(acting_session)]


@router.get("/session/callback")
async def offer(session: Live, gateway: Gateway) -> OfferBody:
    """What the form for a call says now: when a nurse reads a request, and a number that the patient typed."""
    found = await asyncio.to_thread(_callbacks(gateway).offer, session)
    return OfferBody(text=found.text, number=found.number, requested_at=found.requested_at)


@router.post("/session/callback", status_code=201, response_model_exclude_none=True, responses=_STORED)
async def ask_for_call(body: CallbackRequest, response: Response, session: Acting, gateway: Gateway) -> EventBody:
    """Ask for a call. What else was written in it is read for danger signs, and answered as a message if it holds one."""
    details = {"name": body.name, "whose": body.whose or session.writer, "best": body.best}
    given = {name: value.strip() for name, value in details.items() if value and value.strip()}
    request = partial(_callbacks(gateway).request, session, body.client_id, body.number, given)
    try:
        event, new = await asyncio.to_thread(request)
    except NumberError:
        await _answer_danger(gateway, session, body.name, body.best, body.number)
        raise RefusedError(422, "number_unreadable") from None
    if new:
        gateway.event_bus.publish(session.conversation, event)
        await _answer_danger(gateway, session, body.name, body.best)
    return _shown(event, response, new=new)


@router.post("/session/followup", status_code=201, response_model_exclude_none=True, responses={**_STORED, **_GONE})
async def followed(body: FollowedRequest, response: Response, session: Acting, gateway: Gateway) -> EventBody:
    """Say whether somebody was reached."""
    follow_ups = FollowUps(gateway.records, gateway.core.library, gateway.settings.policy.contact)
    try:
        event, new = await asyncio.to_thread(follow_ups.answer, session, body.client_id, body.seq, body.answer)
    except GoneError:
        raise RefusedError(409, "button_gone") from None
    if new:
        gateway.event_bus.publish(session.conversation)
    return _shown(event, response, new=new)


async def _answer_danger(gateway: Services, session: Session, *written: str | None) -> None:
    """Store and answer what was written as a message where it holds a danger sign."""
    text = "\n".join(each.strip() for each in written if each and each.strip())
    if not text:
        return
    try:
        if await gateway.core.alarm(session.bound, text, {}) is None:
            return
    except Exception as error:  # words that cannot be read are a message too: its answer is the safety card
        _log.error("core failed", error=type(error).__name__)
    message, _ = await asyncio.to_thread(gateway.records.add_message, session.conversation, uuid4().hex, text)
    gateway.answering.begin(session.conversation, message)
    gateway.event_bus.publish(session.conversation, message)


def _callbacks(gateway: Services) -> Callbacks:
    return Callbacks(gateway.records, gateway.core.library, gateway.settings.policy.contact)


def _shown(event: Event, response: Response, *, new: bool) -> EventBody:
    if not new:
        response.status_code = 200
    body: Any = EventBody.of(event)
    return body  # type: ignore[no-any-return]
