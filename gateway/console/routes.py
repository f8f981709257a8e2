"""Puts the console together: an application of its own under /console, with its own errors and its own guard at the door."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Scope

from gateway.console.access import BASE, TurnedAwayError
from gateway.console.identity.sessions import COOKIE
from gateway.console.pages import routers
from gateway.console.services import ConsoleServices
from gateway.web import ErrorBoundary

_log = structlog.get_logger(__name__)
_FAILED = 500
_NOT_KEPT = ("csrf", "password")
_TYPED_AGAIN = ("old", "again", "code")
"""Passwords and codes of a form about one's own account: no page repeats them, so the form is filled in anew."""


def make_console(services: ConsoleServices) -> ASGIApp:
    """The console as an ASGI application, to be mounted under /console."""
    app = FastAPI(title="Aftercare console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    _handle_errors(app, services)
    for router in routers():
        app.include_router(router)
    app.add_middleware(ErrorBoundary, event="console failed", answer=partial(_failed, services))
    return app


def _failed(services: ConsoleServices, scope: Scope) -> Response:
    return services.renderer.page(Request(scope), "refused.html", None, _FAILED, reason=services.renderer.reason("failed"))


def _handle_errors(app: FastAPI, services: ConsoleServices) -> None:
    def refusal(request: Request, status: int, reason: str, error: Exception | None = None) -> Response:
        login = error.login if isinstance(error, TurnedAwayError) else None
        if "hx-request" in request.headers:
            return services.renderer.page(request, "refusal.html", None, status, reason=services.renderer.reason(reason))
        return services.renderer.page(request, "refused.html", login, status, reason=services.renderer.reason(reason))

    @app.exception_handler(TurnedAwayError)
    async def turned_away(request: Request, error: TurnedAwayError) -> Response:
        if error.status == 401 and request.method == "GET" and "hx-request" not in request.headers:
            return RedirectResponse(f"{BASE}/login?next={quote(request.url.path)}", 303)
        if error.status == 423 and "hx-request" not in request.headers:
            form = [] if request.method == "GET" else (await request.form()).multi_items()
            anew = any(key in _TYPED_AGAIN for key, _ in form)
            draft = [] if anew else [(key, str(value)) for key, value in form if key not in _NOT_KEPT]
            then, write = (f"{BASE}/me", False) if anew else (request.url.path, request.method == "POST")
            return services.renderer.page(request, "locked.html", error.login, 423, then=then, draft=draft, problem="", write=write)
        response = refusal(request, error.status, error.reason, error)
        if error.status == 401 and COOKIE in request.cookies:
            response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        in_address = any(problem["loc"][0] == "path" for problem in error.errors())
        return refusal(request, 404, "not_found") if in_address else refusal(request, 422, "bad_request")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return refusal(request, error.status_code, "not_found" if error.status_code in (404, 405) else "bad_request")

    @app.exception_handler(SQLAlchemyError)
    async def database(request: Request, error: SQLAlchemyError) -> Response:
        _log.error("records failed", error=type(error).__name__)
        return refusal(request, 503, "not_stored")
