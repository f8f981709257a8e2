"""The handover's pages: what is open, signing it, taking it over, and the printable page of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, Number, TheDesk, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.desk import Desk
from gateway.console.handover.handovers import LONGEST_COMMENT, LONGEST_GENERAL, HandoverError, Handovers, TakenError

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("handover"))]
_COMMENT = "comment-"


@router.get("/handover")
async def handover_page(request: Request, desk: TheDesk, visitor: _Visitor) -> Response:
    """What would be handed over now, and the latest handovers."""
    return await _form(request, desk, visitor)


@router.post("/handover")
async def give(request: Request, desk: TheDesk, visitor: _Visitor) -> Response:
    """Sign a handover; what was typed stays on the page when it can not be signed."""
    form = {name: str(value) for name, value in (await request.form()).multi_items()}
    typed = {int(name.removeprefix(_COMMENT)): text for name, text in form.items() if _is_comment(name)}
    general = form.get("general", "")
    try:
        number = await asyncio.to_thread(_handovers(desk).give, visitor.id, typed, general)
    except HandoverError as error:
        return await _form(request, desk, visitor, 422, problem=str(error), typed=typed, general=general)
    return RedirectResponse(f"{BASE}/handover/{number}", 303)


@router.get("/handover/{number}")
async def signed_page(request: Request, desk: TheDesk, visitor: _Visitor, number: Number) -> Response:
    """A handover on record, to be read, printed and taken over."""
    signed = await asyncio.to_thread(_handovers(desk).read, number)
    if signed is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    await asyncio.to_thread(desk.trail.note, AuditAct.VIEW_HANDOVER, staff=visitor.id, detail={"handover": number})
    return desk.renderer.page(request, "handover_signed.html", visitor.login, signed=signed)


@router.post("/handover/{number}/take")
async def take(desk: TheDesk, visitor: _Visitor, number: Number) -> Response:
    """Take a handover over."""
    try:
        await asyncio.to_thread(_handovers(desk).take, number, visitor.id)
    except LookupError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except TakenError as error:
        raise TurnedAwayError(409, str(error), visitor.login) from None
    return RedirectResponse(f"{BASE}/handover/{number}", 303)


def _handovers(desk: Desk) -> Handovers:
    return Handovers(desk.records, desk.policy, desk.trail)


def _is_comment(name: str) -> bool:
    number = name.removeprefix(_COMMENT)
    return name.startswith(_COMMENT) and number.isascii() and number.isdecimal() and len(number) < 16


async def _form(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    status: int = 200,
    problem: str = "",
    typed: Mapping[int, str] | None = None,
    general: str = "",
) -> Response:
    handovers = _handovers(desk)
    shift = await asyncio.to_thread(handovers.look)
    history = await asyncio.to_thread(handovers.newest)
    await asyncio.to_thread(desk.trail.note, AuditAct.VIEW_HANDOVER, staff=visitor.id, detail={"red": len(shift.red) + len(shift.red_seen)})
    typed = typed or {}
    asked = [line.case for line in shift.to_comment]
    return desk.renderer.page(
        request,
        "handover.html",
        visitor.login,
        status,
        shift=shift,
        history=history,
        problem=problem,
        typed=typed,
        others={case: text for case, text in typed.items() if case not in asked and text.strip()},
        general=general,
        longest=LONGEST_COMMENT,
        longest_general=LONGEST_GENERAL,
    )
