"""The figures' page."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.console.access import TheServices, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.checks import End
from gateway.console.insights.answers import OPENED_MOST
from gateway.console.insights.figures import SHIFTS, SPANS, Book

router = APIRouter()
_DEFAULT = 30
_ENDS = {
    End.FINISHED: "Finished",
    End.PASSED_OVER: "Passed over, behind information",
    End.LEFT_BEFORE: "Left before an answer (unfinished)",
    End.LEFT_BEHIND: "Left behind “call your doctor”",
    End.WAITING: "Waits now",
}


@router.get("/figures")
async def figures_page(
    request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("figures"))], days: str = str(_DEFAULT)
) -> Response:
    """The figures; patients' words stand in them only for who may see cases."""
    chosen = next((span for span in SPANS if str(span) == days), _DEFAULT)
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
