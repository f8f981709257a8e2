"""The replay's page: which conversations would come out otherwise with another protocol."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from aftercare.protocol import ProtocolError, known_folders, reload_protocol
from gateway.console.access import TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.replay import Replay, UnmatchedError, newest, parse_numbers
from gateway.console.services import ConsoleServices
from gateway.records.store import Records

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having("replay"))]
_MOST = 500
_LONGEST_DAYS = 366
_one_at_a_time = Lock()


@router.get("/replay")
async def replay_page(request: Request, services: TheServices, visitor: _Visitor) -> Response:
    """What to replay."""
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_REPLAY, staff=visitor.id)
    return _page(request, services, visitor)


@router.post("/replay")
async def run(
    request: Request,
    services: TheServices,
    visitor: _Visitor,
    candidate: Annotated[str, Form(max_length=100)],
    days: Annotated[str, Form(max_length=4)] = "",
    cases: Annotated[str, Form(max_length=4_000)] = "",
) -> Response:
    """Replay conversations, and show what differs."""
    folder = known_folders().get(candidate)
    if folder is None:
        raise TurnedAwayError(422, "bad_request", visitor.login)
    chosen: dict[str, Any] = {"chosen": candidate, "days": days, "cases": cases}
    try:
        numbers = await asyncio.to_thread(_numbers, services.records, days, cases)
    except ValueError:
        problem = f"Give case numbers with commas between them, or a number of days from 1 to {_LONGEST_DAYS}."
        return _page(request, services, visitor, 422, problem=problem, **chosen)
    if not _one_at_a_time.acquire(blocking=False):
        raise TurnedAwayError(409, "replay_busy", visitor.login)
    try:
        candidate_protocol = await asyncio.to_thread(reload_protocol, folder)
        report = await asyncio.to_thread(lambda: Replay(services.records, services.library, candidate_protocol).run(numbers[:_MOST]))
    except ProtocolError as error:
        return _page(request, services, visitor, 422, problem="This protocol has mistakes.", mistakes=str(error).splitlines(), **chosen)
    except UnmatchedError as error:
        return _page(request, services, visitor, 422, problem=str(error), **chosen)
    finally:
        _one_at_a_time.release()
    await asyncio.to_thread(services.audit_log.record, AuditAct.REPLAY, staff=visitor.id, detail=report.audited)
    return _page(request, services, visitor, report=report, cut=len(numbers) > _MOST, **chosen)


def _numbers(records: Records, days: str, cases: str) -> list[int]:
    """The cases that the form names: by number, else those of the last days.

    Raises:
        ValueError: it names them in no known way.
    """
    if cases.strip():
        return parse_numbers(cases)
    number = int(days)
    if not 1 <= number <= _LONGEST_DAYS:
        raise ValueError(days)
    return newest(records.engine, records.clock() - timedelta(days=number), _MOST + 1)


def _page(request: Request, services: ConsoleServices, visitor: Visitor, status: int = 200, **values: Any) -> Response:
    new: dict[str, Any] = {"problem": "", "mistakes": [], "report": None, "cut": False, "days": "30", "cases": ""}
    fixed = {"folders": sorted(known_folders()), "most": _MOST, "longest": _LONGEST_DAYS}
    return services.renderer.page(
        request, "replay.html", visitor.login, status, **{**new, "chosen": services.library.default.id, **values, **fixed}
    )
