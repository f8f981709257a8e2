"""Simulated patients in a closed loop: each sends a message, waits for its answer, and sends the next."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout, StreamReader

TRIAGE = "I have a fever of 101"
FAQ = "how long does the procedure take"
_TALK = 10
_PATIENCE_SECONDS = 60.0


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
    """One patient's browser; it begins a new conversation by itself after some messages."""

    def __init__(self, url: str) -> None:
        self.http = ClientSession(url, timeout=ClientTimeout(total=None))

    @abstractmethod
    async def begin(self) -> None:
        """Begin a conversation."""

    @abstractmethod
    async def send(self, text: str) -> str:
        """Send a message; the text of the answer, empty when there is none."""

    async def leave(self) -> None:
        """End the conversation and close the connections."""
        await self.http.close()


class RasaClient(Client):
    """Rasa's REST channel, ours or the plain project's."""

    sender = ""

    async def begin(self) -> None:
        """A new sender."""
        self.sender = uuid4().hex

    async def send(self, text: str) -> str:
        """Send a message."""
        async with self.http.post("/webhooks/rest/webhook", json={"sender": self.sender, "message": text}) as answer:
            return " ".join(message.get("text", "") for message in await answer.json())


class GatewayClient(Client):
    """The patient API, as the widget uses it: messages are posted, and answers come over one stream a conversation."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._headers = {"Origin": url}
        self._answers: dict[int, asyncio.Future[str]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """A new session, and its stream."""
        self._stop_listening()
        async with self.http.post("/api/v1/sessions", json={"key": "demo", "writer": "patient"}, headers=self._headers) as answer:
            answer.raise_for_status()
            self._headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
        self._listening = asyncio.create_task(self._listen())

    async def send(self, text: str) -> str:
        """Send a message, and wait for its answer."""
        message = {"client_id": uuid4().hex, "text": text}
        async with self.http.post("/api/v1/session/messages", json=message, headers=self._headers) as stored:
            stored.raise_for_status()
            seq = int((await stored.json())["seq"])
        return await self._answer(seq)

    async def leave(self) -> None:
        """Close the stream too."""
        self._stop_listening()
        await super().leave()

    def _answer(self, seq: int) -> asyncio.Future[str]:
        return self._answers.setdefault(seq, asyncio.get_running_loop().create_future())

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        self._answers.clear()

    async def _listen(self) -> None:
        async with self.http.get("/api/v1/session/stream", headers=self._headers) as stream:
            stream.raise_for_status()
            await self._take(stream.content)

    async def _take(self, lines: StreamReader) -> None:
        async for line in lines:
            event = json.loads(line[len(b"data:") :]) if line.startswith(b"data:") else {}
            if "reply_to" in event:
                self._answer(event["reply_to"]).set_result(" ".join(block["text"] for block in event["blocks"]))


async def drive(kind: type[Client], url: str, text: str, clients: int, messages: int) -> Run:
    """Let a number of clients send messages.

    Args:
        kind: how they speak.
        url: where to.
        text: what they write.
        clients: how many there are.
        messages: how many they send in all.
    """
    seconds: list[float] = []
    silent = 0

    async def patient(share: int) -> None:
        nonlocal silent
        client = kind(url)
        try:
            for sent in range(share):
                if sent % _TALK == 0:
                    await client.begin()
                started = time.perf_counter()
                try:
                    async with asyncio.timeout(_PATIENCE_SECONDS):
                        answer = await client.send(text)
                except (ClientError, TimeoutError, ValueError, KeyError):
                    answer = ""
                if answer.strip():
                    seconds.append(time.perf_counter() - started)
                else:
                    silent += 1
        finally:
            await client.leave()

    started = time.perf_counter()
    await asyncio.gather(*(patient(messages // clients) for _ in range(clients)))
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
    await client.leave()
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
    await client.leave()
    return sorted(alone)[pairs // 2], sorted(both)[pairs // 2], silent
