"""What the rota was notified of, who would be notified next, and a test of whether notices arrive."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheServices, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.errors import ActError
from gateway.console.notify.delivery import NoticeDelivery
from gateway.console.notify.trial import Trial
from gateway.console.services import ConsoleServices

router = APIRouter()
_MOST = 200


@router.get("/notices")
async def notices_page(request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("notices"))]) -> Response:
    """The latest notices, those that were given up first, and the rota."""
    return await _page(request, services, visitor)


@router.post("/notices/test")
async def send_test(request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("test_notices"))]) -> Response:
    """Send a test message to everybody whom the rota names; what became of it stands on the page."""
    try:
        await asyncio.to_thread(Trial(services.records, services.settings, services.audit_log).send, visitor.id)
    except ActError as error:
        return await _page(request, services, visitor, str(error), error.status)
    return RedirectResponse(f"{BASE}/notices", 303)


async def _page(request: Request, services: ConsoleServices, visitor: Visitor, problem: str = "", status: int = 200) -> Response:
    posted = await asyncio.to_thread(
        NoticeDelivery(services.records.engine, services.settings, services.records.clock, services.clinic).latest, _MOST
    )
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_NOTICES, staff=visitor.id, detail={"shown": len(posted)})
    return services.renderer.page(
        request,
        "notices.html",
        visitor.login,
        status,
        posted=posted,
        policy=services.policy,
        most=_MOST,
        problem=problem,
        sees_cases=visitor.may("see_case"),
        sends_tests=visitor.may("test_notices"),
    )
