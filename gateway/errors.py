"""Errors as the patient's browser gets them: a code, a sentence that says what to do, and always the safety card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from aftercare.protocol import Key
from gateway.patient_copy import PatientCopies, PatientCopy
from gateway.records.sealing import SealError
from gateway.settings import EmbedKey

_log = structlog.get_logger(__name__)
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "not_found", 413: "too_long"}


class RefusedError(Exception):
    """A request that is refused.

    Args:
        status: the HTTP status.
        code: the error's code, which has its sentence in wording.yml.
        answer: what the core says of the words that came with the request, if they hold a red flag.
    """

    def __init__(self, status: int, code: str, *, answer: Mapping[str, Any] | None = None, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.answer = answer
        self.headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}


class Block(BaseModel):
    """A paragraph and what it is for."""

    kind: str
    text: str


class Safety(BaseModel):
    """The safety card."""

    heading: str
    blocks: list[Block]


class ErrorBody(BaseModel):
    """An error."""

    error: str
    message: str
    safety: Safety
    answer: dict[str, Any] | None = None


def error_body(copy: PatientCopy, code: str, answer: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The body of an error's answer."""
    body: dict[str, Any] = {"error": code, "message": copy.error(code), "safety": copy.safety()}
    return {**body, "answer": dict(answer)} if answer else body


def handle_errors(app: FastAPI, copies: PatientCopies, embed_keys: Mapping[str, EmbedKey]) -> None:
    """Give every error its words, and never a stack trace.

    Args:
        app: whose errors.
        copies: the words of every protocol: of the one that the request is about, else of the default.
        embed_keys: what a request can name.
    """

    def respond(
        request: Request, status: int, code: str, headers: Mapping[str, str] | None = None, answer: Mapping[str, Any] | None = None
    ) -> JSONResponse:
        return JSONResponse(error_body(copies.of(bound_to(request.scope)), code, answer), status, headers)

    @app.exception_handler(RefusedError)
    async def refused(request: Request, problem: RefusedError) -> JSONResponse:
        return respond(request, problem.status, problem.code, problem.headers, problem.answer)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        named = error.body.get("key") if isinstance(error.body, dict) else None
        if isinstance(named, str) and named in embed_keys:
            bind(request, embed_keys[named].bound)
        return respond(request, 422, "bad_request")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return respond(request, error.status_code, _CODES.get(error.status_code, "bad_request"), error.headers)

    @app.exception_handler(SQLAlchemyError)
    async def database(request: Request, error: SQLAlchemyError) -> JSONResponse:
        _log.error("records failed", error=type(error).__name__)
        return respond(request, 503, "not_stored")

    @app.exception_handler(SealError)
    async def sealing(request: Request, error: SealError) -> JSONResponse:
        _log.error("records cannot be sealed", reason=str(error))
        return respond(request, 503, "not_stored")


def bind(request: Request, key: Key) -> None:
    """Remember what a request is about, for the words of its errors.

    Args:
        request: the request.
        key: the id of a protocol and the code of a language.
    """
    request.state.bound = key


def bound_to(scope: Scope) -> Key | None:
    """What `bind` remembered of a request; None when it is not known."""
    found: Key | None = scope.get("state", {}).get("bound")
    return found
