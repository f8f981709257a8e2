"""One case: what a nurse reads, and what they do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.case_view import Act, CaseView, CaseViews
from gateway.console.cases.explained import Complaint
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.cases.rows import Row
from gateway.console.cases.transcript import Entry
from gateway.console.errors import ActError, NoCaseError
from gateway.console.identity.break_glass import BreakGlass
from gateway.console.identity.rights import may
from gateway.console.pages.case_labels import ACCEPTED_NAMES, HOW_NAMES, KIND_NAMES, ROW_NAMES, STATUS_NAMES
from gateway.console.redaction.mark import Mark
from gateway.console.services import ConsoleServices
from gateway.records.tier import TIERS

router = APIRouter(prefix="/cases/{number}")
_EARLIER = ("resolved", "historical")
_SNOOZES = (15, 30, 60, 120, 240, 720, 1440)

_Reader = Annotated[Visitor, Depends(having("see_case", "break_glass"))]


def case_number(number: str) -> int:
    """The case's number in an address.

    Raises:
        TurnedAwayError: 404, it is none.
    """
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise TurnedAwayError(404, "not_found")
    return int(number)


CaseNumber = Annotated[int, Depends(case_number)]


@dataclass(frozen=True)
class Note:
    """A note of a nurse, each of its versions, the first one first."""

    id: int
    who: str
    versions: tuple[Act, ...]


@router.get("")
async def case_page(request: Request, services: TheServices, visitor: _Reader, number: CaseNumber) -> Response:
    """The case; who may break the glass is asked for a reason first."""
    return await show_case(request, services, visitor, number, "case.html")


@router.get("/print")
async def print_page(request: Request, services: TheServices, visitor: _Reader, number: CaseNumber) -> Response:
    """The case for paper: one page, with who printed it, and when."""
    return await show_case(request, services, visitor, number, "case_print.html", AuditAct.PRINT_CASE)


@router.post("/reveal")
async def reveal(
    request: Request, services: TheServices, visitor: Annotated[Visitor, Depends(having("see_case"))], number: CaseNumber
) -> Response:
    """The case with the telephone numbers in it."""
    phones = await asyncio.to_thread(_reveal, services, visitor, number)
    return await show_case(request, services, visitor, number, "case.html", phones=phones)


@router.post("/break-glass")
async def break_glass(
    request: Request,
    services: TheServices,
    visitor: Annotated[Visitor, Depends(having("break_glass"))],
    number: CaseNumber,
    reason: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Open this one case for a while."""
    try:
        await asyncio.to_thread(BreakGlass(services.records, services.policy, services.audit_log).grant, number, visitor.id, reason)
    except NoCaseError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except ActError as error:
        return _ask_for_reason(request, services, visitor, number, error.status, str(error))
    return RedirectResponse(f"{BASE}/cases/{number}", 303)


async def show_case(
    request: Request,
    services: ConsoleServices,
    visitor: Visitor,
    number: int,
    template: str,
    act: AuditAct = AuditAct.VIEW_CASE,
    *,
    status: int = 200,
    problem: str = "",
    phones: tuple[str, ...] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a case, on record as seen.

    Args:
        request: what is answered.
        services: the console's parts.
        visitor: who sees it; who has to break the glass first is asked for a reason instead.
        number: the case.
        template: its file under templates/.
        act: what the audit calls it.
        status: the HTTP status.
        problem: why an act is refused.
        phones: telephone numbers to be shown.
        typed: what was typed into the form of the refused act.

    Raises:
        TurnedAwayError: 404, there is no such case.
    """
    view, until = await asyncio.to_thread(_opened, services, visitor, number, act)
    if view is None:
        return _ask_for_reason(request, services, visitor, number, 403)
    shown = await asyncio.to_thread(_shown, services, view)
    return services.renderer.page(
        request, template, visitor.login, status, **shown, glass_until=until, acts=visitor.may("act"), problem=problem, phones=phones,
        typed=typed or {},
    )  # fmt: skip


def _ask_for_reason(request: Request, services: ConsoleServices, visitor: Visitor, number: int, status: int, problem: str = "") -> Response:
    """The page of a case to somebody who has to break the glass first."""
    policy, reason = services.policy, services.renderer.reason("glass")
    return services.renderer.page(
        request, "glass.html", visitor.login, status, number=number, reasons=policy.reasons, span=policy.break_glass, reason=reason,
        problem=problem,
    )  # fmt: skip


def _opened(services: ConsoleServices, visitor: Visitor, number: int, act: AuditAct) -> tuple[CaseView | None, datetime | None]:
    """The case, on record as seen, and until when the glass is broken; no case for somebody who has to break it first."""
    until = None
    if not visitor.may("see_case"):
        if Queue(services.records.engine, services.policy, services.records.clock).one(number) is None:
            raise TurnedAwayError(404, "not_found", visitor.login)
        until = BreakGlass(services.records, services.policy, services.audit_log).until(number, visitor.id)
        if until is None:
            services.audit_log.record(AuditAct.REFUSED, staff=visitor.id, case=number, detail={"right": "see_case"})
            return None, None
    view = CaseViews(services.records, services.library, services.policy).read(number)
    if view is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    services.audit_log.record(act, staff=visitor.id, case=number, detail={"break_glass": True} if until else {})
    return view, until


def _reveal(services: ConsoleServices, visitor: Visitor, number: int) -> tuple[str, ...]:
    if Queue(services.records.engine, services.policy, services.records.clock).one(number) is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    phones = tuple(CaseViews(services.records, services.library, services.policy).phones(number))
    services.audit_log.record(AuditAct.REVEAL_PHONE, staff=visitor.id, case=number, detail={"phones": len(phones)})
    return phones


def _shown(services: ConsoleServices, view: CaseView) -> dict[str, Any]:
    people = services.book.everybody()
    deciding = view.complaints[0] if view.complaints else None
    return {
        "view": view,
        "finding_label": services.renderer.finding_labels(view.bound),
        "row": view.row,
        "deciding": deciding,
        "decided": _decided(view, deciding),
        "groups": [(status, found) for status in STATUS_NAMES if (found := [each for each in view.findings if each.status == status])],
        "earlier": [finding for finding in view.findings if finding.status in _EARLIER],
        "notes": _notes(view.acts),
        "names": {person.id: person.name for person in people},
        "team": [person for person in people if not person.disabled and may(person.role, "act")],
        "waiting": next_waiting(services, view.row.id),
        "outcomes": services.policy.outcomes,
        "reasons": services.policy.reasons,
        "statuses": STATUS_NAMES,
        "row_names": ROW_NAMES,
        "how_names": HOW_NAMES,
        "tier_of": TIERS,
        "kind_names": KIND_NAMES,
        "accepted_names": ACCEPTED_NAMES,
        "snoozes": [(minutes, timedelta(minutes=minutes)) for minutes in _SNOOZES],
        "pieces": pieces,
        "head": str(services.audit_log.head()),
    }


def _decided(view: CaseView, deciding: Complaint | None) -> Entry | None:
    """The answer that decided the tier, else the last answer."""
    answers = [entry for entry in view.entries if entry.who == "assistant"]
    return next((entry for entry in answers if deciding and deciding.rule in entry.rules), answers[-1] if answers else None)


def _notes(acts: tuple[Act, ...]) -> list[Note]:
    return [
        Note(note.id, note.who, (note, *(act for act in acts if act.kind == "amend" and act.facts["amends"] == note.id)))
        for note in acts
        if note.kind == "note"
    ]


def next_waiting(services: ConsoleServices, number: int) -> Row | None:
    """The most urgent other case that nobody has acknowledged."""
    waiting = Queue(services.records.engine, services.policy, services.records.clock).page(Filter(only="unacknowledged"), size=2).rows
    return next((row for row in waiting if row.id != number), None)


def pieces(entry: Entry) -> list[tuple[str, Mark | None]]:
    """A message in pieces: words with the mark that stands on them, and those between."""
    text, position, found = entry.text or "", 0, list[tuple[str, Mark | None]]()
    for mark in entry.marks:
        if mark.start >= position:
            found += [(text[position : mark.start], None), (text[mark.start : mark.end], mark)]
            position = mark.end
    return [(words, mark) for words, mark in [*found, (text[position:], None)] if words]
