"""What a nurse does with a case; each act answers with the case, or with a line for the queue's keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheServices, TurnedAwayError, Visitor, having
from gateway.console.cases.acts import Acts
from gateway.console.cases.disagreements import FAQ, Disagreements
from gateway.console.cases.queue import Queue
from gateway.console.errors import ActError, NoCaseError
from gateway.console.pages.case import CaseNumber, next_waiting, show_case
from gateway.console.services import ConsoleServices

_HX = "hx-request"
router = APIRouter(prefix="/cases/{number}")
_Number = Annotated[int, Form(ge=0, lt=2**31)]
_Nurse = Annotated[Visitor, Depends(having("act"))]
_Key = Annotated[str, Form(max_length=32)]
_Written = Annotated[str, Form(max_length=4_000)]


@router.post("/acknowledge")
async def acknowledge(request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, seen: _Number) -> Response:
    """Acknowledge."""
    return await _act(request, services, visitor, number, "Acknowledged", lambda acts: acts.acknowledge(number, visitor.id, seen))


@router.post("/assign")
async def assign(request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, to: _Number = 0) -> Response:
    """Assign to somebody, 0 for nobody."""
    return await _act(request, services, visitor, number, "Assigned", lambda acts: acts.assign(number, visitor.id, to or None))


@router.post("/note")
async def note(request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, text: _Written = "") -> Response:
    """Write a note."""
    return await _act(request, services, visitor, number, "Noted", lambda acts: acts.note(number, visitor.id, text))


@router.post("/amend")
async def amend(
    request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, note: _Number, text: _Written = ""
) -> Response:
    """Write a note anew."""
    return await _act(request, services, visitor, number, "Noted", lambda acts: acts.amend(number, visitor.id, note, text))


@router.post("/snooze")
async def snooze(
    request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, seen: _Number, minutes: _Number, reason: _Written = ""
) -> Response:
    """Snooze for some minutes."""
    until = services.records.clock() + timedelta(minutes=minutes)
    return await _act(request, services, visitor, number, "Snoozed", lambda acts: acts.snooze(number, visitor.id, seen, until, reason))


@router.post("/wake")
async def wake(request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber) -> Response:
    """End the snooze."""
    return await _act(request, services, visitor, number, "Back in the queue", lambda acts: acts.wake(number, visitor.id))


@router.post("/outcome")
async def outcome(request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, outcome: _Key = "") -> Response:
    """Store a contact outcome; the case stays open."""
    return await _act(request, services, visitor, number, "Stored", lambda acts: acts.outcome(number, visitor.id, outcome))


@router.post("/close")
async def close(
    request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber, seen: _Number, outcome: _Key = ""
) -> Response:
    """Close with a contact outcome."""
    return await _act(request, services, visitor, number, "Closed", lambda acts: acts.close(number, visitor.id, seen, outcome))


@router.post("/reopen")
async def reopen(request: Request, services: TheServices, visitor: _Nurse, number: CaseNumber) -> Response:
    """Open a closed case again."""
    return await _act(request, services, visitor, number, "Open again", lambda acts: acts.reopen(number, visitor.id))


@router.post("/disagree")
async def disagree(
    request: Request,
    services: TheServices,
    visitor: Annotated[Visitor, Depends(having("disagree"))],
    number: CaseNumber,
    seq: _Number,
    kind: _Key = "",
    topic: Annotated[str, Form(max_length=64)] = "",
    reason: _Written = "",
) -> Response:
    """Store a disagreement with an answer."""
    chosen = [str(each) for each in (await request.form()).getlist("accepted")]
    row = await asyncio.to_thread(Queue(services.records.engine, services.policy, services.records.clock).one, number)
    topics = services.library.bound(*row.bound).topics if row is not None else {}
    accepted = tuple(dict.fromkeys(chosen + [f"{FAQ}{topic}" for _ in range(topic in topics)]))
    add = Disagreements(services.records, services.audit_log).add
    return await _act(request, services, visitor, number, "Stored", lambda _: add(number, visitor.id, seq, kind, accepted, reason))


async def _act(
    request: Request, services: ConsoleServices, visitor: Visitor, number: int, done: str, act: Callable[[Acts], object]
) -> Response:
    """Do something with a case: a line of text for the queue's keys, else back to the case, or the case with why it is refused."""
    try:
        await asyncio.to_thread(act, Acts(services.records, services.policy, services.audit_log, services.clinic))
    except NoCaseError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except ActError as error:
        if _HX in request.headers:
            return services.renderer.page(request, "refusal.html", None, error.status, reason=str(error))
        form = await request.form()
        typed = {"act": request.url.path.rsplit("/", 1)[1], **{name: str(value) for name, value in form.items()}}
        return await show_case(request, services, visitor, number, "case.html", status=error.status, problem=str(error), typed=typed)
    if _HX in request.headers:
        waiting = await asyncio.to_thread(next_waiting, services, number)
        return services.renderer.page(request, "told.html", None, done=done, number=number, waiting=waiting)
    return RedirectResponse(f"{BASE}/cases/{number}", 303)
