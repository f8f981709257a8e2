"""One case: what a nurse reads, and what they do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheDesk, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.acts import Acts
from gateway.console.cases.disagreements import FAQ, Disagreements
from gateway.console.cases.explained import Complaint
from gateway.console.cases.queue import Filter, Queue, Row
from gateway.console.cases.sheet import Act, Entry, Sheet, Sheets
from gateway.console.desk import Desk
from gateway.console.errors import ActError, NoCaseError
from gateway.console.identity.break_glass import Glass
from gateway.console.identity.rights import may
from gateway.console.redaction.mark import Mark
from gateway.records.tier import TIERS

router = APIRouter(prefix="/cases/{number}")
STATUS_NAMES = {
    "present": "present",
    "assumed": "assumed: not answered",
    "absent": "denied",
    "hypothetical": "supposed",
    "historical": "in the past",
    "resolved": "gone now",
    "other_person": "somebody else",
}
KIND_NAMES = {
    "under_triaged": "Under-triaged: it is more urgent",
    "over_triaged": "Over-triaged: it is less urgent",
    "wrong_finding": "Wrong finding",
    "misunderstood": "Misunderstood",
}
ACCEPTED_NAMES = {
    "emergency": "Emergency",
    "call_doctor": "Call doctor",
    "self_care": "Self-care",
    "ask": "A question to the patient",
    "not_in_leaflet": "The leaflet does not say",
    "chat": "Talk",
    "out_of_scope": "Not its subject",
}
ROW_NAMES = {"asked": "Waits for an answer", "yes": "Yes", "no": "No", "not_sure": "Not sure", "left": "Shown but left"}
HOW_NAMES = {"tap": " by tap", "words": " by words", "": ""}
_EARLIER = ("resolved", "historical")
_SNOOZES = (15, 30, 60, 120, 240, 720, 1440)
_HX = "hx-request"

_Reader = Annotated[Visitor, Depends(having("see_case", "break_glass"))]
_Nurse = Annotated[Visitor, Depends(having("act"))]
_Key = Annotated[str, Form(max_length=32)]
_Written = Annotated[str, Form(max_length=4_000)]
_Number = Annotated[int, Form(ge=0, lt=2**31)]


def case_number(number: str) -> int:
    """The case's number in an address.

    Raises:
        TurnedAwayError: 404, it is none.
    """
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise TurnedAwayError(404, "not_found")
    return int(number)


_Case = Annotated[int, Depends(case_number)]


@dataclass(frozen=True)
class Note:
    """A note of a nurse, each of its versions, the first one first."""

    id: int
    who: str
    versions: tuple[Act, ...]


@router.get("")
async def case_page(request: Request, desk: TheDesk, visitor: _Reader, number: _Case) -> Response:
    """The case; who may break the glass is asked for a reason first."""
    return await _page(request, desk, visitor, number, "case.html")


@router.get("/print")
async def print_page(request: Request, desk: TheDesk, visitor: _Reader, number: _Case) -> Response:
    """The case for paper: one page, with who printed it, and when."""
    return await _page(request, desk, visitor, number, "case_print.html", AuditAct.PRINT_CASE)


@router.post("/acknowledge")
async def acknowledge(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, seen: _Number) -> Response:
    """Acknowledge."""
    return await _act(request, desk, visitor, number, "Acknowledged", lambda acts: acts.acknowledge(number, visitor.id, seen))


@router.post("/assign")
async def assign(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, to: _Number = 0) -> Response:
    """Assign to somebody, 0 for nobody."""
    return await _act(request, desk, visitor, number, "Assigned", lambda acts: acts.assign(number, visitor.id, to or None))


@router.post("/note")
async def note(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, text: _Written = "") -> Response:
    """Write a note."""
    return await _act(request, desk, visitor, number, "Noted", lambda acts: acts.note(number, visitor.id, text))


@router.post("/amend")
async def amend(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, note: _Number, text: _Written = "") -> Response:
    """Write a note anew."""
    return await _act(request, desk, visitor, number, "Noted", lambda acts: acts.amend(number, visitor.id, note, text))


@router.post("/snooze")
async def snooze(
    request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, seen: _Number, minutes: _Number, reason: _Written = ""
) -> Response:
    """Snooze for some minutes."""
    until = desk.records.clock() + timedelta(minutes=minutes)
    return await _act(request, desk, visitor, number, "Snoozed", lambda acts: acts.snooze(number, visitor.id, seen, until, reason))


@router.post("/wake")
async def wake(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case) -> Response:
    """End the snooze."""
    return await _act(request, desk, visitor, number, "Back in the queue", lambda acts: acts.wake(number, visitor.id))


@router.post("/outcome")
async def outcome(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, outcome: _Key = "") -> Response:
    """Store a contact outcome; the case stays open."""
    return await _act(request, desk, visitor, number, "Stored", lambda acts: acts.outcome(number, visitor.id, outcome))


@router.post("/close")
async def close(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case, seen: _Number, outcome: _Key = "") -> Response:
    """Close with a contact outcome."""
    return await _act(request, desk, visitor, number, "Closed", lambda acts: acts.close(number, visitor.id, seen, outcome))


@router.post("/reopen")
async def reopen(request: Request, desk: TheDesk, visitor: _Nurse, number: _Case) -> Response:
    """Open a closed case again."""
    return await _act(request, desk, visitor, number, "Open again", lambda acts: acts.reopen(number, visitor.id))


@router.post("/reveal")
async def reveal(request: Request, desk: TheDesk, visitor: Annotated[Visitor, Depends(having("see_case"))], number: _Case) -> Response:
    """The case with the telephone numbers in it."""
    phones = await asyncio.to_thread(_reveal, desk, visitor, number)
    return await _page(request, desk, visitor, number, "case.html", phones=phones)


@router.post("/disagree")
async def disagree(
    request: Request,
    desk: TheDesk,
    visitor: Annotated[Visitor, Depends(having("disagree"))],
    number: _Case,
    seq: _Number,
    kind: _Key = "",
    topic: Annotated[str, Form(max_length=64)] = "",
    reason: _Written = "",
) -> Response:
    """Store a disagreement with an answer."""
    chosen = [str(each) for each in (await request.form()).getlist("accepted")]
    row = await asyncio.to_thread(Queue(desk.records.engine, desk.policy, desk.records.clock).one, number)
    topics = desk.library.bound(*row.bound).topics if row is not None else {}
    accepted = tuple(dict.fromkeys(chosen + [f"{FAQ}{topic}" for _ in range(topic in topics)]))
    add = Disagreements(desk.records, desk.trail).add
    return await _act(request, desk, visitor, number, "Stored", lambda _: add(number, visitor.id, seq, kind, accepted, reason))


@router.post("/break-glass")
async def break_glass(
    request: Request, desk: TheDesk, visitor: Annotated[Visitor, Depends(having("break_glass"))], number: _Case, reason: _Key = ""
) -> Response:
    """Open this one case for a while."""
    try:
        await asyncio.to_thread(Glass(desk.records, desk.policy, desk.trail).smash, number, visitor.id, reason)
    except NoCaseError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except ActError as error:
        return desk.renderer.page(
            request, "glass.html", visitor.login, error.status, number=number, reasons=desk.policy.reasons, span=desk.policy.break_glass,
            reason=desk.renderer.reason("glass"), problem=str(error),
        )  # fmt: skip
    return RedirectResponse(f"{BASE}/cases/{number}", 303)


async def _act(request: Request, desk: Desk, visitor: Visitor, number: int, done: str, act: Callable[[Acts], object]) -> Response:
    """Do something with a case: a line of text for the queue's keys, else back to the case, or the case with why it is refused."""
    try:
        await asyncio.to_thread(act, Acts(desk.records, desk.policy, desk.trail, desk.clinic))
    except NoCaseError:
        raise TurnedAwayError(404, "not_found", visitor.login) from None
    except ActError as error:
        if _HX in request.headers:
            return desk.renderer.page(request, "refusal.html", None, error.status, reason=str(error))
        form = await request.form()
        typed = {"act": request.url.path.rsplit("/", 1)[1], **{name: str(value) for name, value in form.items()}}
        return await _page(request, desk, visitor, number, "case.html", status=error.status, problem=str(error), typed=typed)
    if _HX in request.headers:
        waiting = await asyncio.to_thread(_next, desk, number)
        return desk.renderer.page(request, "told.html", None, done=done, number=number, waiting=waiting)
    return RedirectResponse(f"{BASE}/cases/{number}", 303)


async def _page(
    request: Request,
    desk: Desk,
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
    sheet, until = await asyncio.to_thread(_opened, desk, visitor, number, act)
    if sheet is None:
        return desk.renderer.page(
            request, "glass.html", visitor.login, 403, number=number, reasons=desk.policy.reasons, span=desk.policy.break_glass,
            reason=desk.renderer.reason("glass"), problem="",
        )  # fmt: skip
    shown = await asyncio.to_thread(_shown, desk, sheet)
    return desk.renderer.page(
        request, template, visitor.login, status, **shown, glass_until=until, acts=visitor.may("act"), problem=problem, phones=phones,
        typed=typed or {},
    )  # fmt: skip


def _opened(desk: Desk, visitor: Visitor, number: int, act: AuditAct) -> tuple[Sheet | None, datetime | None]:
    """The case, on record as seen, and until when the glass is broken; no case for somebody who has to break it first."""
    until = None
    if not visitor.may("see_case"):
        if Queue(desk.records.engine, desk.policy, desk.records.clock).one(number) is None:
            raise TurnedAwayError(404, "not_found", visitor.login)
        until = Glass(desk.records, desk.policy, desk.trail).until(number, visitor.id)
        if until is None:
            desk.trail.note(AuditAct.REFUSED, staff=visitor.id, case=number, detail={"right": "see_case"})
            return None, None
    sheet = Sheets(desk.records, desk.library, desk.policy).read(number)
    if sheet is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    desk.trail.note(act, staff=visitor.id, case=number, detail={"break_glass": True} if until else {})
    return sheet, until


def _reveal(desk: Desk, visitor: Visitor, number: int) -> tuple[str, ...]:
    if Queue(desk.records.engine, desk.policy, desk.records.clock).one(number) is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    phones = tuple(Sheets(desk.records, desk.library, desk.policy).phones(number))
    desk.trail.note(AuditAct.REVEAL_PHONE, staff=visitor.id, case=number, detail={"phones": len(phones)})
    return phones


def _shown(desk: Desk, sheet: Sheet) -> dict[str, Any]:
    people = desk.book.everybody()
    deciding = sheet.complaints[0] if sheet.complaints else None
    return {
        "sheet": sheet,
        "finding_label": desk.renderer.finding_labels(sheet.bound),
        "row": sheet.row,
        "deciding": deciding,
        "decided": _decided(sheet, deciding),
        "groups": [(status, found) for status in STATUS_NAMES if (found := [each for each in sheet.findings if each.status == status])],
        "earlier": [finding for finding in sheet.findings if finding.status in _EARLIER],
        "notes": _notes(sheet.acts),
        "names": {person.id: person.name for person in people},
        "team": [person for person in people if not person.disabled and may(person.role, "act")],
        "waiting": _next(desk, sheet.row.id),
        "outcomes": desk.policy.outcomes,
        "reasons": desk.policy.reasons,
        "statuses": STATUS_NAMES,
        "row_names": ROW_NAMES,
        "how_names": HOW_NAMES,
        "tier_of": TIERS,
        "kind_names": KIND_NAMES,
        "accepted_names": ACCEPTED_NAMES,
        "snoozes": [(minutes, timedelta(minutes=minutes)) for minutes in _SNOOZES],
        "pieces": pieces,
        "head": str(desk.trail.head()),
    }


def _decided(sheet: Sheet, deciding: Complaint | None) -> Entry | None:
    """The answer that decided the tier, else the last answer."""
    answers = [entry for entry in sheet.entries if entry.who == "assistant"]
    return next((entry for entry in answers if deciding and deciding.rule in entry.rules), answers[-1] if answers else None)


def _notes(acts: tuple[Act, ...]) -> list[Note]:
    return [
        Note(note.id, note.who, (note, *(act for act in acts if act.kind == "amend" and act.facts["amends"] == note.id)))
        for note in acts
        if note.kind == "note"
    ]


def _next(desk: Desk, number: int) -> Row | None:
    """The most urgent other case that nobody has acknowledged."""
    waiting = Queue(desk.records.engine, desk.policy, desk.records.clock).page(Filter(only="unacknowledged"), size=2).rows
    return next((row for row in waiting if row.id != number), None)


def pieces(entry: Entry) -> list[tuple[str, Mark | None]]:
    """A message in pieces: words with the mark that stands on them, and those between."""
    text, position, found = entry.text or "", 0, list[tuple[str, Mark | None]]()
    for mark in entry.marks:
        if mark.start >= position:
            found += [(text[position : mark.start], None), (text[mark.start : mark.end], mark)]
            position = mark.end
    return [(words, mark) for words, mark in [*found, (text[position:], None)] if words]
