"""Coming in and going out: log in, first set-up, unlock, log out; and the static files."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from gateway.console.access import BASE, KnownLogin, TheServices, TurnedAwayError, is_ours
from gateway.console.audit.acts import AuditAct
from gateway.console.identity import one_time_codes, recovery_codes
from gateway.console.identity.accounts import Staff, StaffError
from gateway.console.identity.passwords import LONGEST_TYPED
from gateway.console.identity.sessions import COOKIE, Login
from gateway.console.identity.tries import LOGIN, UNLOCK
from gateway.console.pages.own import note_codes_made
from gateway.console.services import ConsoleServices
from gateway.network import network

router = APIRouter()
DEVICE = "__Host-device"
_DEVICE_KEPT = timedelta(days=90)
_Text = Annotated[str, Form(max_length=LONGEST_TYPED)]


@router.get("/static/{name}")
async def static(name: str, services: TheServices) -> Response:
    """A style sheet or a script."""
    found = services.renderer.static(name)
    if found is None:
        raise TurnedAwayError(404, "not_found")
    return found


@router.get("/login")
async def login_page(request: Request, services: TheServices, next: str = "") -> Response:
    """The page to log in."""
    return _login_page(request, services, next, 200, "")


@router.post("/login")
async def log_in(request: Request, services: TheServices, name: _Text, password: _Text, code: _Text, next: _Text = "") -> Response:
    """Log in with name, password and one-time code, or a recovery code in its place."""
    _ours(request, services)
    made = await asyncio.to_thread(services.tries.begin, name, address_of(request), request.cookies.get(DEVICE, ""))
    if made is None:
        raise TurnedAwayError(429, "too_often")
    async with services.hashing if made.known else services.strangers:
        person, how = await _proven(services, name, password, code)
    if person is None:
        known = await asyncio.to_thread(services.book.named, " ".join(name.split()))
        await asyncio.to_thread(services.audit_log.record, AuditAct.LOGIN_FAILED, staff=known.id if known else None)
        return _login_page(request, services, next, 401, services.renderer.reason("wrong_login"))
    response = RedirectResponse(inside(next), 303)
    await start_login(request, services, response, person, how, browser_known=made.browser_known)
    device = request.cookies.get(DEVICE) or secrets.token_urlsafe()
    await asyncio.to_thread(services.tries.right, made, device)
    kept = int(_DEVICE_KEPT.total_seconds())
    response.set_cookie(DEVICE, device, secure=True, httponly=True, samesite="strict", path="/", max_age=kept)
    return response


async def _proven(services: ConsoleServices, name: str, password: str, code: str) -> tuple[Staff | None, str]:
    """Who this is, if anybody, and by what that was shown; a recovery code is used up, which is on record."""
    if not recovery_codes.is_code(code):
        return await asyncio.to_thread(services.book.prove, name, password, code), "password"
    found = await asyncio.to_thread(services.book.prove_by_recovery_code, name, password, code)
    if found is None:
        return None, ""
    person, left = found
    await asyncio.to_thread(services.audit_log.record, AuditAct.RECOVERY_CODE_USED, staff=person.id, detail={"left": left})
    return person, "recovery_code"


async def start_login(
    request: Request, services: ConsoleServices, response: Response, person: Staff, how: str, *, browser_known: bool | None = None
) -> None:
    """Start a login, whose token goes out as a cookie; a login that this browser had before ends.

    Args:
        request: what is answered.
        services: the console's parts.
        response: the answer, which takes the cookie.
        person: who logs in.
        how: what showed who they are, for the audit.
        browser_known: whether the browser has logged in to the account before; None where nobody can tell.
    """
    if COOKIE in request.cookies:
        await asyncio.to_thread(services.sessions.end, request.cookies[COOKIE])
    token = await asyncio.to_thread(services.sessions.start, person, browser_known)
    await asyncio.to_thread(services.audit_log.record, AuditAct.LOGIN, staff=person.id, detail={"how": how})
    response.set_cookie(
        COOKIE, token, secure=True, httponly=True, samesite="strict", path="/", max_age=int(services.policy.longest.total_seconds())
    )  # fmt: skip


@router.get("/setup")
async def setup_page(request: Request, services: TheServices) -> Response:
    """Asks for the code of an invitation."""
    return services.renderer.page(request, "setup.html", None, invited=None, secret="", code="", square="", problem="")


@router.post("/setup")
async def set_up(
    request: Request, services: TheServices, code: _Text, secret: _Text = "", password: _Text = "", again: _Text = "", one_time: _Text = ""
) -> Response:
    """With the code alone: shows the square for the authenticator app; with password and one-time code: accepts the invitation.

    The recovery codes stand on this answer and nowhere else.
    """
    _ours(request, services)
    person = await asyncio.to_thread(services.book.invited, code)
    if person is None:
        await not_too_often(request, services)
        await asyncio.to_thread(services.tries.failed, LOGIN, address_of(request))
        problem = "This code does not count, or not any more. Ask for a new one."
        return services.renderer.page(request, "setup.html", None, 422, invited=None, secret="", code="", square="", problem=problem)
    problem, status = "", 200
    if secret:
        try:
            if password != again:
                raise StaffError("The two passwords are not the same.")
            _, codes = await asyncio.to_thread(services.book.set_up, code, password, secret, one_time)
            await asyncio.to_thread(services.audit_log.record, AuditAct.ACCOUNT_SET_UP, staff=person.id)
            await note_codes_made(services, person.id, "set_up")
            return services.renderer.page(request, "codes.html", None, codes=codes)
        except StaffError as error:
            problem, status = str(error), 422
    secret = secret if one_time_codes.is_secret(secret) else one_time_codes.new_secret()
    square = Markup(segno.make(one_time_codes.address_of(person.name, secret)).svg_inline(scale=5, border=2, light="#fff"))
    return services.renderer.page(
        request, "setup.html", None, status, invited=person, secret=secret, code=code, square=square, problem=problem
    )


@router.post("/unlock")
async def unlock(request: Request, services: TheServices, login: KnownLogin, password: _Text = "", then: _Text = "") -> Response:
    """Open a screen that locked itself; what was typed before goes on from a page of its own. Five wrong passwords end the login."""
    form = await request.form()
    draft = [(key.removeprefix("draft."), str(value)) for key, value in form.multi_items() if key.startswith("draft.")]
    write = "write" in form
    problem = await _still_locked(services, login, password)
    if problem:
        if "hx-request" in request.headers:
            return services.renderer.page(request, "refusal.html", None, 422, reason=problem)
        return services.renderer.page(request, "locked.html", login, 422, then=then, draft=draft, problem=problem, write=write)
    if "hx-request" in request.headers:
        return Response(status_code=204)
    if write:
        return services.renderer.page(request, "draft.html", login, then=inside(then), draft=draft)
    return RedirectResponse(inside(then), 303)


@router.post("/lock")
async def lock(services: TheServices, login: KnownLogin) -> Response:
    """Lock the screen now."""
    await asyncio.to_thread(services.sessions.lock, login.token)
    await asyncio.to_thread(services.audit_log.record, AuditAct.LOCK, staff=login.staff.id)
    return RedirectResponse(BASE + "/", 303)


@router.post("/logout")
async def log_out(services: TheServices, login: KnownLogin) -> Response:
    """Log out."""
    await asyncio.to_thread(services.sessions.end, login.token)
    await asyncio.to_thread(services.audit_log.record, AuditAct.LOGOUT, staff=login.staff.id)
    response = RedirectResponse(f"{BASE}/login", 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    response.headers["clear-site-data"] = '"cache"'
    return response


def inside(path: str) -> str:
    """A path of the console, or its first page for anything else."""
    parts = urlsplit(path)
    ours = not parts.scheme and not parts.netloc and parts.path.startswith(BASE + "/") and "\\" not in path and ".." not in path
    return parts.path if ours else BASE + "/"


async def _still_locked(services: ConsoleServices, login: Login, password: str) -> str:
    """Open a login by its password, and return why that is not done, or nothing; by the provider it is opened before it gets here."""
    if login.staff.subject is not None:
        return services.renderer.reason("locked_provider") if login.locked else ""
    async with services.hashing:
        may_try = await asyncio.to_thread(services.tries.left, UNLOCK, login.token)
        right = may_try and await asyncio.to_thread(services.book.prove, login.staff.name, password, None) is not None
        if not right:
            await asyncio.to_thread(services.tries.failed, UNLOCK, login.token)
    if right:
        await asyncio.to_thread(services.sessions.unlock, login.token)
        await asyncio.to_thread(services.audit_log.record, AuditAct.UNLOCK, staff=login.staff.id)
        return ""
    await asyncio.to_thread(services.audit_log.record, AuditAct.UNLOCK_FAILED, staff=login.staff.id)
    if not await asyncio.to_thread(services.tries.left, UNLOCK, login.token):
        await asyncio.to_thread(services.sessions.end, login.token)
        raise TurnedAwayError(401, "log_in")
    return services.renderer.reason("wrong_password")


def address_of(request: Request) -> str:
    """The address that a request comes from, of IPv6 its /64."""
    return network(request.client.host) if request.client else ""


async def not_too_often(request: Request, services: ConsoleServices) -> None:
    """Turn an address away that was wrong too often in the last minute; what is right is looked at before."""
    if not await asyncio.to_thread(services.tries.left, LOGIN, address_of(request)):
        raise TurnedAwayError(429, "too_often")


def _ours(request: Request, services: ConsoleServices) -> None:
    if not is_ours(request, services):
        raise TurnedAwayError(403, "not_ours")


def _login_page(request: Request, services: ConsoleServices, next: str, status: int, problem: str) -> Response:
    provider = services.settings.provider is not None
    return services.renderer.page(request, "login.html", None, status, next=inside(next), problem=problem, provider=provider)
