"""Reviews: what nurses disagreed with, and the second reviewer's verdict."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, Number, TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.reviews import MOST, ReviewError, Reviews, agreement
from gateway.console.cases.tier_acts import TierActs
from gateway.console.pages.case_labels import ACCEPTED_NAMES, KIND_NAMES
from gateway.console.services import ConsoleServices
from gateway.records.tier import Tier

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("review"))]


@router.get("/reviews")
async def reviews_page(request: Request, services: TheServices, visitor: _Visitor) -> Response:
    """The disagreements that wait, and the figures of those that do not."""
    waiting = await asyncio.to_thread(_reviews(services).waiting)
    figures = await asyncio.to_thread(agreement, services.records.engine)
    detail = {"disagreements": [each.id for each in waiting], "cases": sorted({each.case for each in waiting})}
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_REVIEWS, staff=visitor.id, detail=detail)
    tier_names = {tier.key: tier.label for tier in Tier if tier is not Tier.NONE}
    return services.renderer.page(
        request, "reviews.html", visitor.login, waiting=waiting, figures=figures, most=MOST, tier_names=tier_names,
        kind_names=KIND_NAMES, accepted_names=ACCEPTED_NAMES,
    )  # fmt: skip


@router.post("/reviews/{number}")
async def review(services: TheServices, visitor: _Visitor, number: Number, verdict: Annotated[str, Form(max_length=16)]) -> Response:
    """Accept or reject."""
    try:
        await asyncio.to_thread(_reviews(services).review, number, visitor.id, verdict)
    except ReviewError as error:
        raise TurnedAwayError(error.status, error.reason, visitor.login) from None
    return RedirectResponse(f"{BASE}/reviews", 303)


def _reviews(services: ConsoleServices) -> Reviews:
    return Reviews(services.records, services.audit_log, services.acts(TierActs))
