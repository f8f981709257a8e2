"""What a nurse does to reach the patient of a case."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.console.access import TheServices
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.cases.joining import JoiningActs
from gateway.console.errors import ActError
from gateway.console.pages.acting import Key, Nurse, Whole, Written, do
from gateway.console.pages.case import CaseNumber

router = APIRouter(prefix="/cases/{number}")


@router.post("/reply")
async def reply(
    request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, seen: Whole, text: Written = "", take_over: Key = ""
) -> Response:
    """Write into the patient's chat."""
    acts = services.acts(ContactActs)
    return await do(
        request, services, visitor, number, "Sent", lambda: acts.reply(number, visitor.id, seen, text, take_over=bool(take_over))
    )


@router.post("/hold")
async def hold(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, take_over: Key = "") -> Response:
    """Hold the patient's chat without writing."""
    acts = services.acts(ContactActs)
    return await do(request, services, visitor, number, "Held", lambda: acts.hold(number, visitor.id, take_over=bool(take_over)))


@router.post("/hand-back")
async def hand_back(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber) -> Response:
    """Let the assistant answer again."""
    return await do(request, services, visitor, number, "Handed back", lambda: services.acts(ContactActs).hand_back(number, visitor.id))


@router.post("/attempt")
async def attempt(
    request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, result: Key = "", note: Written = "", minutes: Whole = 0
) -> Response:
    """Record a try to reach the patient; the next one is due in so many minutes, or in the policy's time with 0."""

    def act() -> None:
        if result not in set(Attempt):
            raise ActError("Choose what came of it.", 422)
        next_in = timedelta(minutes=minutes) if minutes else None
        services.acts(ContactActs).attempt(number, visitor.id, Attempt(result), note, next_in)

    return await do(request, services, visitor, number, "Recorded", act)


@router.post("/join")
async def join(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber, other: Whole) -> Response:
    """Say that another case is a chat of the same person."""
    return await do(request, services, visitor, number, "Joined", lambda: services.acts(JoiningActs).join(number, visitor.id, other))


@router.post("/separate")
async def separate(request: Request, services: TheServices, visitor: Nurse, number: CaseNumber) -> Response:
    """Take the case out of those that it is joined with."""
    return await do(request, services, visitor, number, "Separated", lambda: services.acts(JoiningActs).separate(number, visitor.id))
