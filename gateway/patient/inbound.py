"""The web chat's messages, for the gateway: the request's token says whose they are, what they are about by what that knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.security import HTTPAuthorizationCredentials

from aftercare.protocol import Key
from gateway.errors import bound_to
from gateway.patient.access import address, known_session
from gateway.patient.schemas import MessageRequest
from gateway.records.store import Session
from gateway.services import Services


@dataclass(frozen=True)
class WebMessage:
    """A message that a browser sent.

    Attributes:
        gateway: the gateway's parts.
        request: the request.
        credentials: its token, if it has one.
        body: what it holds.
    """

    gateway: Services
    request: Request
    credentials: HTTPAuthorizationCredentials | None
    body: MessageRequest

    @property
    def client_id(self) -> str:
        """Chosen by the browser."""
        return self.body.client_id

    @property
    def text(self) -> str:
        """What was typed."""
        return self.body.text or ""

    @property
    def button(self) -> str | None:
        """The button that was pressed, by its id."""
        return self.body.button

    @property
    def rows(self) -> Mapping[str, str]:
        """The rows that were answered, by their ids."""
        return self.body.rows or {}

    @property
    def where(self) -> str:
        """The network address, of IPv6 its /64."""
        return address(self.request)

    async def session(self) -> Session:
        """The session of the token; it raises what `known_session` raises."""
        return await known_session(self.request, self.gateway, self.credentials)

    def bound(self) -> Key | None:
        """What the session is bound to, once that is known."""
        return bound_to(self.request.scope)
