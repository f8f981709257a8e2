"""One case: what a nurse reads, and what they do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.case_view import CaseView, CaseViews
from gateway.console.cases.queue import Queue
from gateway.console.cases.reading import Shown, mark_read, shown_now
from gateway.console.errors import ActError, NoCaseError
from gateway.console.identity.break_glass import BreakGlass
from gateway.console.pages.case_content import content_of
from gateway.console.services import ConsoleServices

router = APIRouter(prefix="/cases/{number}")
_UNCHANGED = 204

_Reader = Annotated[Visitor, Depends(having("see_case", "break_glass"))]


def case_number(number: str) -> int:
    """The case's number in an address.

    Raises:
        TurnedAwayError: 404, it is none.
    """
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise TurnedAwayError(404, "not_found")
    return int(number)


CaseNumber = Annotated[int, Depends(case_number)]


@router.get("")
async def case_page(request: Request, services: TheServices, visitor: _Reader, number: CaseNumber) -> Response:
    """The case; who may break the glass is asked for a reason first."""
    return await show_case(request, services, visitor, number, "case.html")


@router.get("/print")
async def print_page(request: Request, services: TheServices, visitor: _Reader, number: CaseNumber) -> Response:
    """The case for paper: one page, with who printed it, and when."""
    return await show_case(request, services, visitor, number, "case_print.html", AuditAct.PRINT_CASE)


@router.get("/live")
async def live_part(
    request: Request,
    services: TheServices,
    visitor: Annotated[Visitor, Depends(having("see_case"))],
    number: CaseNumber,
    seen: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The case's page without its frame, which the page asks for every other second; without content while nothing has changed."""
    now = await asyncio.to_thread(shown_now, services.records, number)
    if now is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    if services.looked.is_new((visitor.id, number)):
        await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_CASE, staff=visitor.id, case=number, detail={"live": True})
    if seen == str(now):
        return Response(status_code=_UNCHANGED)
    view, shown = await asyncio.to_thread(_read, services, visitor, number)
    shown = await asyncio.to_thread(_marked, services, visitor, number, shown)
    return await _page(request, services, visitor, "case_body.html", _Opened(view, None, shown), problem="", phones=(), typed={})


@router.post("/reveal")
async def reveal(
    request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("see_case"))], number: CaseNumber
) -> Response:
    """The case with the telephone numbers in it."""
    phones = await asyncio.to_thread(_reveal, services, visitor, number)
    return await show_case(request, services, visitor, number, "case.html", phones=phones)


@router.post("/break-glass")
async def break_glass(
    request: Request,
    services: TheServices,
    visitor: Annotated[Visitor, Depends(having("break_glass"))],
    number: CaseNumber,
    reason: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Open this one case for a while."""
    try:
        await asyncio.to_thread(BreakGlass(services.records, services.policy, services.audit_log).grant, number, visitor.id, reason)
    except NoCaseError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except ActError as error:
        return _ask_for_reason(request, services, visitor, number, error.status, str(error))
    return RedirectResponse(f"{BASE}/cases/{number}", 303)


async def show_case(
    request: Request,
    services: ConsoleServices,
    visitor: Visitor,
    number: int,
    template: str,
    act: AuditAct = AuditAct.VIEW_CASE,
    *,
    status: int = 200,
    problem: str = "",
    phones: tuple[str, ...] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a case, on record as seen.

    Args:
        request: what is answered.
        services: the console's parts.
        visitor: who sees it; who has to break the glass first is asked for a reason instead.
        number: the case.
        template: its file under templates/.
        act: what the audit calls it.
        status: the HTTP status.
        problem: why an act is refused.
        phones: telephone numbers to be shown.
        typed: what was typed into the form of the refused act.

    Raises:
        TurnedAwayError: 404, there is no such case.
    """
    opened = await asyncio.to_thread(_opened, services, visitor, number, act)
    if opened is None:
        return _ask_for_reason(request, services, visitor, number, 403)
    services.looked.is_new((visitor.id, number))
    return await _page(request, services, visitor, template, opened, status, problem=problem, phones=phones, typed=typed or {})


async def _page(
    request: Request, services: ConsoleServices, visitor: Visitor, template: str, opened: _Opened, status: int = 200, **values: Any
) -> Response:
    """A case by a template, which shows `problem`, `phones` and `typed` beside it, as for `show_case`."""
    content = await asyncio.to_thread(content_of, services, opened.view)
    return services.renderer.page(
        request, template, visitor.login, status, **content, glass_until=opened.until, shown=str(opened.shown), acts=visitor.may("act"),
        lives=visitor.may("see_case"), **values,
    )  # fmt: skip


def _ask_for_reason(request: Request, services: ConsoleServices, visitor: Visitor, number: int, status: int, problem: str = "") -> Response:
    """The page of a case to somebody who has to break the glass first."""
    policy, reason = services.policy, services.renderer.reason("glass")
    return services.renderer.page(
        request, "glass.html", visitor.login, status, number=number, reasons=policy.reasons, span=policy.break_glass, reason=reason,
        problem=problem,
    )  # fmt: skip


@dataclass(frozen=True)
class _Opened:
    """A case, until when the glass is broken for it, and how far it is shown."""

    view: CaseView
    until: datetime | None
    shown: Shown


def _opened(services: ConsoleServices, visitor: Visitor, number: int, act: AuditAct) -> _Opened | None:
    """The case, on record as seen; None for somebody who has to break the glass first."""
    until = None
    if not visitor.may("see_case"):
        if Queue(services.records.engine, services.policy, services.records.clock).one(number) is None:
            raise TurnedAwayError(404, "not_found", visitor.login)
        until = BreakGlass(services.records, services.policy, services.audit_log).until(number, visitor.id)
        if until is None:
            services.audit_log.record(AuditAct.REFUSED, staff=visitor.id, case=number, detail={"right": "see_case"})
            return None
    view, shown = _read(services, visitor, number)
    services.audit_log.record(act, staff=visitor.id, case=number, detail={"break_glass": True} if until else {})
    return _Opened(view, until, _marked(services, visitor, number, shown))


def _read(services: ConsoleServices, visitor: Visitor, number: int) -> tuple[CaseView, Shown]:
    """A case, and how far it is shown at least."""
    shown = shown_now(services.records, number)
    view = CaseViews(services.records, services.library, services.policy).read(number)
    if view is None or shown is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    return view, shown


def _marked(services: ConsoleServices, visitor: Visitor, number: int, shown: Shown) -> Shown:
    """How the case stands once somebody who looks after patients has its words in front of them."""
    return mark_read(services.records, number, shown) if visitor.may("act") else shown


def _reveal(services: ConsoleServices, visitor: Visitor, number: int) -> tuple[str, ...]:
    if Queue(services.records.engine, services.policy, services.records.clock).one(number) is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    phones = tuple(CaseViews(services.records, services.library, services.policy).phones(number))
    services.audit_log.record(AuditAct.REVEAL_PHONE, staff=visitor.id, case=number, detail={"phones": len(phones)})
    return phones
