"""Coming in by the hospital's OpenID provider, and opening a locked screen by it."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from gateway.console.access import BASE, TheServices, TurnedAwayError
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.release import ROLE_CHANGED, release_cases
from gateway.console.identity.oidc import COOKIE, LONGEST, Journey, OidcClient, OidcError, OidcIdentity
from gateway.console.identity.rights import may
from gateway.console.identity.sessions import COOKIE as LOGIN_COOKIE
from gateway.console.identity.tries import LOGIN
from gateway.console.pages.entry import address_of, inside, not_too_often, start_login
from gateway.console.services import ConsoleServices

router = APIRouter()
_log = structlog.get_logger(__name__)


@router.get("/oidc/login")
async def go(request: Request, services: TheServices, next: str = "", unlock: bool = False) -> Response:
    """Send the browser to the provider."""
    client = _client(services)
    token = request.cookies.get(LOGIN_COOKIE, "") if unlock else ""
    if unlock and (not token or await asyncio.to_thread(services.sessions.find, token) is None):
        raise TurnedAwayError(401, "log_in")
    try:
        address, cookie = await client.begin(_back(request, services), inside(next), token)
    except OidcError as error:
        return _refused(request, services, error)
    response = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    response.set_cookie(COOKIE, cookie, max_age=int(LONGEST.total_seconds()), path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.get("/oidc/callback")
async def came_back(request: Request, services: TheServices) -> Response:
    """What the provider says of who came back; the browser goes on from a page of our own, since a redirect would not send its login."""
    client = _client(services)
    try:
        journey, identity = await client.finish(request.cookies.get(COOKIE, ""), request.query_params)
        response = await _let_in(request, services, journey, identity)
    except OidcError as error:
        await not_too_often(request, services)
        await asyncio.to_thread(services.tries.failed, LOGIN, address_of(request))
        await asyncio.to_thread(services.audit_log.record, AuditAct.LOGIN_FAILED, detail={"how": "provider", "why": error.reason})
        response = _refused(request, services, error)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def _let_in(request: Request, services: ConsoleServices, journey: Journey, identity: OidcIdentity) -> Response:
    known = await asyncio.to_thread(services.book.of_subject, identity.subject)
    if known is not None and known.disabled:
        raise OidcError("disabled")
    release = None if may(identity.role, "act") else partial(_release, services)
    person = await asyncio.to_thread(services.book.adopt, identity.subject, identity.name, identity.role, identity.email, release)
    if known is None or known.role != person.role:
        await asyncio.to_thread(services.newcomers.tell, person, "made" if known is None else "role", "the hospital's provider")
    response = services.renderer.page(request, "arrived.html", None, then=inside(journey.next), name=person.name)
    if not journey.token:
        await start_login(request, services, response, person, "provider")
        return response
    login = await asyncio.to_thread(services.sessions.find, journey.token)
    if login is None or login.staff.id != person.id:
        raise OidcError("provider_other")
    await asyncio.to_thread(services.sessions.unlock, journey.token)
    await asyncio.to_thread(services.audit_log.record, AuditAct.UNLOCK, staff=person.id, detail={"how": "provider"})
    return response


def _client(services: ConsoleServices) -> OidcClient:
    if services.oidc is None:
        raise TurnedAwayError(404, "not_found")
    return services.oidc


def _back(request: Request, services: ConsoleServices) -> str:
    """The callback's address under the origin by which the browser came, since its cookies belong to that."""
    host, origins = request.headers.get("host", ""), services.settings.console_origins
    origin = next((origin for origin in origins if origin.partition("://")[2] == host), origins[0])
    return f"{origin}{BASE}/oidc/callback"


def _release(services: ConsoleServices, connection: Connection, number: int) -> None:
    at, signals = services.records.clock(), services.records.signals
    release_cases(connection, services.audit_log, number, number, at, signals, ROLE_CHANGED)


def _refused(request: Request, services: ConsoleServices, error: OidcError) -> Response:
    _log.warning("provider did not vouch", reason=error.reason)
    status = 503 if error.reason == "provider_down" else 403
    return services.renderer.page(request, "refused.html", None, status, reason=services.renderer.reason(error.reason))
