"""One's own account: preferences, password, recovery codes, and when it logged in last."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import BASE, TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.identity import recovery_codes
from gateway.console.identity.accounts import StaffError
from gateway.console.identity.passwords import LONGEST_TYPED
from gateway.console.identity.sessions import hash_of
from gateway.console.identity.staff import WrongPasswordError
from gateway.console.identity.tries import UNLOCK
from gateway.console.services import ConsoleServices

router = APIRouter(prefix="/me")
_Text = Annotated[str, Form(max_length=LONGEST_TYPED)]
_Own = Annotated[Visitor, Depends(having("own_account"))]


@router.get("")
async def own_page(request: Request, services: TheServices, visitor: _Own) -> Response:
    """One's own account, and the keys."""
    return await _page(request, services, visitor)


@router.post("")
async def prefer(request: Request, services: TheServices, visitor: _Own, single_keys: _Text = "", sound: _Text = "") -> Response:
    """Change one's own preferences."""
    await asyncio.to_thread(services.book.prefer, visitor.id, single_keys=bool(single_keys), sound=bool(sound))
    detail = {"single_keys": bool(single_keys), "sound": bool(sound)}
    await asyncio.to_thread(services.audit_log.record, AuditAct.PREFERENCES, staff=visitor.id, detail=detail)
    return RedirectResponse(f"{BASE}/me", 303)


@router.post("/password")
async def change_password(
    request: Request, services: TheServices, visitor: _Own, old: _Text = "", password: _Text = "", again: _Text = ""
) -> Response:
    """Give oneself another password; the other logins of the account end. Five wrong ones end this login too."""
    token = visitor.login.token
    try:
        if password != again:
            raise StaffError("The two new passwords are not the same.")
        async with services.hashing:
            await _must_have_tries(services, visitor)
            await asyncio.to_thread(services.book.change_password, visitor.id, old, password, hash_of(token))
    except WrongPasswordError as error:
        await _note_wrong(services, visitor)
        return await _page(request, services, visitor, 422, password_problem=str(error))
    except StaffError as error:
        return await _page(request, services, visitor, 422, password_problem=str(error))
    await asyncio.to_thread(services.sessions.unlock, token)
    await asyncio.to_thread(services.audit_log.record, AuditAct.PASSWORD_CHANGED, staff=visitor.id)
    return await _page(request, services, visitor, changed=True)


@router.post("/codes")
async def make_codes(request: Request, services: TheServices, visitor: _Own, password: _Text = "", code: _Text = "") -> Response:
    """Make new recovery codes, which stand on this answer and nowhere else. Five wrong passwords or codes end the login."""
    if visitor.login.staff.subject is not None:
        raise TurnedAwayError(422, "codes_provider", visitor.login)
    async with services.hashing:
        await _must_have_tries(services, visitor)
        if await asyncio.to_thread(services.book.prove, visitor.name, password, code) is None:
            await _note_wrong(services, visitor)
            return await _page(request, services, visitor, 422, codes_problem=services.renderer.reason("wrong_proof"))
        try:
            codes = await asyncio.to_thread(services.book.make_recovery_codes, visitor.id)
        except StaffError as error:
            return await _page(request, services, visitor, 422, codes_problem=str(error))
    await asyncio.to_thread(services.sessions.unlock, visitor.login.token)
    await note_codes_made(services, visitor.id, "own_account")
    return services.renderer.page(request, "codes.html", visitor.login, codes=codes)


async def note_codes_made(services: ConsoleServices, account: int, where: str) -> None:
    """Put it into the audit that somebody got recovery codes, and where: `set_up` or `own_account`."""
    detail = {"codes": recovery_codes.COUNT, "where": where}
    await asyncio.to_thread(services.audit_log.record, AuditAct.RECOVERY_CODES_MADE, staff=account, detail=detail)


async def _must_have_tries(services: ConsoleServices, visitor: Visitor) -> None:
    if not await asyncio.to_thread(services.tries.left, UNLOCK, visitor.login.token):
        raise TurnedAwayError(401, "log_in")


async def _note_wrong(services: ConsoleServices, visitor: Visitor) -> None:
    """Count a wrong password or code; the fifth ends the login."""
    token = visitor.login.token
    await asyncio.to_thread(services.audit_log.record, AuditAct.UNLOCK_FAILED, staff=visitor.id)
    await asyncio.to_thread(services.tries.failed, UNLOCK, token)
    if not await asyncio.to_thread(services.tries.left, UNLOCK, token):
        await asyncio.to_thread(services.sessions.end, token)
        raise TurnedAwayError(401, "log_in")


async def _page(
    request: Request,
    services: ConsoleServices,
    visitor: Visitor,
    status: int = 200,
    *,
    password_problem: str = "",
    codes_problem: str = "",
    changed: bool = False,
) -> Response:
    this, other = await asyncio.to_thread(services.sessions.history, visitor.login)
    left = await asyncio.to_thread(services.book.recovery_codes_left, visitor.id)
    return services.renderer.page(
        request, "me.html", visitor.login, status, password_problem=password_problem, codes_problem=codes_problem, changed=changed,
        this=this, other=other, codes_left=left, codes_made=recovery_codes.COUNT,
    )  # fmt: skip
