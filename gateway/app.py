"""Puts the gateway together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.cors import CORSMiddleware

from aftercare.protocol import Protocol
from aftercare.respond import Assistant
from gateway import health
from gateway.console.app import make_console
from gateway.console.desk import make_desk
from gateway.dialogue.answering import Answering
from gateway.dialogue.core import Core
from gateway.dialogue.rasa import Rasa
from gateway.errors import handle_errors
from gateway.limiting import Limiter
from gateway.live import Bell
from gateway.pages import Pages
from gateway.patient import api
from gateway.records.database import THREADS, connect
from gateway.records.sealing import Keyring
from gateway.records.store import Clock, Records, utc_now
from gateway.services import Services
from gateway.settings import Settings
from gateway.voice import Voice
from gateway.web import Entrance, Net

_log = structlog.get_logger(__name__)
_LOOK_FOR_UNANSWERED_SECONDS = 5.0


def create_app(settings: Settings, protocol: Protocol, rasa: Rasa | None = None, clock: Clock = utc_now) -> FastAPI:
    """The gateway as an ASGI application.

    Args:
        settings: checked settings.
        protocol: the clinic's protocol.
        rasa: tests may bring their own.
        clock: tells the time.
    """
    voice, bell, core = Voice(protocol), Bell(), Core(Assistant(protocol))
    records = Records(connect(settings.records_url), Keyring(settings.master_keys), clock)
    rasa = rasa or Rasa(settings.rasa_url)
    answering = Answering(records, core, rasa, bell)
    services = Services(settings, core, voice, records, rasa, answering, Limiter(settings), bell)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "records"))
        watch = asyncio.create_task(_watch(answering))
        try:
            yield
        finally:
            watch.cancel()
            bell.silence()
            await answering.finish()
            await rasa.close()
            records.engine.dispose()

    app = FastAPI(
        title="Aftercare patient API",
        version="1",
        description="Chats of patients after a vertebroplasty. Every error carries the safety card.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.services = services
    handle_errors(app, voice)
    app.include_router(api.router)
    app.include_router(api.streaming)
    app.include_router(health.router)
    app.include_router(Pages(settings, voice).router())
    app.mount("/console", make_console(make_desk(settings, protocol, records)))
    app.add_middleware(Net, voice=voice)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted({origin for key in settings.embed_keys.values() for origin in key.origins}),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        expose_headers=["Retry-After", "X-Request-ID"],
    )
    app.add_middleware(Entrance, voice=voice, secure=settings.secure)
    return app


async def _watch(answering: Answering) -> None:
    """Answer what another process left unanswered, also when nobody waits for it."""
    while True:
        try:
            await answering.recover()
        except SQLAlchemyError as error:
            _log.error("could not look for unanswered messages", error=type(error).__name__)
        await asyncio.sleep(_LOOK_FOR_UNANSWERED_SECONDS)
