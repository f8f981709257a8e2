"""How every act on a case is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TurnedAwayError, Visitor, having
from gateway.console.cases.queue import Queue
from gateway.console.errors import ActError, NoCaseError
from gateway.console.pages.case import show_case
from gateway.console.pages.case_content import next_waiting
from gateway.console.services import ConsoleServices

_HX = "hx-request"
Whole = Annotated[int, Form(ge=0, lt=2**31)]
Nurse = Annotated[Visitor, Depends(having("act"))]
Key = Annotated[str, Form(max_length=32)]
Written = Annotated[str, Form(max_length=4_000)]


async def do(request: Request, services: ConsoleServices, visitor: Visitor, number: int, done: str, act: Callable[[], object]) -> Response:
    """Do something with a case: a line of text for the queue's keys, else back to the case, or the case with why it is refused.

    Args:
        request: what is answered.
        services: the console's parts.
        visitor: who acts.
        number: the case.
        done: what is said when it is done.
        act: does it; it raises ActError where it is refused.

    Raises:
        TurnedAwayError: 404, there is no such case.
    """
    try:
        await asyncio.to_thread(act)
    except NoCaseError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except ActError as error:
        if _HX in request.headers:
            return services.renderer.page(request, "refusal.html", None, error.status, reason=str(error))
        form = await request.form()
        typed = {"act": request.url.path.rsplit("/", 1)[1], **{name: " ".join(map(str, form.getlist(name))) for name in form}}
        return await show_case(request, services, visitor, number, "case.html", status=error.status, problem=str(error), typed=typed)
    conversation = await asyncio.to_thread(Queue(services.records.engine, services.policy, services.records.clock).conversation, number)
    services.outbound.publish(conversation)
    if _HX in request.headers:
        waiting = await asyncio.to_thread(next_waiting, services, number)
        return services.renderer.page(request, "told.html", None, done=done, number=number, waiting=waiting)
    return RedirectResponse(f"{BASE}/cases/{number}", 303)
