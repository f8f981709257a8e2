"""Puts the gateway together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Lifespan

from aftercare.assistant import Assistants
from aftercare.protocol import Library
from gateway import health
from gateway.console.cases.holds import Holds
from gateway.console.notify.delivery import NoticeDelivery
from gateway.console.notify.escalation import Escalation
from gateway.console.routes import make_console
from gateway.console.services import ConsoleServices, make_console_services
from gateway.contact.follow_ups import FollowUps
from gateway.dialogue.answering import Answering
from gateway.dialogue.core import Core
from gateway.dialogue.rasa import Rasa
from gateway.errors import handle_errors
from gateway.limiting import Limiter
from gateway.live import EventBus
from gateway.metrics import WATCHED
from gateway.network import Groups, Peers, Proxies
from gateway.pages import Pages
from gateway.patient import api
from gateway.patient_copy import PatientCopies
from gateway.records.database import THREADS, connect
from gateway.records.store import Clock, Records, utc_now
from gateway.services import Services
from gateway.settings import Settings
from gateway.web import ErrorBoundary, Hosts, RequestMiddleware, safety_card
from readers.pool import Readers

_log = structlog.get_logger(__name__)
_LOOK_FOR_UNANSWERED_SECONDS = 5.0
_ESCALATE_SECONDS = 5.0
_ANCHOR_SECONDS = 3_600.0


def create_app(
    settings: Settings, library: Library, rasa: Rasa | None = None, clock: Clock = utc_now, readers: Readers | None = None
) -> FastAPI:
    """The gateway as an ASGI application.

    Args:
        settings: checked settings.
        library: the protocols in force.
        rasa: tests may bring their own.
        clock: tells the time.
        readers: where the core can be stopped; tests may bring their own.
    """
    readers = readers or Readers(library)
    readers.start()
    services = _make_services(settings, library, rasa or Rasa(settings.rasa_urls), clock, readers)
    console = make_console_services(settings, library, services.records, services.event_bus)
    app = FastAPI(
        title="Aftercare patient API",
        version="1",
        description="Chats of patients after a procedure. Every error carries the safety card.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_lifespan(services, console, clock, readers),
    )
    app.state.services = services
    handle_errors(app, services.copies, settings.embed_keys)
    app.include_router(api.router)
    app.include_router(api.streaming)
    app.include_router(health.router)
    app.include_router(Pages(settings, services.copies, clock).router())
    app.mount("/console", make_console(console))
    _add_middleware(app, services)
    return app


def _make_services(settings: Settings, library: Library, rasa: Rasa, clock: Clock, readers: Readers) -> Services:
    copies, event_bus, core = PatientCopies(library), EventBus(), Core(Assistants(library), readers, clock)
    synthetic = frozenset(key.name for key in settings.embed_keys.values() if key.synthetic)
    records = Records(connect(settings.records_url), settings.keyring, clock, synthetic, settings.policy.signals)
    answering = Answering(records, core, rasa, event_bus, settings.policy.contact.region)
    proxies = Proxies(settings)
    return Services(settings, core, copies, records, rasa, answering, Limiter(settings), event_bus, proxies, Groups(settings, proxies))


def _lifespan(services: Services, console: ConsoleServices, clock: Clock, readers: Readers) -> Lifespan[FastAPI]:
    """What runs beside the requests, from start to stop; at the stop everything is closed."""
    settings, records = services.settings, services.records
    escalation = Escalation(records, settings, console.audit_log, console.clinic)
    holds, follow_ups = Holds(records, console.audit_log, console.library), FollowUps(records, console.library, settings.policy.contact)
    outbox = NoticeDelivery(records.engine, settings, clock, console.clinic)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if not any(step.email or step.webhook for step in settings.policy.rota):
            _log.warning("the rota reaches nobody; name e-mail addresses or webhooks in AFTERCARE_POLICY")
        services.proxies.warn()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "records"))
        repeated = (escalation.look, outbox.deliver_one, holds.release, follow_ups.look)
        work = (_watch(services.answering), *map(_repeat, repeated), _anchor(console))
        await asyncio.to_thread(readers.warm)
        watches = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            services.event_bus.close()
            await services.answering.finish()
            await services.rasa.close()
            readers.close()
            records.engine.dispose()

    return lifespan


def _add_middleware(app: FastAPI, services: Services) -> None:
    """What every request passes before the routes; what is added last comes first."""
    settings, copies = services.settings, services.copies
    if settings.console_origins != settings.public_origins:
        app.add_middleware(Hosts, copy=copies.of(), console=settings.console_origins)
    app.add_middleware(ErrorBoundary, event="request failed", answer=partial(safety_card, copies))
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted({origin for key in settings.embed_keys.values() for origin in key.origins}),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        expose_headers=["Retry-After", "X-Request-ID"],
    )
    app.add_middleware(RequestMiddleware, copy=copies.of(), secure=settings.secure)
    app.add_middleware(Peers, proxies=services.proxies)


async def _watch(answering: Answering) -> None:
    """Answer what another process left unanswered, also when nobody waits for it, and follow up on interviews that were broken off."""
    while True:
        try:
            await answering.recover()
            await answering.follow_up()
        except SQLAlchemyError as error:
            _log.error("could not look for what was left", error=type(error).__name__)
        await asyncio.sleep(_LOOK_FOR_UNANSWERED_SECONDS)


async def _repeat(work: Callable[[], int]) -> None:
    """Do something again and again: at once as long as it finds something to do, else after a while."""
    while True:
        found = 0
        try:
            found = await asyncio.to_thread(work)
            WATCHED.labels(work.__name__).set_to_current_time()
        except Exception as error:
            _log.error("console's watch failed", work=work.__name__, error=type(error).__name__)
        if not found:
            await asyncio.sleep(_ESCALATE_SECONDS)


async def _anchor(console: ConsoleServices) -> None:
    """Put the end of the audit into the log, which is kept elsewhere, so that cutting entries off does not go unseen.

    The accounts are looked at too; one that somebody changed in the database is reported.
    """
    while True:
        try:
            _log.info("audit head", head=str(await asyncio.to_thread(console.audit_log.head)))
            await asyncio.to_thread(console.book.everybody)
        except SQLAlchemyError as error:
            _log.error("could not read the end of the audit", error=type(error).__name__)
        await asyncio.sleep(_ANCHOR_SECONDS)
