"""What a nurse does with a case; each act answers with the case, or with a line for the queue's keys."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from gateway.console.access import TheServices, Visitor, having
from gateway.console.cases.acts import Acts
from gateway.console.cases.disagreements import FAQ, Disagreements
from gateway.console.cases.queue import Queue
from gateway.console.pages.acting import Key, Nurse, Whole, Written, do
from gateway.console.pages.case import CaseNumber

router = APIRouter(prefix="/cases/{number}")


@router.post("/acknowledge")
async def acknowledge(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, seen: Whole) -> Response:
    """Acknowledge."""
    return await do(request, services, visitor, number, "Acknowledged", lambda: services.acts(Acts).acknowledge(number, visitor.id, seen))


@router.post("/assign")
async def assign(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, to: Whole = 0) -> Response:
    """Assign to somebody, 0 for nobody."""
    return await do(request, services, visitor, number, "Assigned", lambda: services.acts(Acts).assign(number, visitor.id, to or None))


@router.post("/note")
async def note(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, text: Written = "") -> Response:
    """Write a note."""
    return await do(request, services, visitor, number, "Noted", lambda: services.acts(Acts).note(number, visitor.id, text))


@router.post("/amend")
async def amend(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, note: Whole, text: Written = "") -> Response:
    """Write a note anew."""
    return await do(request, services, visitor, number, "Noted", lambda: services.acts(Acts).amend(number, visitor.id, note, text))


@router.post("/snooze")
async def snooze(
    request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, seen: Whole, minutes: Whole, reason: Written = ""
) -> Response:
    """Snooze for some minutes."""
    acts = services.acts(Acts)
    until = services.records.clock() + timedelta(minutes=minutes)
    return await do(request, services, visitor, number, "Snoozed", lambda: acts.snooze(number, visitor.id, seen, until, reason))


@router.post("/wake")
async def wake(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber) -> Response:
    """End the snooze."""
    return await do(request, services, visitor, number, "Back in the queue", lambda: services.acts(Acts).wake(number, visitor.id))


@router.post("/outcome")
async def outcome(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, outcome: Key = "") -> Response:
    """Store a contact outcome; the case stays open."""
    return await do(request, services, visitor, number, "Stored", lambda: services.acts(Acts).outcome(number, visitor.id, outcome))


@router.post("/close")
async def close(
    request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, seen: Whole, outcome: Key = "", note: Written = ""
) -> Response:
    """Close with a contact outcome."""
    return await do(
        request, services, visitor, number, "Closed", lambda: services.acts(Acts).close(number, visitor.id, seen, outcome, note)
    )


@router.post("/reopen")
async def reopen(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, reason: Written = "") -> Response:
    """Open a closed case again."""
    return await do(request, services, visitor, number, "Open again", lambda: services.acts(Acts).reopen(number, visitor.id, reason))


@router.post("/undo")
async def undo(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber) -> Response:
    """Take back one's acknowledgement."""
    return await do(request, services, visitor, number, "Taken back", lambda: services.acts(Acts).undo(number, visitor.id))


@router.post("/disagree")
async def disagree(
    request: Request,
    services: TheServices,
    visitor: Annotated[Visitor, Depends(having("disagree"))],
    number: CaseNumber,
    seq: Whole,
    kind: Key = "",
    topic: Annotated[str, Form(max_length=64)] = "",
    reason: Written = "",
) -> Response:
    """Store a disagreement with an answer."""
    chosen = [str(each) for each in (await request.form()).getlist("accepted")]
    row = await asyncio.to_thread(Queue(services.records.engine, services.policy, services.records.clock).one, number)
    topics = services.library.bound(*row.bound).topics if row is not None else {}
    accepted = tuple(dict.fromkeys(chosen + ([f"{FAQ}{topic}"] if topic else [])))
    add = Disagreements(services.records, services.audit_log).add
    return await do(request, services, visitor, number, "Stored", lambda: add(number, visitor.id, seq, kind, accepted, reason, topics))
