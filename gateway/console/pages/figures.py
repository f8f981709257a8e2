"""The figures' page, and each of its tables as a file."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.console.access import TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.checks import End
from gateway.console.export.csv_file import MEDIA_TYPE
from gateway.console.insights.answers import OPENED_MOST
from gateway.console.insights.figures import SPANS, Book, Figures
from gateway.console.insights.load import SINGLED_OUT
from gateway.console.insights.speed import SHIFTS
from gateway.console.insights.tables import NAMES, write_table
from gateway.console.services import ConsoleServices
from gateway.records.tier import TIERS

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("figures"))]
_DEFAULT = 30
_ENDS = {
    End.FINISHED: "Finished",
    End.PASSED_OVER: "Passed over, behind information",
    End.LEFT_BEFORE: "Left before an answer (unfinished)",
    End.LEFT_BEHIND: "Left behind “call your doctor”",
    End.WAITING: "Waits now",
}


@router.get("/figures")
async def figures_page(request: Request, services: TheServices, visitor: _Visitor, days: str = str(_DEFAULT)) -> Response:
    """The figures; patients' words stand in them only for who may see cases, and the team's names only for who leads it."""
    chosen, words = _chosen(days), visitor.may("see_case")
    figures = await _read(services, visitor, chosen, words=words)
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
        names=visitor.may("figures_names"),
        ends=_ENDS,
        kinds=SINGLED_OUT,
        tier_of=TIERS,
        opened_most=OPENED_MOST,
        limits=services.policy.limits,
        outcomes=services.policy.outcomes,
        callback=services.policy.contact.callback,
        topics={topic.id: topic.label for protocol in services.library for topic in protocol.topics.values()},
    )


@router.get("/figures/{name}.csv")
async def figures_file(services: TheServices, visitor: _Visitor, name: str, days: str = str(_DEFAULT)) -> Response:
    """A table of the figures as a file; no patient's words stand in it."""
    if name not in NAMES:
        raise TurnedAwayError(404, "not_found", visitor.login)
    chosen = _chosen(days)
    figures = await _read(services, visitor, chosen, words=False)
    content = await asyncio.to_thread(write_table, name, figures)
    detail = {"days": chosen, "table": name, "format": "csv"}
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_FIGURES, staff=visitor.id, detail=detail)
    file = f"aftercare-{name.replace('_', '-')}-{chosen}-days-{services.clinic.day(services.records.clock()):%Y%m%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{file}"', "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


async def _read(services: ConsoleServices, visitor: Visitor, days: int, *, words: bool) -> Figures:
    book = Book(services.records, services.policy, services.clinic)
    async with services.heavy:
        return await asyncio.to_thread(book.read, days, words=words, names=visitor.may("figures_names"))


def _chosen(days: str) -> int:
    return next((span for span in SPANS if str(span) == days), _DEFAULT)
