"""The queue's page, its live part, the search and saved views."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import AwareDatetime

from gateway.console.access import BASE, Number, TheServices, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.filters import Filter
from gateway.console.cases.flood_acts import FloodActs
from gateway.console.cases.queue import Queue
from gateway.console.cases.saved_views import Views
from gateway.console.cases.search import Search
from gateway.console.errors import ActError
from gateway.console.handover.handovers import Handovers
from gateway.console.services import ConsoleServices

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("see_queue"))]
_UNCHANGED = 204


@router.get("/")
async def queue_page(request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("own_account"))]) -> Response:
    """The queue; for who has no right to it, the first page that they have."""
    if not visitor.may("see_queue"):
        return RedirectResponse(f"{BASE}/{'audit' if visitor.may('audit') else 'staff'}", 303)
    shown = await asyncio.to_thread(_shown, services, visitor, _wanted(request, visitor), request.query_params.get("after", ""))
    views = await asyncio.to_thread(Views(services.records.engine).of, visitor.id)
    services.looked.is_new((visitor.id, shown["wanted"], shown["after"]))
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_QUEUE, staff=visitor.id, detail={"filter": shown["wanted"].as_query()})
    handovers = Handovers(services.records, services.policy, services.audit_log)
    newcomers = await asyncio.to_thread(services.newcomers.latest) if visitor.login.staff.role == "lead" else []
    return services.renderer.page(
        request,
        "queue.html",
        visitor.login,
        views=views,
        people=await asyncio.to_thread(services.book.everybody),
        newcomers=newcomers,
        handover_waiting=await asyncio.to_thread(handovers.waiting, visitor.id),
        **shown,
        outcomes=services.policy.outcomes,
        closes_floods=visitor.may("close_flood"),
    )


@router.get("/queue")
async def live_part(request: Request, services: TheServices, visitor: _Visitor, seen: str = "") -> Response:
    """The part of the queue's page that is asked for each second; without content while nothing has changed."""
    wanted, after = _wanted(request, visitor), request.query_params.get("after", "")
    if services.looked.is_new((visitor.id, wanted, after)):
        await asyncio.to_thread(
            services.audit_log.record, AuditAct.VIEW_QUEUE, staff=visitor.id, detail={"filter": wanted.as_query(), "live": True}
        )
    if seen and seen == await asyncio.to_thread(Queue(services.records.engine, services.policy, services.records.clock).fingerprint):
        return Response(status_code=_UNCHANGED)
    shown = await asyncio.to_thread(_shown, services, visitor, wanted, after)
    return services.renderer.page(request, "queue_part.html", visitor.login, **shown)


@router.get("/alarm")
async def alarm(services: TheServices, visitor: Annotated[Visitor, Depends(having("see_queue", even_locked=True))]) -> Response:
    """The numbers of the cases that wait and of those that sound, for every page and for a locked screen; no more than the numbers."""
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    return JSONResponse((await asyncio.to_thread(queue.alarms, visitor.id)).as_json())


@router.post("/search")
async def search(request: Request, services: TheServices, visitor: _Visitor, words: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Look for words in the patients' messages; they stand in no address, and in no log."""
    wanted = Filter.parse({name: str(value) for name, value in (await request.form()).multi_items()})
    async with services.heavy:
        found = await asyncio.to_thread(Search(services.records, services.policy).look, wanted, words)
    detail = {"filter": wanted.as_query(), "words": bool(words.strip()), "found": [row.id for row in found.rows]}
    await asyncio.to_thread(services.audit_log.record, AuditAct.SEARCH, staff=visitor.id, detail=detail)
    return services.renderer.page(request, "search.html", visitor.login, words=words, found=found, wanted=wanted)


@router.post("/views")
async def save_view(
    request: Request, services: TheServices, visitor: _Visitor, name: Annotated[str, Form(min_length=1, max_length=60)]
) -> Response:
    """Save the filter under a name."""
    wanted = Filter.parse({key: str(value) for key, value in (await request.form()).multi_items()})
    await asyncio.to_thread(Views(services.records.engine).save, visitor.id, name, wanted.as_query())
    await asyncio.to_thread(services.audit_log.record, AuditAct.SAVE_VIEW, staff=visitor.id, detail={"filter": wanted.as_query()})
    return RedirectResponse(f"{BASE}/?{urlencode(wanted.as_query())}", 303)


@router.post("/views/{number}/delete")
async def delete_view(services: TheServices, visitor: _Visitor, number: Number) -> Response:
    """Forget a saved view of one's own."""
    await asyncio.to_thread(Views(services.records.engine).delete, visitor.id, number)
    await asyncio.to_thread(services.audit_log.record, AuditAct.DELETE_VIEW, staff=visitor.id, detail={"view": number})
    return RedirectResponse(f"{BASE}/", 303)


@router.post("/floods/{group}/close")
async def close_flood(
    request: Request,
    services: TheServices,
    visitor: Annotated[Visitor, Depends(having("close_flood"))],
    group: str,
    seen: Annotated[AwareDatetime, Form()],
    outcome: Annotated[str, Form(max_length=32)] = "",
    reason: Annotated[str, Form(max_length=4_000)] = "",
) -> Response:
    """Close the emergencies from one address together."""
    try:
        async with services.heavy:
            await asyncio.to_thread(services.acts(FloodActs).close_flood, group, visitor.id, seen, outcome, reason)
    except ActError as error:
        return services.renderer.page(request, "refused.html", visitor.login, error.status, reason=str(error))
    return RedirectResponse(f"{BASE}/?{urlencode({'view': 'closed', 'group': group})}", 303)


def _wanted(request: Request, visitor: Visitor) -> Filter:
    """The filter of an address; one's own tries are those of whoever looks."""
    wanted = Filter.parse(request.query_params)
    return replace(wanted, assignee=visitor.id) if wanted.only == "mine-due" else wanted


def _shown(services: ConsoleServices, visitor: Visitor, wanted: Filter, after: str) -> dict[str, Any]:
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    fingerprint = queue.fingerprint()
    page, counts = queue.page(wanted, after), queue.counts()
    address = urlencode(wanted.as_query() | ({"after": after} if after else {}))
    more = urlencode({**wanted.as_query(), "after": page.next}) if page.next else ""
    return {
        "page": page,
        "counts": counts,
        "alarms": queue.alarms(visitor.id).as_json(),
        "whys": services.whys.of(page.rows),
        "flood": queue.flood(wanted.group) if wanted.group else None,
        "wanted": wanted,
        "fingerprint": fingerprint,
        "address": address,
        "more": more,
        "after": after,
    }
