"""A believable day for the demo clinic: invented patients chat with the running bot, each at a time of their own in the last 24 hours."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import structlog
import yaml
from fastapi import FastAPI
from limits import parse

from aftercare.protocol import Library, ProtocolError, load_library
from gateway.app import create_app
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.acts import Acts
from gateway.console.cases.case_view import CaseViews
from gateway.console.cases.queue import Queue
from gateway.console.cases.rows import Row
from gateway.console.services import ConsoleServices, make_console_services
from gateway.records.database import connect
from gateway.records.retention import count
from gateway.records.tier import TIERS, Tier
from gateway.services import Services
from gateway.settings import Settings, SettingsError, from_environment
from gateway.voice import is_demo
from scripts.common import FailureError, run_script, say
from scripts.stack import Stack

PEOPLE = Path(__file__).with_name("demo_patients.yml")
NURSES = {"demo-lead": "lead", "demo-nurse": "nurse"}
DAY = timedelta(hours=24)
_LATEST = timedelta(minutes=12)
_FOLLOWED_UP = timedelta(minutes=10, seconds=20)
_AT_ONCE = 4
_LONGEST_CHAT = 9
_ATTEMPTS = 5
_PRESSES = 0.6
_CHECKED_BY = ("rows", "words", "nothing")
_BEFORE_CARE, _BEHIND_ADVICE = (75, 17, 8), (50, 15, 35)
_LEAVES = 0.3
_TELL_EACH = 60
_LEFT_WAITING = 3
_SEEN = {"emergency": 1.0, "call_doctor": 0.85}
_SEEN_TIERS = {TIERS[name]: name for name in _SEEN}
_SOON = {"emergency": 5.0, "call_doctor": 50.0}
_PLENTY = parse("1000000 per minute")
_API = "/api/v1"


@dataclass(frozen=True)
class Person:
    """Somebody who writes to the bot.

    Attributes:
        opening: the first message.
        facts: what they answer, by what they are asked about.
        rows: what they answer to rows of the danger check; to all others No.
        then: what they write once they have been advised.
        writer: `patient` or `helper`.
        group: what they are about.
    """

    group: str
    opening: str
    facts: Mapping[str, str]
    rows: Mapping[str, str]
    then: tuple[str, ...]
    writer: str


class _Watch:
    """A clock that somebody set."""

    def __init__(self, at: datetime) -> None:
        self._ahead = at - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def pass_time(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)


def moved_clock() -> datetime:
    """The time on the watch of whoever acts."""
    watch = _watch.get()
    return watch.now() if watch else datetime.now(UTC)


def people(number: int, chance: random.Random) -> list[Person]:
    """So many people, in an order without meaning.

    Args:
        number: how many.
        chance: chooses; the same chance, the same people.
    """
    content = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))
    shares: dict[str, int] = content["shares"]
    groups = [name for name, share in shares.items() for _ in range(max(1, round(number * share / sum(shares.values()))))]
    chance.shuffle(groups)
    turn: Counter[str] = Counter()
    found = []
    for group in (groups + chance.choices(list(shares), list(shares.values()), k=number))[:number]:
        known = content["groups"][group]
        if turn[group] % len(known) == 0:
            chance.shuffle(known)
        found.append(_person(group, content, known[turn[group] % len(known)], chance))
        turn[group] += 1
    return found


def _person(group: str, content: Mapping[str, Any], entry: Mapping[str, Any], chance: random.Random) -> Person:
    said = {**content["voices"][entry["voice"]], **entry.get("facts", {})}
    facts = {about: str(chance.choice(texts)) for about, texts in said.items()}
    opening = chance.choice(content["hellos"]) + chance.choice(entry["says"])
    return Person(group, opening, facts, entry.get("rows", {}), tuple(entry.get("then", ())), entry.get("writer", "patient"))


class _Replies:
    """What somebody says to the bot's answers, one after the other."""

    def __init__(self, person: Person, chance: random.Random) -> None:
        self._person = person
        self._chance = chance
        self._then = list(person.then)
        self._told = False

    def to(self, answer: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any] | None:
        """The next message as the patient API takes it; None where nothing more is said.

        Args:
            answer: the bot's answer as the patient sees it.
            words: what the records hold of it.
        """
        facts, about = self._person.facts, str(words.get("about"))
        if answer.get("check"):
            return self._to_check(words["rows"], answer["check"]["waits"]) or (None if answer["check"]["waits"] else self._next())
        if about in facts and answer["type"] != "triage":
            return self._say(facts[about], answer)
        if answer["type"] == "question" and not self._told:
            self._told = True
            return self._say(facts["other_symptoms"], answer)
        return self._next()

    def _next(self) -> dict[str, Any] | None:
        return {"text": self._then.pop(0)} if self._then else None

    def _say(self, words: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Words, or the answer's button that says the same."""
        button = next((each["id"] for each in answer.get("buttons") or () if each["title"].lower() == words.lower()), None)
        return {"button": button} if button is not None and self._chance.random() < _PRESSES else {"text": words}

    def _to_check(self, rows: Sequence[Mapping[str, str]], waits: bool) -> dict[str, Any] | None:
        """The danger check answered row by row, up to the first Yes as the panel sends it, or in words; None where it is left."""
        by = self._chance.choices(_CHECKED_BY, _BEFORE_CARE if waits else _BEHIND_ADVICE)[0]
        told = [self._person.rows.get(row["fact"], "no") for row in rows]
        first = next((number for number, answer in enumerate(told, start=1) if answer != "no"), 0)
        if by == "nothing":
            return None
        if by == "words":
            return {"text": f"number {first}" if first else self._person.facts["danger_check"]}
        return {"rows": {row["id"]: answer for row, answer in list(zip(rows, told, strict=True))[: first or None]}}


class _Nurses:
    """Two invented nurses at the console. Their accounts are shut, and nobody has their passwords."""

    def __init__(self, services: ConsoleServices, chance: random.Random) -> None:
        self._services = services
        self._chance = chance
        self._acts = Acts(services.records, services.policy, services.audit_log, services.clinic)
        self._queue = Queue(services.records.engine, services.policy, services.records.clock)
        self._views = CaseViews(services.records, services.library, services.policy)
        self._endings: dict[str, list[dict[str, str]]] = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))["endings"]
        self._planned = list[tuple[datetime, int, Callable[[], None]]]()
        self._last = datetime.now(UTC) - DAY
        self._people = [self._account(name, role) for name, role in NURSES.items()]

    def hear_of(self, conversation: str) -> None:
        """Plan what to do with a conversation's case."""
        number = self._views.number_of(conversation)
        row = self._queue.one(number) if number else None
        tier = _SEEN_TIERS.get(Tier(row.tier)) if row else None
        if row is not None and tier is not None and self._chance.random() < _SEEN[tier]:
            for at, act in self._plan(row, tier):
                heappush(self._planned, (at, row.id, act))

    def work_until(self, end: datetime) -> None:
        """Do what is planned up to a moment, in order."""
        while self._planned and self._planned[0][0] < end:
            at, _, act = heappop(self._planned)
            self._last = max(at, self._last)
            _watch.set(_Watch(self._last))
            act()

    def go_home(self) -> None:
        """Shut the accounts."""
        _watch.set(None)
        for person in self._people:
            self._services.book.change(person, disabled=True)

    def _account(self, name: str, role: str) -> int:
        _watch.set(_Watch(self._last))
        known = self._services.book.named(name)
        if known is None:
            known, _code = self._services.book.invite(name, role)
            self._services.audit_log.record(AuditAct.ACCOUNT_MADE, detail={"account": known.id, "role": role, "by": "demo"})
        return known.id

    def _plan(self, row: Row, tier: str) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """What one of them does with a case, and when."""
        by, soon = self._chance.choice(self._people), _SOON[tier]
        at = max(row.fired_at + timedelta(minutes=self._chance.uniform(1, soon)), row.last_at + timedelta(seconds=10))
        yield at, lambda: self._acts.acknowledge(row.id, by, row.last_seq)
        ending = self._chance.choice(self._endings[tier])
        later = at + timedelta(minutes=self._chance.uniform(3, 3 * soon))
        yield later, lambda: self._acts.note(row.id, by, ending["note"])
        if ending["outcome"] in self._services.policy.outcomes:
            yield later + timedelta(seconds=30), lambda: self._acts.close(row.id, by, row.last_seq, ending["outcome"])


class _Day:
    """One day of the clinic, lived through by an app of its own over the running bot's records."""

    def __init__(self, app: FastAPI, settings: Settings, nurses: _Nurses, chance: random.Random) -> None:
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
        watch = _Watch(at)
        _watch.set(watch)
        started = await self._ask("POST", "/sessions", json={"key": "demo", "writer": person.writer})
        token = {"Authorization": f"Bearer {started['token']}"}
        session = await asyncio.to_thread(self._services.records.session, started["token"])
        assert session is not None
        message: dict[str, Any] | None = {"text": person.opening}
        replies = _Replies(person, chance)
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

    async def _leave(self, conversation: str, watch: _Watch) -> None:
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
        nurses = _Nurses(make_console_services(settings, library, services.records), chance)
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
        settings = from_environment(environ, demo=True, protocols=[protocol.id for protocol in library])
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
