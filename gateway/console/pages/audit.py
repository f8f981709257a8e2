"""The audit's page: who saw and did what, and whether the chain holds."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from aftercare.protocol.clinic import Clinic
from gateway.console.access import BASE, TheServices, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import Entry, Wanted
from gateway.console.services import ConsoleServices
from gateway.console.times import moment

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("audit"))]
_SHORT = 80
_MOMENTS = ("until", "fired_at")
_After = Annotated[int | None, Query(ge=0, le=2**62)]


@router.get("/audit")
async def audit_page(request: Request, services: TheServices, visitor: _Visitor, after: _After = None) -> Response:
    """A page of entries, the newest first."""
    wanted = Wanted.parse(request.query_params, services.clinic.zone)
    shown = await asyncio.to_thread(_shown, services, wanted, after)
    detail = {"filter": wanted.as_query(), "entries": len(shown["lines"])}
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_AUDIT, staff=visitor.id, detail=detail)
    return services.renderer.page(request, "audit.html", visitor.login, **shown)


@router.post("/audit/verify")
async def verify(services: TheServices, visitor: _Visitor) -> Response:
    """Check every entry; what was found is an entry itself."""
    verdict = await asyncio.to_thread(lambda: services.audit_log.verify(services.book.seals.anchors(services.records.engine)))
    detail = {"entries": verdict.entries, "problem": verdict.problem}
    await asyncio.to_thread(services.audit_log.record, AuditAct.VERIFY_AUDIT, staff=visitor.id, detail=detail)
    return RedirectResponse(f"{BASE}/audit", 303)


def _shown(services: ConsoleServices, wanted: Wanted, after: int | None) -> dict[str, Any]:
    page = services.audit_log.read(wanted, after)
    checked = services.audit_log.read(Wanted(act=AuditAct.VERIFY_AUDIT), size=1).entries
    return {
        "lines": [(entry, *_shortened(entry, services.clinic)) for entry in page.entries],
        "wanted": wanted,
        "first": after is None,
        "more": urlencode({**wanted.as_query(), "after": page.next}) if page.next else "",
        "people": services.book.everybody(),
        "acts": services.audit_log.acts(),
        "checked": checked[0] if checked else None,
        "head": services.audit_log.head(),
    }


def _shortened(entry: Entry, clinic: Clinic) -> tuple[str, str]:
    """An entry's detail as text, and what of it is too long to be seen at once."""
    parts = [f"{key}: {_told(key, value, clinic)}" for key, value in entry.detail.items() if value not in ("", {})]
    text = "; ".join(parts)
    return text[:_SHORT], text[_SHORT:]


def _told(key: str, value: Any, clinic: Clinic) -> str:
    """A part of an entry's detail as text; moments in the clinic's time."""
    if key in _MOMENTS:
        return moment(clinic, datetime.fromisoformat(value))
    return value if isinstance(value, str) else json.dumps(value)
