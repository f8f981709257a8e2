"""What every request passes through: request ids, size limit, security headers, figures and the log line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import bound_to, error_body
from gateway.metrics import REQUESTS
from gateway.patient_copy import PatientCopies, PatientCopy
from gateway.settings import LARGEST_BODY

_log = structlog.get_logger(__name__)
_QUIET = ("/healthz", "/readyz")
_CONSOLE = "/console"
_NO_FRAME = "frame-ancestors 'none'"
_POLICY = f"default-src 'none'; base-uri 'none'; form-action 'none'; {_NO_FRAME}"
_NO_STORE = "no-store"
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": _NO_STORE,
}
_HSTS = "max-age=63072000; includeSubDomains"


class RequestMiddleware:
    """The outermost layer of the gateway.

    Args:
        app: what it leads to.
        copy: the clinic's words.
        secure: patients come by HTTPS.
    """

    def __init__(self, app: ASGIApp, copy: PatientCopy, *, secure: bool) -> None:
        self._app = app
        self._too_large = JSONResponse(error_body(copy, "too_long"), 413)
        self._headers: Mapping[str, str] = {**_HEADERS, "strict-transport-security": _HSTS} if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500
        request_id = uuid4().hex[:16]

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/event-stream"):
                    headers["cache-control"] = _NO_STORE
                if _NO_FRAME not in headers["content-security-policy"]:
                    del headers["x-frame-options"]
                headers["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                body = await _body(receive)
                if body is None:
                    await self._too_large(scope, receive, with_headers)
                else:
                    await self._app(scope, _replaying(body, receive), with_headers)
            finally:
                route = getattr(scope.get("route"), "path", "none")
                REQUESTS.labels(route, status).inc()
                if route not in _QUIET:
                    ms = round((time.monotonic() - started) * 1000)
                    _log.info("request", method=scope["method"], route=route, status=status, ms=ms)


class ErrorBoundary:
    """The innermost layer: whatever is raised becomes an answer, with all headers, and never a stack trace.

    Args:
        app: what it stands around.
        event: what the log calls a failure.
        answer: the answer to a request that failed.
    """

    def __init__(self, app: ASGIApp, event: str, answer: Callable[[Scope], Response]) -> None:
        self._app = app
        self._event = event
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        begun = False

        async def noticing(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noticing)
        except Exception as error:
            _log.error(self._event, error=type(error).__name__)
            if begun or scope["type"] != "http":
                raise
            await self._answer(scope)(scope, receive, send)


def safety_card(copies: PatientCopies, scope: Scope) -> Response:
    """What a patient's page gets where a request failed."""
    return JSONResponse(error_body(copies.of(bound_to(scope)), "internal"), 500)


class Hosts:
    """Where the console has an address of its own: nothing else answers there, and the console answers nowhere else.

    Args:
        app: what it leads to.
        copy: the clinic's words.
        console: the origins of the console.
    """

    def __init__(self, app: ASGIApp, copy: PatientCopy, console: Sequence[str]) -> None:
        self._app = app
        self._hosts = {_host(origin) for origin in console}
        self._not_here = JSONResponse(error_body(copy, "not_found"), 404)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["path"] not in _QUIET:
            is_console = f"{scope['path']}/".startswith(f"{_CONSOLE}/")
            if is_console != (_host(f"//{Headers(scope=scope).get('host', '')}") in self._hosts):
                await self._not_here(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host(origin: str) -> str:
    """The host of an origin in small letters, with its port unless that is the usual one."""
    host = origin.partition("//")[2].lower()
    return host.removesuffix(":443").removesuffix(":80")


async def _body(receive: Receive) -> bytes | None:
    """The request's body, or None when it is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY:
            return None
    return body


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Hands the body over once, and then what else comes."""
    handed = False

    async def replay() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
