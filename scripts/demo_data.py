"""A believable day for the demo clinic: invented patients chat with the running bot, each at a time of their own in the last 24 hours."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import structlog
from fastapi import FastAPI
from limits import parse

from aftercare.protocol import Library, ProtocolError, load_library
from gateway.app import create_app
from gateway.console.services import make_console_services
from gateway.patient_copy import is_demo
from gateway.records.database import connect
from gateway.records.retention import count
from gateway.services import Services
from gateway.settings import Settings, SettingsError, from_environment
from scripts.common import FailureError, run_script, say
from scripts.demo_clock import WATCH, Watch, moved_clock
from scripts.demo_nurses import DAY, Nurses
from scripts.demo_patients import Person, Replies, people
from scripts.stack import Stack

_LATEST = timedelta(minutes=12)
_FOLLOWED_UP = timedelta(minutes=10, seconds=20)
_AT_ONCE = 4
_LONGEST_CHAT = 9
_ATTEMPTS = 5
_LEAVES = 0.3
_TELL_EACH = 60
_LEFT_WAITING = 3
_PLENTY = parse("1000000 per minute")
_API = "/api/v1"


class _Day:
    """One day of the clinic, lived through by an app of its own over the running bot's records."""

    def __init__(self, app: FastAPI, settings: Settings, nurses: Nurses, chance: random.Random) -> None:
        self._services: Services = app.state.services
        self._chance = chance
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=settings.public_origins[0], headers={"Origin": settings.public_origins[0]}
        )
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._nurses = nurses
        self._done = 0

    async def live(self, everybody: Sequence[Person]) -> None:
        """Let everybody write, the earliest first, and the nurses work; the last emergencies are left to whoever looks at the demo."""
        now = datetime.now(UTC)
        starts = sorted(now - _LATEST - (DAY - 2 * _LATEST) * self._chance.random() for _ in everybody)
        red = [number for number, person in enumerate(everybody) if person.group == "emergency"]
        left = set(red[len(red) - min(_LEFT_WAITING, len(red) // 2) :])
        async with self._client, asyncio.TaskGroup() as group:
            for number, (person, at) in enumerate(zip(everybody, starts, strict=True)):
                await self._places.acquire()
                await asyncio.to_thread(self._nurses.work_until, at)
                group.create_task(self._chat(person, at, random.Random(self._chance.random()), alone=number in left))
        await asyncio.to_thread(self._nurses.work_until, now)
        await asyncio.to_thread(self._nurses.go_home)
        await self._services.answering.finish()
        await self._services.rasa.close()

    async def _chat(self, person: Person, at: datetime, chance: random.Random, *, alone: bool) -> None:
        try:
            conversation = await self._talk(person, at, chance)
        finally:
            self._places.release()
        if not alone:
            await asyncio.to_thread(self._nurses.hear_of, conversation)
        self._done += 1
        if self._done % _TELL_EACH == 0:
            say(f"  demo data: {self._done} conversations")

    async def _talk(self, person: Person, at: datetime, chance: random.Random) -> str:
        """One conversation; its id."""
        watch = Watch(at)
        WATCH.set(watch)
        started = await self._ask("POST", "/sessions", json={"key": "demo", "writer": person.writer})
        token = {"Authorization": f"Bearer {started['token']}"}
        session = await asyncio.to_thread(self._services.records.session, started["token"])
        assert session is not None
        message: dict[str, Any] | None = {"text": person.opening}
        replies = Replies(person, chance)
        for _ in range(_LONGEST_CHAT):
            if message is None:
                break
            watch.pass_time(chance.uniform(4, 10) + len(message.get("text", "")) / 4 + 2 * len(message.get("rows", ())))
            answer = await self._say(token, message)
            message = replies.to(answer, await self._words(session.conversation))
            watch.pass_time(chance.uniform(3, 20))
        if chance.random() < _LEAVES:
            await self._ask("DELETE", "/session", headers=token)
        await self._leave(session.conversation, watch)
        return session.conversation

    async def _leave(self, conversation: str, watch: Watch) -> None:
        """Let what follows on a question that is left happen in its own time, if that has come."""
        watch.pass_time(_FOLLOWED_UP.total_seconds())
        if watch.now() < datetime.now(UTC):
            await self._services.answering.follow_up(conversation)

    async def _say(self, token: Mapping[str, str], message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a message; the answer."""
        stored = await self._ask("POST", "/session/messages", headers=token, json={"client_id": uuid4().hex, **message})
        for _ in range(_ATTEMPTS):
            got = await self._ask("GET", "/session/events", headers=token, params={"after": stored["seq"], "wait": 5})
            for event in got["events"]:
                if event.get("reply_to") == stored["seq"]:
                    return dict(event)
        raise FailureError("the bot did not answer a demo patient; look into the logs")

    async def _words(self, conversation: str) -> Mapping[str, Any]:
        """What the records hold of the last answer."""
        answer = await asyncio.to_thread(self._services.records.last, conversation, "answer")
        return answer.words if answer and answer.words else {}

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Ask the patient API, again where the records were busy."""
        for attempt in range(1, _ATTEMPTS + 1):
            response = await self._client.request(method, _API + path, **request)
            if response.is_success:
                return dict(response.json()) if response.content else {}
            if response.status_code < 500:
                break
            await asyncio.sleep(0.2 * attempt)
        raise FailureError(f"the patient API answered {response.status_code} to {method} {path}")


def make_day(environ: Mapping[str, str], number: int, *, only_if_empty: bool = False) -> None:
    """Let invented patients chat with the running bot, and let two invented nurses see to them.

    Args:
        environ: the running stack's environment.
        number: how many conversations.
        only_if_empty: do nothing where the records hold a conversation.

    Raises:
        FailureError: this is no demo, or the bot or its records do not answer.
    """
    library, settings = _checked(environ)
    engine = connect(settings.records_url)
    try:
        if only_if_empty and count(engine)[0]:
            return
    finally:
        engine.dispose()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    begun = time.monotonic()
    say(f"  demo data: making {number} conversations of the last day")
    chance = random.Random(time.time_ns())
    app = create_app(settings, library, clock=moved_clock)
    services: Services = app.state.services
    try:
        nurses = Nurses(make_console_services(settings, library, services.records, services.event_bus), chance)
        asyncio.run(_Day(app, settings, nurses, chance).live(people(number, chance)))
    except ExceptionGroup as group:  # noqa: F821 - the gateway's Python has it, the oldest one that ruff checks for has not
        raise FailureError(f"demo data: {group.exceptions[0]}") from group
    finally:
        services.records.engine.dispose()
    say(f"  demo data: {number} conversations in {time.monotonic() - begun:.0f} s")


def _checked(environ: Mapping[str, str]) -> tuple[Library, Settings]:
    try:
        library = load_library()
        if not is_demo(library):
            raise FailureError("Demo data is for the demo clinic only; unset AFTERCARE_CLINIC.")
        settings = from_environment(environ, demo=True, protocols=[protocol.key for protocol in library])
    except (ProtocolError, SettingsError) as error:
        raise FailureError(str(error)) from None
    plenty = dict.fromkeys(settings.limits, _PLENTY)
    return library, replace(settings, limits=plenty, limits_storage="async+memory://", maintenance=False)


def main() -> None:
    """Make demo data, with the running bot if it runs.

    Raises:
        FailureError: it could not be made; the message says why.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.demo_data", description="Conversations of invented patients.")
    parser.add_argument("number", nargs="?", type=int, default=240)
    parser.add_argument("--if-empty", action="store_true", help="do nothing where the records hold a conversation")
    arguments = parser.parse_args()
    stack = Stack.here(say)
    with nullcontext() if stack.answers() else stack:
        make_day(stack.environment(), arguments.number, only_if_empty=arguments.if_empty)


if __name__ == "__main__":
    os.umask(0o077)
    run_script(main)
