"""Simulated patients in a closed loop: each sends a message, waits for its answer, and sends the next."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import httpx

_TALK = 10
_PATIENCE_SECONDS = 60.0
_WAIT_SECONDS = 20


@dataclass(frozen=True)
class Run:
    """What a run of clients measured.

    Attributes:
        seconds: latency of every answered message, sorted.
        wall: from the first message to the last answer, in seconds.
        silent: messages without an answer, or with an empty one.
    """

    seconds: tuple[float, ...]
    wall: float
    silent: int

    @property
    def rate(self) -> float:
        """Answered messages a second."""
        return len(self.seconds) / self.wall

    def quantile(self, share: float) -> float:
        """The latency that this share of the messages did not exceed, in seconds."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


class Client(ABC):
    """One patient's connection; it begins a new conversation by itself after some messages."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=_PATIENCE_SECONDS, trust_env=False)

    @abstractmethod
    async def begin(self) -> None:
        """Begin a conversation."""

    @abstractmethod
    async def send(self, text: str) -> str:
        """Send a message; the text of the answer, empty when there is none."""


class RasaClient(Client):
    """Rasa's REST channel, ours or the plain project's."""

    sender = ""

    async def begin(self) -> None:
        """A new sender."""
        self.sender = uuid4().hex

    async def send(self, text: str) -> str:
        """Send a message."""
        answer = await self.http.post("/webhooks/rest/webhook", json={"sender": self.sender, "message": text})
        return " ".join(message.get("text", "") for message in answer.json())


class GatewayClient(Client):
    """The patient API, as the widget uses it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.http.headers["Origin"] = url

    async def begin(self) -> None:
        """A new session."""
        answer = await self.http.post("/api/v1/sessions", json={"key": "demo", "writer": "patient"})
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def send(self, text: str) -> str:
        """Send a message, and wait for its answer."""
        stored = await self.http.post("/api/v1/session/messages", json={"client_id": uuid4().hex, "text": text})
        stored.raise_for_status()
        seq = after = int(stored.json()["seq"])
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            answer = await self.http.get("/api/v1/session/events", params={"after": after, "wait": _WAIT_SECONDS})
            for event in answer.json()["events"]:
                if event.get("reply_to") == seq:
                    return " ".join(block["text"] for block in event["blocks"])
                after = event["seq"]
        return ""


async def drive(kind: type[Client], urls: Sequence[str], text: str, clients: int, messages: int) -> Run:
    """Let a number of clients send messages, spread over the addresses.

    Args:
        kind: how they speak.
        urls: where to.
        text: what they write.
        clients: how many there are.
        messages: how many they send in all.
    """
    seconds: list[float] = []
    silent = 0

    async def patient(number: int, share: int) -> None:
        nonlocal silent
        client = kind(urls[number % len(urls)])
        try:
            for sent in range(share):
                if sent % _TALK == 0:
                    await client.begin()
                started = time.perf_counter()
                try:
                    answer = await client.send(text)
                except (httpx.HTTPError, ValueError, KeyError):
                    answer = ""
                if answer.strip():
                    seconds.append(time.perf_counter() - started)
                else:
                    silent += 1
        finally:
            await client.http.aclose()

    started = time.perf_counter()
    await asyncio.gather(*(patient(number, messages // clients) for number in range(clients)))
    return Run(tuple(sorted(seconds)), time.perf_counter() - started, silent)


async def grow(kind: type[Client], url: str, text: str, marks: Sequence[int]) -> dict[int, float]:
    """The median latency, in seconds, of the ten messages up to each mark in one long conversation."""
    client = kind(url)
    await client.begin()
    seconds: list[float] = []
    for _ in range(max(marks)):
        started = time.perf_counter()
        await client.send(text)
        seconds.append(time.perf_counter() - started)
    await client.http.aclose()
    return {mark: sorted(seconds[max(0, mark - 10) : mark])[min(5, mark // 2)] for mark in marks}


async def at_once(kind: type[Client], url: str, text: str, pairs: int) -> tuple[float, float, int]:
    """Two messages of one conversation sent together, again and again.

    Returns:
        The median time of one message alone and of the later answer of two, in seconds; how many stayed unanswered.
    """
    client = kind(url)
    alone: list[float] = []
    both: list[float] = []
    silent = 0
    for _ in range(pairs):
        await client.begin()
        started = time.perf_counter()
        silent += not (await client.send(text)).strip()
        alone.append(time.perf_counter() - started)
        started = time.perf_counter()
        answers = await asyncio.gather(client.send(text), client.send(text))
        both.append(time.perf_counter() - started)
        silent += sum(not answer.strip() for answer in answers)
    await client.http.aclose()
    return sorted(alone)[pairs // 2], sorted(both)[pairs // 2], silent
