"""What every request passes through: request ids, size limit, security headers, figures and the log line."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_body
from gateway.metrics import REQUESTS
from gateway.settings import LARGEST_BODY
from gateway.voice import Voice

_log = structlog.get_logger(__name__)
_QUIET = ("/healthz", "/readyz")
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
_HSTS = "max-age=63072000; includeSubDomains"


class TooLargeError(Exception):
    """A body beyond the limit."""


class Entrance:
    """The outermost layer of the gateway.

    Args:
        app: what it leads to.
        voice: the clinic's words.
        secure: patients come by HTTPS.
    """

    def __init__(self, app: ASGIApp, voice: Voice, *, secure: bool) -> None:
        self._app = app
        self._too_large = json.dumps(error_body(voice, "too_long")).encode()
        self._headers: Mapping[str, str] = {**_HEADERS, "strict-transport-security": _HSTS} if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, received = time.monotonic(), 500, 0
        request_id = uuid4().hex[:16]

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                raise TooLargeError
            return message

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if headers["content-security-policy"] != _POLICY:
                    del headers["x-frame-options"]
                headers["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, limited, with_headers)
            except TooLargeError:
                await with_headers({"type": "http.response.start", "status": 413, "headers": [(b"content-type", b"application/json")]})
                await with_headers({"type": "http.response.body", "body": self._too_large})
            finally:
                route = getattr(scope.get("route"), "path", "none")
                REQUESTS.labels(route, status).inc()
                if route not in _QUIET:
                    ms = round((time.monotonic() - started) * 1000)
                    _log.info("request", method=scope["method"], route=route, status=status, ms=ms)
