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
from gateway.console.access import BASE, TheDesk, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import Entry, Wanted
from gateway.console.desk import Desk
from gateway.console.times import moment

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("audit"))]
_SHORT = 80
_MOMENTS = ("until", "fired_at")
_After = Annotated[int | None, Query(ge=0, le=2**62)]


@router.get("/audit")
async def audit_page(request: Request, desk: TheDesk, visitor: _Visitor, after: _After = None) -> Response:
    """A page of entries, the newest first."""
    wanted = Wanted.parse(request.query_params, desk.clinic.zone)
    shown = await asyncio.to_thread(_shown, desk, wanted, after)
    detail = {"filter": wanted.as_query(), "entries": len(shown["lines"])}
    await asyncio.to_thread(desk.trail.note, AuditAct.VIEW_AUDIT, staff=visitor.id, detail=detail)
    return desk.renderer.page(request, "audit.html", visitor.login, **shown)


@router.post("/audit/verify")
async def verify(desk: TheDesk, visitor: _Visitor) -> Response:
    """Check every entry; what was found is an entry itself."""
    verdict = await asyncio.to_thread(lambda: desk.trail.verify(desk.book.seals.anchors(desk.records.engine)))
    detail = {"entries": verdict.entries, "problem": verdict.problem}
    await asyncio.to_thread(desk.trail.note, AuditAct.VERIFY_AUDIT, staff=visitor.id, detail=detail)
    return RedirectResponse(f"{BASE}/audit", 303)


def _shown(desk: Desk, wanted: Wanted, after: int | None) -> dict[str, Any]:
    page = desk.trail.read(wanted, after)
    checked = desk.trail.read(Wanted(act=AuditAct.VERIFY_AUDIT), size=1).entries
    return {
        "lines": [(entry, *_shortened(entry, desk.clinic)) for entry in page.entries],
        "wanted": wanted,
        "first": after is None,
        "more": urlencode({**wanted.as_query(), "after": page.next}) if page.next else "",
        "people": desk.book.everybody(),
        "acts": desk.trail.acts(),
        "checked": checked[0] if checked else None,
        "head": desk.trail.head(),
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
