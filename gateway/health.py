"""Whether the gateway is alive, and whether it can store; for load balancers and supervisors."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.metrics import RASA_UP
from gateway.patient.access import Gateway
from gateway.records.database import is_current, try_to_write

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(gateway: Gateway, response: Response) -> dict[str, str]:
    """Ready when messages can be stored; that the core answers without Rasa, and that a proxy is not trusted, is only reported."""
    try:
        stores = await asyncio.to_thread(_stores, gateway.records.engine)
    except SQLAlchemyError:
        stores = False
    there, expected = await gateway.rasa.up()
    RASA_UP.set(there)
    response.status_code = 200 if stores else 503
    rasa = "ok" if there == expected else "partly" if there else "down"
    return {"records": "ok" if stores else "down", "rasa": rasa, "proxies": gateway.proxies.problem() or "ok"}


def _stores(engine: Engine) -> bool:
    """Whether the records are this release's; what cannot be written raises."""
    if not is_current(engine):
        return False
    try_to_write(engine)
    return True
