"""The accounts: who may come in, in which role; invitations, roles, shutting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from gateway.console.access import BASE, Number, TheServices, TurnedAwayError, Visitor, having
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.release import ACCOUNT_CLOSED, ROLE_CHANGED, release_cases
from gateway.console.identity.accounts import Staff, StaffError
from gateway.console.identity.passwords import LONGEST_PASSWORD
from gateway.console.identity.rights import ROLES, may
from gateway.console.identity.tries import UNLOCK
from gateway.console.services import ConsoleServices

router = APIRouter()
_Admin = Annotated[Visitor, Depends(having("staff"))]
_Text = Annotated[str, Form(max_length=LONGEST_PASSWORD)]
_PROOF = timedelta(minutes=15)


@router.get("/staff")
async def staff_page(request: Request, services: TheServices, visitor: _Admin) -> Response:
    """All accounts."""
    await asyncio.to_thread(services.audit_log.record, AuditAct.VIEW_STAFF, staff=visitor.id)
    return await _page(request, services, visitor, 200, "")


@router.post("/staff")
async def invite(
    request: Request, services: TheServices, visitor: _Admin, name: _Text = "", role: _Text = "", email: _Text = "", password: _Text = ""
) -> Response:
    """Make an account; its code is on this answer and nowhere else."""

    def act() -> tuple[Staff, str]:
        return services.book.invite(name, role, email.strip() or None)

    try:
        await _prove(services, visitor, password)
        person, code = await asyncio.to_thread(act)
    except StaffError as error:
        return await _page(request, services, visitor, 422, str(error), name=name, role=role, email=email)
    await _note(services, visitor, AuditAct.ACCOUNT_MADE, person.id, role=person.role)
    await asyncio.to_thread(services.newcomers.tell, person, "made", visitor.name)
    return await _page(request, services, visitor, 200, "", invited=person, code=code)


@router.post("/staff/{number}/invite")
async def invite_again(request: Request, services: TheServices, visitor: _Admin, number: Number, password: _Text = "") -> Response:
    """A new invitation, which also opens an account that was shut."""
    try:
        person = await _other(services, visitor, number)
        await _prove(services, visitor, password)
        code = await asyncio.to_thread(services.book.reinvite, number)
    except StaffError as error:
        return await _page(request, services, visitor, 422, str(error))
    await _note(services, visitor, AuditAct.ACCOUNT_INVITED, number)
    await asyncio.to_thread(services.newcomers.tell, person, "invited", visitor.name)
    return await _page(request, services, visitor, 200, "", invited=person, code=code)


@router.post("/staff/{number}/role")
async def change_role(
    request: Request, services: TheServices, visitor: _Admin, number: Number, role: _Text = "", password: _Text = ""
) -> Response:
    """Give somebody another role; their open cases go back to the queue where it acts on none."""

    def change(person: Staff) -> None:
        if person.subject is not None:
            raise StaffError("The groups of the hospital's account decide on this role.")
        release = None if may(role, "act") else partial(_release, services, visitor, number, ROLE_CHANGED)
        services.book.change(number, role=role, also=release)

    return await _change(request, services, visitor, number, password, change, AuditAct.ACCOUNT_ROLE, role=role)


@router.post("/staff/{number}/shut")
async def shut(request: Request, services: TheServices, visitor: _Admin, number: Number, password: _Text = "") -> Response:
    """Shut an account; whoever is logged in with it is out at once, and its open cases go back to the queue."""

    def change(_: Staff) -> None:
        services.book.change(number, disabled=True, also=partial(_release, services, visitor, number, ACCOUNT_CLOSED))

    return await _change(request, services, visitor, number, password, change, AuditAct.ACCOUNT_SHUT)


@router.post("/staff/{number}/open")
async def open_again(request: Request, services: TheServices, visitor: _Admin, number: Number, password: _Text = "") -> Response:
    """Open an account of the hospital's provider that was shut; a local one needs a new invitation."""

    def change(person: Staff) -> None:
        if person.subject is None:
            raise StaffError("Give this person a new code.")
        services.book.change(number, disabled=False)

    return await _change(request, services, visitor, number, password, change, AuditAct.ACCOUNT_OPENED)


def _release(services: ConsoleServices, visitor: Visitor, number: int, why: str, connection: Connection) -> None:
    at, signals = services.records.clock(), services.records.signals
    release_cases(connection, services.audit_log, number, visitor.id, at, signals, why)


async def _change(
    request: Request,
    services: ConsoleServices,
    visitor: Visitor,
    number: int,
    password: str,
    change: Callable[[Staff], None],
    act: AuditAct,
    **detail: str,
) -> Response:
    try:
        person = await _other(services, visitor, number)
        await _prove(services, visitor, password)
        await asyncio.to_thread(change, person)
    except StaffError as error:
        return await _page(request, services, visitor, 422, str(error))
    await _note(services, visitor, act, number, **detail)
    after = await asyncio.to_thread(services.book.get, number)
    if after is not None and (after.role != person.role or (person.disabled and not after.disabled)):
        await asyncio.to_thread(services.newcomers.tell, after, "role" if after.role != person.role else "opened", visitor.name)
    return RedirectResponse(f"{BASE}/staff", 303)


async def _other(services: ConsoleServices, visitor: Visitor, number: int) -> Staff:
    """The account of somebody else."""
    person = await asyncio.to_thread(services.book.get, number)
    if person is None:
        raise TurnedAwayError(404, "not_found", visitor.login)
    if person.id == visitor.id:
        raise StaffError("You cannot change your own account. Ask another admin.")
    return person


def _is_fresh(services: ConsoleServices, visitor: Visitor) -> bool:
    return services.records.clock() - visitor.login.proved_at <= _PROOF


async def _prove(services: ConsoleServices, visitor: Visitor, password: str) -> None:
    """Make sure that this is still the person who logged in; five wrong passwords end the login."""
    if _is_fresh(services, visitor):
        return
    token = visitor.login.token
    if visitor.login.staff.subject is not None:
        raise StaffError("Log in with the hospital's account again first.")
    if await asyncio.to_thread(services.book.prove, visitor.name, password, None) is not None:
        await asyncio.to_thread(services.sessions.unlock, token)
        return
    await asyncio.to_thread(services.audit_log.record, AuditAct.UNLOCK_FAILED, staff=visitor.id)
    await asyncio.to_thread(services.tries.failed, UNLOCK, token)
    if not await asyncio.to_thread(services.tries.left, UNLOCK, token):
        await asyncio.to_thread(services.sessions.end, token)
        raise TurnedAwayError(401, "log_in")
    raise StaffError("Your password is not right. Nothing was changed.")


async def _note(services: ConsoleServices, visitor: Visitor, act: AuditAct, account: int, **detail: str) -> None:
    await asyncio.to_thread(services.audit_log.record, act, staff=visitor.id, detail={"account": account, **detail})


async def _page(
    request: Request,
    services: ConsoleServices,
    visitor: Visitor,
    status: int,
    problem: str,
    *,
    invited: Staff | None = None,
    code: str = "",
    name: str = "",
    role: str = "nurse",
    email: str = "",
) -> Response:
    login = await asyncio.to_thread(services.sessions.find, visitor.login.token) or visitor.login
    return services.renderer.page(
        request, "staff.html", login, status, people=await asyncio.to_thread(services.book.everybody),
        latest=await asyncio.to_thread(services.sessions.latest), problem=problem, invited=invited, code=code, name=name, role=role,
        email=email, roles=ROLES, fresh=_is_fresh(services, Visitor(login)), setup=f"{services.settings.console_origins[0]}{BASE}/setup",
    )  # fmt: skip
