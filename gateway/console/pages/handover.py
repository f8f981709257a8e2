"""The handover's pages: what is open, signing it, taking it over, and the printable page of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, Number, TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.handover.accounts import Accounts
from gateway.console.handover.handovers import LONGEST_COMMENT, LONGEST_GENERAL, HandoverError, Handovers, TakenError
from gateway.console.handover.shift import Shift
from gateway.console.pages.case_labels import ATTEMPT_NAMES
from gateway.console.services import ConsoleServices

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("handover"))]
_COMMENT = "comment-"
_WAITING = "handover"
_UNCHANGED = 204


@router.get("/handover")
async def handover_page(request: Request, services: TheServices, visitor: _Visitor) -> Response:
    """What would be handed over now, and the latest handovers."""
    return await _form(request, services, visitor)


@router.post("/handover")
async def give(request: Request, services: TheServices, visitor: _Visitor) -> Response:
    """Sign a handover; what was typed stays on the page when it cannot be signed."""
    form = {name: str(value) for name, value in (await request.form()).multi_items()}
    typed = {int(name.removeprefix(_COMMENT)): text for name, text in form.items() if _is_comment(name)}
    general = form.get("general", "")
    try:
        number = await asyncio.to_thread(_handovers(services).give, visitor.id, typed, general)
    except HandoverError as error:
        return await _form(request, services, visitor, 422, problem=str(error), typed=typed, general=general)
    return RedirectResponse(f"{BASE}/handover/{number}", 303)


@router.get("/handover/waiting")
async def waiting_part(request: Request, services: TheServices, visitor: _Visitor, seen: str = "") -> Response:
    """The line that tells of a handover that nobody has taken over; without content while nothing has changed.

    It is on record every ten minutes, not each time that it is asked for.
    """
    waiting = await asyncio.to_thread(_handovers(services).waiting, visitor.id)
    if services.looked.is_new((visitor.id, _WAITING)):
        detail = {"waiting": waiting.id if waiting else None}
        await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_HANDOVER, staff=visitor.id, detail=detail)
    if seen == str(waiting.id if waiting else 0):
        return Response(status_code=_UNCHANGED)
    return services.renderer.page(request, "handover_waiting.html", visitor.login, handover_waiting=waiting)


@router.get("/handover/{number}")
async def signed_page(request: Request, services: TheServices, visitor: _Visitor, number: Number) -> Response:
    """A handover on record, to be read, printed and taken over."""
    signed = await asyncio.to_thread(_handovers(services).read, number)
    if signed is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    shown = await _shown(services, signed.shift)
    detail = {"handover": number, "cases": list(shown["accounts"])}
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_HANDOVER, staff=visitor.id, detail=detail)
    return services.renderer.page(request, "handover_signed.html", visitor.login, signed=signed, **shown)


@router.post("/handover/{number}/take")
async def take(services: TheServices, visitor: _Visitor, number: Number) -> Response:
    """Take a handover over."""
    try:
        await asyncio.to_thread(_handovers(services).take, number, visitor.id)
    except LookupError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except TakenError as error:
        raise TurnedAwayError(409, str(error), visitor.login) from None
    return RedirectResponse(f"{BASE}/handover/{number}", 303)


def _handovers(services: ConsoleServices) -> Handovers:
    return Handovers(services.records, services.policy, services.audit_log)


def _is_comment(name: str) -> bool:
    number = name.removeprefix(_COMMENT)
    return name.startswith(_COMMENT) and number.isascii() and number.isdecimal() and len(number) < 16


async def _shown(services: ConsoleServices, shift: Shift) -> dict[str, Any]:
    """A shift with the words about its cases."""
    accounts = Accounts(services.records, services.library, services.policy)
    async with services.heavy:
        words = await asyncio.to_thread(accounts.of, shift.lines, shift.at)
    names = await asyncio.to_thread(_handovers(services).names)
    return {"shift": shift, "accounts": words, "names": names, "outcomes": services.policy.outcomes, "attempt_names": ATTEMPT_NAMES}


async def _form(
    request: Request,
    services: ConsoleServices,
    visitor: Visitor,
    status: int = 200,
    problem: str = "",
    typed: Mapping[int, str] | None = None,
    general: str = "",
) -> Response:
    handovers = _handovers(services)
    shift = await asyncio.to_thread(handovers.look)
    history = await asyncio.to_thread(handovers.newest)
    shown = await _shown(services, shift)
    detail = {"red": len(shift.red) + len(shift.red_seen), "cases": list(shown["accounts"])}
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_HANDOVER, staff=visitor.id, detail=detail)
    typed = typed or {}
    asked = [line.case for line in shift.to_comment]
    return services.renderer.page(
        request,
        "handover.html",
        visitor.login,
        status,
        **shown,
        history=history,
        problem=problem,
        typed=typed,
        others={case: text for case, text in typed.items() if case not in asked and text.strip()},
        general=general,
        longest=LONGEST_COMMENT,
        longest_general=LONGEST_GENERAL,
    )
