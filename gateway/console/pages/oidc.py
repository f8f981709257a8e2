"""Coming in by the hospital's OpenID provider, and opening a locked screen by it."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheServices, TurnedAwayError
from gateway.console.audit.acts import AuditAct
from gateway.console.identity.oidc import COOKIE, LONGEST, Journey, Voucher, VouchError, Vouching
from gateway.console.identity.sessions import COOKIE as LOGIN_COOKIE
from gateway.console.identity.tries import LOGIN
from gateway.console.pages.entry import address_of, inside, not_too_often, start_login
from gateway.console.services import ConsoleServices

router = APIRouter()
_log = structlog.get_logger(__name__)


@router.get("/oidc/login")
async def go(request: Request, services: TheServices, next: str = "", unlock: bool = False) -> Response:
    """Send the browser to the provider."""
    vouching = _vouching(services)
    token = request.cookies.get(LOGIN_COOKIE, "") if unlock else ""
    if unlock and (not token or await asyncio.to_thread(services.sessions.find, token) is None):
        raise TurnedAwayError(401, "log_in")
    try:
        address, cookie = await vouching.begin(_back(request, services), inside(next), token)
    except VouchError as error:
        return _refused(request, services, error)
    response = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    response.set_cookie(COOKIE, cookie, max_age=int(LONGEST.total_seconds()), path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.get("/oidc/callback")
async def came_back(request: Request, services: TheServices) -> Response:
    """What the provider says of who came back; the browser goes on from a page of our own, since a redirect would not send its login."""
    vouching = _vouching(services)
    try:
        journey, voucher = await vouching.finish(request.cookies.get(COOKIE, ""), request.query_params)
        response = await _let_in(request, services, journey, voucher)
    except VouchError as error:
        await not_too_often(request, services)
        await asyncio.to_thread(services.tries.failed, LOGIN, address_of(request))
        await asyncio.to_thread(services.audit_log.record, AuditAct.LOGIN_FAILED, detail={"how": "provider", "why": error.reason})
        response = _refused(request, services, error)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def _let_in(request: Request, services: ConsoleServices, journey: Journey, voucher: Voucher) -> Response:
    known = await asyncio.to_thread(services.book.of_subject, voucher.subject)
    if known is not None and known.disabled:
        raise VouchError("disabled")
    person = await asyncio.to_thread(services.book.adopt, voucher.subject, voucher.name, voucher.role, voucher.email)
    if known is None or known.role != person.role:
        await asyncio.to_thread(services.newcomers.tell, person, "made" if known is None else "role", "the hospital's provider")
    response = services.renderer.page(request, "arrived.html", None, then=inside(journey.next), name=person.name)
    if not journey.token:
        await start_login(request, services, response, person, "provider")
        return response
    login = await asyncio.to_thread(services.sessions.find, journey.token)
    if login is None or login.staff.id != person.id:
        raise VouchError("provider_other")
    await asyncio.to_thread(services.sessions.unlock, journey.token)
    await asyncio.to_thread(services.audit_log.record, AuditAct.UNLOCK, staff=person.id, detail={"how": "provider"})
    return response


def _vouching(services: ConsoleServices) -> Vouching:
    if services.vouching is None:
        raise TurnedAwayError(404, "not_found")
    return services.vouching


def _back(request: Request, services: ConsoleServices) -> str:
    """The callback's address under the origin by which the browser came, since its cookies belong to that."""
    host, origins = request.headers.get("host", ""), services.settings.console_origins
    origin = next((origin for origin in origins if origin.partition("://")[2] == host), origins[0])
    return f"{origin}{BASE}/oidc/callback"


def _refused(request: Request, services: ConsoleServices, error: VouchError) -> Response:
    _log.warning("provider did not vouch", reason=error.reason)
    status = 503 if error.reason == "provider_down" else 403
    return services.renderer.page(request, "refused.html", None, status, reason=services.renderer.reason(error.reason))
