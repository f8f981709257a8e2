"""Exports: choose cases, see what will go out, take the file."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from gateway.console.access import TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.case_view import CaseViews
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.export import csv_file, fhir
from gateway.console.export.content import DEIDENTIFIED, FULL, PROFILES, Content, Stamp
from gateway.console.export.cut import Cut
from gateway.console.identity.passwords import LONGEST_PASSWORD
from gateway.console.identity.tries import UNLOCK
from gateway.console.redaction.mask import Mask
from gateway.console.services import ConsoleServices

router = APIRouter()
_Visitor = Annotated[Visitor, Depends(having(*(f"export_{profile}" for profile in PROFILES)))]
MOST = 500
PROOF_COUNTS = timedelta(minutes=15)
_SHOWN_ROWS, _SHOWN_CASES, _NAMED_IN_AUDIT = 20, 2, 20
_LONGEST_NUMBER = 9
_FORMAT_NAMES = {
    "csv": "Table for Excel, a row a message (CSV)",
    "cases": "Table for Excel, a row a case (CSV)",
    "fhir": "FHIR R4 bundle (JSON)",
}
_TABLES = {"csv": csv_file.MESSAGES, "cases": csv_file.CASES}
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Wish:
    """What is to go out.

    Attributes:
        cases: numbers of cases as typed; where it is empty, `days` and `tier` choose.
        token: makes the pseudonyms, so that the file has those of its preview.
    """

    cases: str
    days: int
    tier: int | None
    format: str
    profile: str
    reason: str
    token: str

    @property
    def numbers(self) -> list[int]:
        """The numbers of cases that were typed, each once."""
        return list(dict.fromkeys(int(word) for word in re.findall(r"\d+", self.cases) if len(word) <= _LONGEST_NUMBER))


async def _wish(
    cases: Annotated[str, Form(max_length=6_000, pattern=r"^[\d\s,;]*$")] = "",
    days: Annotated[int, Form(ge=1, le=36_500)] = 7,
    tier: Annotated[str, Form(pattern=r"^[0-3]?$")] = "",
    format: Annotated[str, Form()] = "csv",
    profile: Annotated[str, Form()] = DEIDENTIFIED,
    reason: Annotated[str, Form()] = "",
    token: Annotated[str, Form()] = "",
) -> Wish:
    """The wish in a form; what can be chosen is checked where the visitor is known."""
    known = token if _TOKEN.fullmatch(token) else secrets.token_hex(16)
    return Wish(cases, days, int(tier) if tier else None, format, profile, reason, known)


_Wish = Annotated[Wish, Depends(_wish)]
_Password = Annotated[str, Form(max_length=LONGEST_PASSWORD)]


@router.get("/export")
async def export_page(request: Request, services: TheServices, visitor: _Visitor, case: int | None = None) -> Response:
    """The form; `case` is the number of a case to begin with."""
    wish = Wish(str(case or ""), 7, None, "csv", _profiles(visitor)[-1], "", secrets.token_hex(16))
    return _page(request, services, visitor, "export.html", wish)


@router.post("/export/preview")
async def preview(request: Request, services: TheServices, visitor: _Visitor, wish: _Wish, password: _Password = "") -> Response:
    """The first rows as they will go out, and how many there are."""
    await _check(services, visitor, wish)
    problem = await _unproved(services, visitor, wish, password)
    if problem:
        return _page(request, services, visitor, "export.html", wish, 403, problem=problem)
    async with services.heavy:
        contents, stamp = await asyncio.to_thread(_made, services, visitor, wish, AuditAct.EXPORT_PREVIEW)
    shown: dict[str, Any] = {"missing": _missing(wish, contents) if wish.profile != DEIDENTIFIED else 0}
    shown["count"] = sum(len(each.lines) for each in contents)
    table = _TABLES.get(wish.format)
    if table is not None:
        shown |= {"columns": table.columns, "rows": table.rows(contents, stamp)[:_SHOWN_ROWS], "text": ""}
    else:
        text = await asyncio.to_thread(fhir.write, contents[:_SHOWN_CASES], stamp, 2)
        shown |= {"columns": (), "rows": (), "text": text.decode()}
    return _page(request, services, visitor, "export_preview.html", wish, cases=len(contents), shown_cases=_SHOWN_CASES, **shown)


@router.post("/export")
async def export(request: Request, services: TheServices, visitor: _Visitor, wish: _Wish, password: _Password = "") -> Response:
    """The file."""
    await _check(services, visitor, wish)
    problem = await _unproved(services, visitor, wish, password)
    if problem:
        return _page(request, services, visitor, "export.html", wish, 403, problem=problem)
    table = _TABLES.get(wish.format)
    async with services.heavy:
        contents, stamp = await asyncio.to_thread(_made, services, visitor, wish, AuditAct.EXPORT)
        content = await asyncio.to_thread(table.write if table else fhir.write, contents, stamp)
    what = "cases-" if table is csv_file.CASES else ""
    name = f"aftercare-{what}{wish.profile}-{stamp.at:%Y%m%d-%H%M%S}.{'csv' if table else 'json'}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, media_type=csv_file.MEDIA_TYPE if table else fhir.MEDIA_TYPE, headers=headers)


async def _check(services: ConsoleServices, visitor: Visitor, wish: Wish) -> None:
    """Only what can be chosen, and only by whom it is for."""
    if wish.profile not in PROFILES or wish.format not in _FORMAT_NAMES or wish.reason not in services.policy.reasons:
        raise TurnedAwayError(422, "bad_request", visitor.login)
    if not visitor.may(f"export_{wish.profile}"):
        await asyncio.to_thread(
            services.audit_log.record, AuditAct.REFUSED, staff=visitor.id, detail={"right": f"export_{wish.profile}", "method": "POST"}
        )
        raise TurnedAwayError(403, "no_right", visitor.login)
    if len(wish.numbers) > MOST:
        raise TurnedAwayError(422, "export_too_many", visitor.login)


async def _unproved(services: ConsoleServices, visitor: Visitor, wish: Wish, password: str) -> str:
    """Why a full export does not go on: its maker last gave a password some time ago; empty when it may. Five wrong ones end the login."""
    if wish.profile != FULL or services.records.clock() - visitor.login.proved_at <= PROOF_COUNTS:
        return ""
    if visitor.login.staff.subject is not None:
        return services.renderer.reason("export_proof_provider")
    if not password:
        return services.renderer.reason("export_proof")
    if await asyncio.to_thread(services.book.prove, visitor.name, password, None) is None:
        await asyncio.to_thread(services.audit_log.record, AuditAct.EXPORT_PROOF_FAILED, staff=visitor.id)
        await asyncio.to_thread(services.tries.failed, UNLOCK, visitor.login.token)
        if not await asyncio.to_thread(services.tries.left, UNLOCK, visitor.login.token):
            await asyncio.to_thread(services.sessions.end, visitor.login.token)
            raise TurnedAwayError(401, "log_in")
        return services.renderer.reason("wrong_password")
    await asyncio.to_thread(services.sessions.unlock, visitor.login.token)
    return ""


def _made(services: ConsoleServices, visitor: Visitor, wish: Wish, act: AuditAct) -> tuple[list[Content], Stamp]:
    """The cases as they go out, with their stamp, after it is on record that they do."""
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    numbers = wish.numbers or [row.id for row in queue.newest(Filter(view="any", tier=wish.tier, days=wish.days), MOST)]
    views = CaseViews(services.records, services.library, services.policy)
    found = [view for number in numbers if (view := views.read(number, Mask.nothing())) is not None and view.entries]
    if not found:
        raise TurnedAwayError(422, "export_nothing", visitor.login)
    staff = [person.name for person in services.book.everybody()]
    contents = Cut(wish.profile, _key(services, wish, "pseudonyms"), staff, services.clinic).contents(found)
    chosen = {"profile": wish.profile, "format": wish.format, "reason": wish.reason}
    named = [view.row.id for view in found]
    detail = {**chosen, "cases": len(named), "ids": named[:_NAMED_IN_AUDIT], "messages": sum(len(each.lines) for each in contents)}
    services.audit_log.record(act, staff=visitor.id, case=named[0] if len(named) == 1 else None, detail=detail)
    by = f"account {visitor.id}" if wish.profile == DEIDENTIFIED else visitor.name
    at, zone = services.clinic.local(services.records.clock()), services.clinic.zone.key
    reason, namespace = services.policy.reasons[wish.reason], UUID(bytes=_key(services, wish, "resources")[:16])
    return contents, Stamp(by, at, zone, wish.profile, reason, services.audit_log.head(), namespace)


def _key(services: ConsoleServices, wish: Wish, use: str) -> bytes:
    """A key of this export for one use."""
    return hmac.new(services.settings.audit_key, f"export/{use}/{wish.token}".encode(), hashlib.sha256).digest()


def _missing(wish: Wish, contents: list[Content]) -> int:
    return max(0, len(wish.numbers) - len(contents))


def _profiles(visitor: Visitor) -> list[str]:
    return [profile for profile in PROFILES if visitor.may(f"export_{profile}")]


def _page(
    request: Request, services: ConsoleServices, visitor: Visitor, template: str, wish: Wish, status: int = 200, **values: Any
) -> Response:
    about: dict[str, Any] = {"wish": wish, "formats": _FORMAT_NAMES, "reasons": services.policy.reasons, "most": MOST}
    profiles = _profiles(visitor)
    ask = FULL in profiles and services.records.clock() - visitor.login.proved_at > PROOF_COUNTS
    return services.renderer.page(
        request, template, visitor.login, status, **{"problem": "", "ask": ask, "profiles": profiles, **about, **values}
    )
