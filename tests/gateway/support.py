"""The gateway under test, its patients, and everything around it that a test may break."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import uvicorn
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from starlette.testclient import TestClient

from aftercare.assistant import Assistant, Assistants
from aftercare.conversation import Conversation
from aftercare.protocol import Library, load_protocol
from aftercare.protocol.clinic import Clinic
from aftercare.protocol.opening import Opening
from gateway.console.audit.log import AuditLog
from gateway.console.cases.reviews import Reviews
from gateway.console.cases.tier_acts import TierActs
from gateway.console.policy import read_policy
from gateway.dialogue.rasa import Rasa, Wire
from gateway.records.store import Event, Records
from gateway.services import Services
from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
API = "/api/v1"
HOME = "http://127.0.0.1:8080"
PAGE = "http://127.0.0.1:8081"
OTHER_PAGE = "https://spine.example"
EVIL = "https://evil.example"
CANARY = "quokkaberry"
ADDRESS = "203.0.113.77"
RED_FLAG = f"I have chest pain {CANARY}"
HARMLESS = f"The needle site is sore {CANARY}"
MASTER_KEY = bytes(range(32))
MASTER_KEY_TEXT = base64.b64encode(MASTER_KEY).decode()
ANSWER_SECONDS = 5.0
SECOND = "second"
SECOND_KEY = "second-page"
SECOND_CLINIC = "Second Spine Clinic (not a real clinic)"
SECOND_PHONE = "555-0177"
_SECOND_RULE = """  - id: second_chest_pain
    disposition: emergency
    advice: call_911
    any: [chest_pain]
    basis: extension
    sentence: call_chest
    leaflet_disposition: call_doctor
    reason: The second protocol says so.
"""
_SECOND_PATTERN = """    - say: purple knees
      "yes": both purple knees
      "no": purple curtains
"""
SECOND_CHANGES = (
    ("clinic.yml", "Demo Spine Clinic (not a real clinic)", SECOND_CLINIC),
    ("clinic.yml", "phone: 555-0100", f"phone: {SECOND_PHONE}"),
    ("faq.yml", "label: the cement", "label: the second cement"),
    ("rules.yml", "  - use: chest_pain\n", f"{_SECOND_RULE}  - use: chest_pain\n"),
    ("findings/chest_pain.yml", "label: chest pain\n", "label: second chest pain\n"),
    ("findings/chest_pain.yml", "  patterns:\n", f"  patterns:\n{_SECOND_PATTERN}"),
    ("danger_check.yml", "  - use: chest_pain\n", "  - use: chest_pain\n    en: {text: 'Second chest pain or pressure?'}\n"),
    ("thresholds.yml", "broken_off_minutes: {value: 10,", "broken_off_minutes: {value: 5,"),
)
"""A file of the second protocol, what stands in it, and what stands there instead; what it has no file for is what all procedures share."""
RED_FLAG_OF_SECOND = "I have purple knees"
"""An emergency by the second protocol alone."""

_numbers = count(1)

BOUND = ("vertebroplasty", "en")
Json = dict[str, Any]
Heard = Callable[[Json], Awaitable[httpx.Response]]


def make_second(parent: Path) -> Path:
    """Make the folder of another procedure's protocol: as the first one, with what makes a difference visible."""
    folder = parent / SECOND
    shutil.copytree(ROOT / "protocols" / "vertebroplasty", folder)
    for name in ("findings/chest_pain.yml", "thresholds.yml"):
        shutil.copy(ROOT / "clinical" / name, folder / name)
    for name, old, new in SECOND_CHANGES:
        file = folder / name
        kept = file.read_text(encoding="utf-8")
        assert old in kept, (name, old)
        file.write_text(kept.replace(old, new, 1), encoding="utf-8")
    return folder


def clinic_in(zone: str, **opening: list[str]) -> Clinic:
    """A clinic of a time zone, open as `opening` of a clinic's file says."""
    return Clinic("demo", {}, ZoneInfo(zone), Opening.parse(opening))


@cache
def library_in(zone: str) -> Library:
    """The default protocol, at a clinic of a time zone."""
    protocol = load_protocol()
    return Library([replace(protocol, clinic=replace(protocol.clinic, zone=ZoneInfo(zone)))])


def reviews_of(records: Records, audit_log: AuditLog) -> Reviews:
    """The second opinions on the cases of these records."""
    return Reviews(records, audit_log, TierActs(records, read_policy(), audit_log, library_in("UTC")))


def new_id() -> str:
    """A client id that was not used before."""
    return f"message-{next(_numbers):08d}"


class Clock:
    """The time, and later if a test wants so."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def travel(self, **ahead: float) -> None:
        """Go ahead in time, by keywords of timedelta."""
        self._ahead += timedelta(**ahead)

    def travel_to(self, moment: datetime) -> None:
        """Go to a moment."""
        self._ahead = moment - datetime.now(UTC)


class ScriptedWire(Wire):
    """Leads to scripted workers instead of the network."""

    def __init__(self, workers: httpx.AsyncBaseTransport) -> None:
        super().__init__()
        self._workers = workers

    async def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        response = await self._workers.handle_async_request(httpx.Request(method, url, json=body))
        return response.status_code, await response.aread()


class ScriptedRasa(httpx.AsyncBaseTransport):
    """Rasa behind its wire contract. It answers as the core does and keeps each conversation, until a test says otherwise.

    Attributes:
        heard: the body of every message that came in.
        act: what is done with the next messages.
        at_once: the most messages of one sender that were being answered at the same time.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.heard: list[Json] = []
        self.act: Heard = self.well
        self.at_once = 0
        self._busy: dict[str, int] = {}
        self._assistants = {assistant.protocol.id: assistant}
        self._default = assistant
        self._kept: dict[str, Conversation] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return await self.act({}) if self.act != self.well else httpx.Response(200, json={"status": "ok"})
        body = json.loads(await request.aread())
        self.heard.append(body)
        sender = body["sender"]
        self._busy[sender] = self._busy.get(sender, 0) + 1
        self.at_once = max(self.at_once, self._busy[sender])
        try:
            return await self.act(body)
        finally:
            self._busy[sender] -= 1

    def reply(self, body: Json) -> list[Json]:
        """The messages of a well Rasa."""
        begun, known = body["sender"] not in self._kept, self._kept.get(body["sender"], Conversation())
        conversation = Conversation.parse(body["conversation"]) if "conversation" in body else known
        assistant = self._assistants.get(conversation.protocol or body.get("protocol", ""), self._default)
        today = assistant.today()
        reading = assistant.read(body["message"], today)
        after, reply = assistant.respond(conversation, reading, today, answers=body.get("answers"))
        self._kept[body["sender"]] = after
        return [{"recipient_id": body["sender"], "text": reply.text, "custom": {**reply.wire, "model": "model-1", "begun": begun}}]

    def learn(self, assistants: Assistants) -> None:
        """Answer by these protocols from now on, each conversation by the one that it was bound to at its beginning."""
        self._assistants = {protocol.id: assistants.of(protocol.key) for protocol in assistants.library}

    def forget(self) -> None:
        """Lose every conversation."""
        self._kept.clear()

    async def well(self, body: Json) -> httpx.Response:
        return httpx.Response(200, json=self.reply(body))

    async def down(self, _: Json) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async def hang(self, _: Json) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    def after(self, seconds: float) -> None:
        """Answer well, but only after a while."""

        async def act(body: Json) -> httpx.Response:
            await asyncio.sleep(seconds)
            return await self.well(body)

        self.act = act

    def say(self, response: Callable[[Json], httpx.Response]) -> None:
        """Answer with what a function of the request gives."""

        async def act(body: Json) -> httpx.Response:
            return response(body)

        self.act = act

    def twist(self, change: Callable[[list[Json]], Any]) -> None:
        """Answer well, but changed by a function of the messages, which may return others."""

        def response(body: Json) -> httpx.Response:
            messages = self.reply(body)
            changed = change(messages)
            return httpx.Response(200, json=messages if changed is None else changed)

        self.say(response)


@dataclass
class Patient:
    """One patient's browser.

    Attributes:
        client: how it reaches the gateway.
        started: what starting the chat returned.
    """

    client: httpx.Client
    started: Json
    origin: str = HOME

    @property
    def token(self) -> str:
        return str(self.started["token"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Origin": self.origin}

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a request under /session with this patient's token."""
        headers = {**self.headers, **request.pop("headers", {})}
        return self.client.request(method, f"{API}/session{path}", headers=headers, **request)

    def send(self, text: str, client_id: str = "") -> httpx.Response:
        return self._post({"client_id": client_id or new_id(), "text": text})

    def press(self, button: str, client_id: str = "") -> httpx.Response:
        return self._post({"client_id": client_id or new_id(), "button": button})

    def tick(self, check: Json, answers: Mapping[str, str], text: str = "", client_id: str = "") -> httpx.Response:
        """Answer rows of a danger check, each found by the beginning of its text; with words beside them, if any."""
        ids = {row["id"]: answer for start, answer in answers.items() for row in check["rows"] if row["text"].startswith(start)}
        assert len(ids) == len(answers), check
        return self._post({"client_id": client_id or new_id(), "rows": ids, **({"text": text} if text else {})})

    def tick_all(self, answer: Json, value: str = "no") -> Json:
        """Answer every row of an answer's danger check alike, and return what comes of it."""
        ids = {row["id"]: value for row in answer["check"]["rows"]}
        return self.answer_to(stored(self._post({"client_id": new_id(), "rows": ids})))

    def settled(self, text: str) -> Json:
        """Say something, deny every row of the danger check that waits, and return the answer."""
        answer = self.say(text)
        return self.tick_all(answer) if answer.get("check") and answer["check"]["waits"] else answer

    def _post(self, body: Json) -> httpx.Response:
        content = json.dumps(body).encode("ascii")
        return self.ask("POST", "/messages", content=content, headers={"Content-Type": "application/json"})

    def say(self, text: str) -> Json:
        """Send a message and return its answer."""
        return self.answer_to(stored(self.send(text)))

    def choose(self, title: str, answer: Json) -> Json:
        """Press the button of this title, and return the answer to it."""
        (button,) = [each["id"] for each in answer["buttons"] if each["title"] == title]
        return self.answer_to(stored(self.press(button)))

    def answer_to(self, seq: int, seconds: float = 8.0) -> Json:
        """The answer to the message at this place; it is waited for."""
        end = time.monotonic() + seconds
        after = seq
        while time.monotonic() < end:
            for event in self.events(after, wait=1):
                if event.get("reply_to") == seq:
                    return event
                after = event["seq"]
        raise AssertionError(f"no answer to message {seq} after {seconds} s")

    def events(self, after: int = 0, wait: int = 0) -> list[Json]:
        response = self.ask("GET", "/events", params={"after": after, "wait": wait})
        assert response.status_code == 200, response.text
        events: list[Json] = response.json()["events"]
        return events

    def texts(self) -> list[str]:
        """What this patient typed or pressed, as the transcript has it."""
        return [event["text"] for event in self.events() if event["kind"] == "message"]


@dataclass
class Door:
    """A running gateway, with what stands behind it.

    Attributes:
        client: a browser without a token.
        portal: calls functions in the gateway's own event loop.
    """

    app: FastAPI
    settings: Settings
    rasa: ScriptedRasa
    clock: Clock
    client: httpx.Client
    portal: BlockingPortal
    file: Path

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    @property
    def records(self) -> Records:
        return self.services.records

    def start(self, key: str = "demo", origin: str = HOME, writer: str = "patient") -> httpx.Response:
        return self.client.post(f"{API}/sessions", json={"key": key, "writer": writer}, headers={"Origin": origin})

    def patient(self, key: str = "demo", origin: str = HOME, writer: str = "patient") -> Patient:
        response = self.start(key, origin, writer)
        assert response.status_code == 201, response.text
        return Patient(self.client, response.json(), origin)

    def name(self, patient: Patient) -> str:
        """The conversation's id, which no patient sees."""
        session = self.records.session(patient.token)
        assert session is not None
        return session.conversation

    def stored(self, patient: Patient) -> list[Event]:
        """Everything that is on record of a patient's conversation."""
        return self.records.events(self.name(patient))

    def recorded(self, patient: Patient, seq: int) -> Event:
        """The answer to a message as it is on record."""
        (answer,) = [event for event in self.stored(patient) if event.reply_to == seq]
        return answer


def stored(response: httpx.Response) -> int:
    """The place of a message that was taken."""
    assert response.status_code in (200, 202), response.text
    return int(response.json()["seq"])


def refused(response: httpx.Response, status: int, code: str = "") -> Json:
    """The body of an error, which has words for the patient and the safety card whatever the error is."""
    assert response.status_code == status, f"{response.status_code} {response.text[:400]}"
    assert response.headers["content-type"] == "application/json"
    body: Json = response.json()
    assert body["message"].strip()
    assert "911" in body["safety"]["blocks"][0]["text"]
    assert {block["kind"] for block in body["safety"]["blocks"]} == {"advice", "watch"}
    assert body["safety"]["heading"]
    if code:
        assert body["error"] == code, body
    return body


def is_emergency(answer: Mapping[str, Any]) -> bool:
    """Whether an answer tells the patient to call now."""
    return bool(answer["type"] == "triage" and answer["disposition"] == "emergency" and answer["blocks"][0]["kind"] == "advice")


@contextmanager
def opened(app: FastAPI, settings: Settings, rasa: ScriptedRasa, clock: Clock, file: Path) -> Iterator[Door]:
    """The gateway running in this process, without a network."""
    with TestClient(app, base_url=HOME, client=(ADDRESS, 5_000), raise_server_exceptions=False, follow_redirects=False) as client:
        assert client.portal is not None
        yield Door(app, settings, rasa, clock, client, client.portal, file)


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The gateway on a port of this machine, a free one if it does not matter; its address."""
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)


def scripted(rasa: ScriptedRasa) -> Rasa:
    return Rasa(("http://rasa.test",), ScriptedWire(rasa))
