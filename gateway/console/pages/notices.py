"""What the rota was notified of, and who would be notified next."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.console.access import TheServices, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.notify.delivery import NoticeDelivery

router = APIRouter()
_MOST = 200


@router.get("/notices")
async def notices_page(request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("see_queue"))]) -> Response:
    """The latest notices, those that were given up first, and the rota."""
    posted = await asyncio.to_thread(
        NoticeDelivery(services.records.engine, services.settings, services.records.clock, services.clinic).latest, _MOST
    )
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_NOTICES, staff=visitor.id, detail={"shown": len(posted)})
    return services.renderer.page(request, "notices.html", visitor.login, posted=posted, policy=services.policy, most=_MOST)
