"""Who may: embed keys and origins for pages, tokens for patients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.errors import RefusedError, bind, bound_to
from gateway.live import CrowdError, Listener
from gateway.network import network
from gateway.records.store import Session
from gateway.services import Services

bearer = HTTPBearer(auto_error=False, description="The token that starting a chat returned.")
_CHANGING = ("POST", "PUT", "DELETE")


def services(request: Request) -> Services:
    """The gateway's parts."""
    found: Services = request.app.state.services
    return found


def address(request: Request) -> str:
    """The caller's network address, of IPv6 its /64: what limits are counted by."""
    return network(request.client.host) if request.client else "unknown"


def allow_origin(request: Request, gateway: Services, key: str) -> None:
    """Refuse a page that the embed key does not list; a change needs to name its page.

    Raises:
        RefusedError: 403.
    """
    origin = request.headers.get("origin")
    embed = gateway.settings.embed_keys.get(key)
    if embed is not None and bound_to(request.scope) is None:
        bind(request, embed.bound)
    allowed = (*gateway.settings.public_origins, *(embed.origins if embed else ()))
    if embed is None or (origin is None and request.method in _CHANGING) or (origin is not None and origin not in allowed):
        raise RefusedError(403, "forbidden")


async def known_session(
    request: Request,
    gateway: Annotated[Services, Depends(services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Session:
    """The session of the request's token, over or not.

    Raises:
        RefusedError: 401 without a token that is known, 403 from a foreign page.
    """
    session = await asyncio.to_thread(gateway.records.session, credentials.credentials) if credentials else None
    if session is None:
        raise RefusedError(401, "unauthorized")
    bind(request, session.bound)
    allow_origin(request, gateway, session.embed_key)
    return session


async def live_session(session: Annotated[Session, Depends(known_session)], gateway: Annotated[Services, Depends(services)]) -> Session:
    """The session of the request's token.

    Raises:
        RefusedError: 401 when it is over, or as `known_session`; 429 when it asks too often.
    """
    if session.is_over(gateway.records.clock()):
        raise RefusedError(401, "session_ended" if session.ended else "session_expired")
    seconds = await gateway.limiter.wait("read", session=session.conversation)
    if seconds:
        raise RefusedError(429, "rate_limited", retry_after=seconds)
    return session


def listening(*, stream: bool) -> Callable[..., AsyncIterator[Listener]]:
    """A dependency: a listener to the session's conversation, who stays or only waits for a while.

    It raises RefusedError, 429, when too many listen to the conversation or from the address.
    """

    async def listener(request: Request, session: Live, gateway: Gateway) -> AsyncIterator[Listener]:
        where = address(request)
        most = gateway.limiter.most_open(where, gateway.settings.embed_keys.get(session.embed_key))
        try:
            with gateway.event_bus.subscribed(session.conversation, where, most, stream=stream) as found:
                yield found
        except CrowdError:
            raise RefusedError(429, "rate_limited", retry_after=1) from None

    return listener


Gateway = Annotated[Services, Depends(services)]
Known = Annotated[Session, Depends(known_session)]
Live = Annotated[Session, Depends(live_session)]
Waiting = Annotated[Listener, Depends(listening(stream=False))]
Staying = Annotated[Listener, Depends(listening(stream=True))]
