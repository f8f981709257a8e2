"""The figures' page."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.console.access import TheServices, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.checks import End
from gateway.console.export.csv_file import MEDIA_TYPE
from gateway.console.insights.answers import OPENED_MOST
from gateway.console.insights.figures import SHIFTS, SPANS, Book
from gateway.console.insights.signals import write_signals
from gateway.console.rendering import HEADERS

router = APIRouter()
_DEFAULT = 30
_ENDS = {
    End.FINISHED: "Finished",
    End.PASSED_OVER: "Passed over, behind information",
    End.LEFT_BEFORE: "Left before an answer (unfinished)",
    End.LEFT_BEHIND: "Left behind “call your doctor”",
    End.WAITING: "Waits now",
}


@router.get("/figures/signals.csv")
async def signals_file(
    services: TheServices, visitor: Annotated[Visitor, Depends(having("figures"))], days: str = str(_DEFAULT)
) -> Response:
    """What brought cases before the nurses, as a file."""
    chosen = _chosen(days)
    async with services.heavy:
        counts = await asyncio.to_thread(Book(services.records, services.policy, services.clinic).signals, chosen)
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_FIGURES, staff=visitor.id, detail={"days": chosen, "file": "signals"})
    headers = {**HEADERS, "content-disposition": f'attachment; filename="signals-{chosen}-days.csv"'}
    return Response(write_signals(counts), media_type=MEDIA_TYPE, headers=headers)


@router.get("/figures")
async def figures_page(
    request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("figures"))], days: str = str(_DEFAULT)
) -> Response:
    """The figures; patients' words stand in them only for who may see cases."""
    chosen = _chosen(days)
    words = visitor.may("see_case")
    async with services.heavy:
        figures = await asyncio.to_thread(Book(services.records, services.policy, services.clinic).read, chosen, words=words)
    shown = sorted({example.case for each in figures.answers.unanswered for example in each.examples})
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_FIGURES, staff=visitor.id, detail={"days": chosen, "examples": shown})
    return services.renderer.page(
        request,
        "figures.html",
        visitor.login,
        figures=figures,
        spans=SPANS,
        shifts=SHIFTS,
        words=words,
        ends=_ENDS,
        opened_most=OPENED_MOST,
        limits=services.policy.limits,
    )


def _chosen(days: str) -> int:
    return next((span for span in SPANS if str(span) == days), _DEFAULT)
