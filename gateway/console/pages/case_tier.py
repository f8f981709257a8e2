"""How urgent a nurse says that a case is, and paging."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.console.access import TheServices
from gateway.console.cases.tier_acts import TierActs
from gateway.console.errors import ActError
from gateway.console.notify.paging import Paging
from gateway.console.pages.acting import Key, Nurse, Whole, Written, do
from gateway.console.pages.case import CaseNumber
from gateway.records.tier import TIERS, Tier

router = APIRouter(prefix="/cases/{number}")


def _tier(key: str) -> Tier:
    """A tier by its key, `none` for no advice."""
    found = {tier.key: tier for tier in TIERS.values()}.get(key)
    if found is None:
        raise ActError("Choose how urgent it is.", 422)
    return found


@router.post("/raise")
async def raise_tier(
    request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, tier: Key = "", reason: Written = ""
) -> Response:
    """Make a case more urgent."""
    acts = services.acts(TierActs)
    return await do(request, services, visitor, number, "Raised", lambda: acts.raise_to(number, visitor.id, _tier(tier), reason))


@router.post("/lower")
async def lower_tier(
    request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, tier: Key = "", reason: Written = ""
) -> Response:
    """Make a case less urgent, or ask a second person to agree to that."""
    acts = services.acts(TierActs)
    return await do(request, services, visitor, number, "Stored", lambda: acts.lower_to(number, visitor.id, _tier(tier), reason))


@router.post("/lower/confirm")
async def confirm_lowering(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, seen: Whole) -> Response:
    """Agree that an emergency is none."""
    acts = services.acts(TierActs)
    return await do(request, services, visitor, number, "Lowered", lambda: acts.confirm_lowering(number, visitor.id, seen))


@router.post("/lower/refuse")
async def refuse_lowering(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber) -> Response:
    """Say that an emergency stays one."""
    acts = services.acts(TierActs)
    return await do(request, services, visitor, number, "It stays an emergency", lambda: acts.refuse_lowering(number, visitor.id))


@router.post("/page")
async def page(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, reason: Written = "") -> Response:
    """Page the on-call team now."""
    paging = Paging(services.records, services.settings, services.audit_log, services.library)
    return await do(request, services, visitor, number, "Paged", lambda: paging.page(number, visitor.id, reason))
