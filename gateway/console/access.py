"""Who may see and do what: the login of a request, its rights, and the proof that a form is ours."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from gateway.console.audit.acts import AuditAct
from gateway.console.identity.rights import may
from gateway.console.identity.sessions import COOKIE, Login
from gateway.console.services import ConsoleServices

BASE = "/console"
LIVE = "x-live"
_SAFE = ("GET", "HEAD")
_FIELD, _HEADER = "csrf", "x-csrf"


class TurnedAwayError(Exception):
    """A request that is not answered.

    Args:
        status: 401 without a login, 423 with a locked one, 403 without the right, 404, 409, 422.
        reason: the sentence for the person, as a key of templates/reasons.yml.
    """

    def __init__(self, status: int, reason: str, login: Login | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.login = login


@dataclass(frozen=True)
class Visitor:
    """Somebody who is logged in."""

    login: Login

    @property
    def id(self) -> int:
        """The account's number."""
        return self.login.staff.id

    @property
    def name(self) -> str:
        """The account's name."""
        return self.login.staff.name

    def may(self, right: str) -> bool:
        """Whether this person has a right."""
        return may(self.login.staff.role, right)


Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""The number of a row in an address; any other is not found."""


def services_of(request: Request) -> ConsoleServices:
    """The console's parts."""
    found: ConsoleServices = request.app.state.services
    return found


TheServices = Annotated[ConsoleServices, Depends(services_of)]


def is_ours(request: Request, services: ConsoleServices) -> bool:
    """Whether a change comes from one of the console's own pages, by what the browser itself says of it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    return origin in services.settings.console_origins if origin is not None else site == "same-origin"


async def known_login(request: Request, services: TheServices) -> Login:
    """The login of a request, locked or not.

    Raises:
        TurnedAwayError: 401 without one; 403 for a change that is not from our pages.
    """
    token = request.cookies.get(COOKIE)
    login = await asyncio.to_thread(services.sessions.find, token) if token else None
    if login is None:
        raise TurnedAwayError(401, "log_in")
    if request.method not in _SAFE:
        given = request.headers.get(_HEADER) or str((await request.form()).get(_FIELD, ""))
        if not is_ours(request, services) or not hmac.compare_digest(given.encode(), login.csrf.encode()):
            raise TurnedAwayError(403, "not_ours", login)
    return login


KnownLogin = Annotated[Login, Depends(known_login)]


def having(*rights: str, even_locked: bool = False) -> Callable[..., Awaitable[Visitor]]:
    """A dependency: the request's visitor, who has one of these rights. Being refused is on record; being there keeps the login awake.

    Args:
        rights: any of them does.
        even_locked: a locked login does too; then nothing keeps it awake.
    """

    async def visitor(request: Request, services: TheServices, login: KnownLogin) -> Visitor:
        if login.locked and not even_locked:
            raise TurnedAwayError(423, "locked", login)
        found = Visitor(login)
        if not any(found.may(right) for right in rights):
            detail = {"right": rights[0], "method": request.method}
            await asyncio.to_thread(services.audit_log.record, AuditAct.REFUSED, staff=found.id, detail=detail)
            raise TurnedAwayError(403, "no_right", login)
        if LIVE not in request.headers and not even_locked:
            await asyncio.to_thread(services.sessions.touch, login.token)
        return found

    return visitor
