"""Patients who write as the widget does: a client id for each message, sent again until it is taken; then they wait for the answer."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

API = "/api/v1"
RED_FLAG = "I have chest pain"
_SAID = (
    "The needle site is a bit sore",
    "Can I shower?",
    "My back hurts a bit more",
    "No",
    "Thank you",
    RED_FLAG,
    "How long does the cement take to get hard?",
    "Not sure",
)
_CARD = "911"
_STEPS = (0.5, 1.0, 2.0)


@dataclass
class Exchange:
    """A message and what came of it.

    Attributes:
        silences: how long each request took until the patient saw something: taken, answer, or the card.
        cards: how often the safety card came instead.
    """

    client_id: str
    text: str
    sent: float
    seq: int = 0
    taken: float = 0.0
    answered: float = 0.0
    answers: list[dict[str, Any]] = field(default_factory=list)
    silences: list[float] = field(default_factory=list)
    cards: int = 0


class CareError(AssertionError):
    """A patient saw something that nobody may see."""


class Simulated:
    """One patient.

    Attributes:
        wrong: what should not have happened.
    """

    def __init__(self, url: str, trust: ssl.SSLContext, seed: int = 0, key: str = "demo") -> None:
        self._client = httpx.AsyncClient(base_url=url, verify=trust, timeout=30, trust_env=False)
        self._origin = url
        self._random = random.Random(seed)
        self._key = key
        self.token = ""
        self.exchanges: list[Exchange] = []

    async def start(self) -> None:
        response = await self._again("POST", f"{API}/sessions", json={"key": self._key}, headers={"Origin": self._origin})
        self.token = response.json()["token"]

    async def live(self, over: asyncio.Event, first: int) -> None:
        """Write until it is over; every message that was begun is seen through."""
        await self.start()
        number = first
        while not over.is_set():
            await self.say(_SAID[number % len(_SAID)])
            number += 1
            await asyncio.sleep(self._random.uniform(1.5, 3.5))

    async def say(self, text: str) -> Exchange:
        """Send a message until it is taken, and wait until it is answered."""
        exchange = Exchange(f"load-{uuid4().hex}", text, time.monotonic())
        self.exchanges.append(exchange)
        body = {"client_id": exchange.client_id, "text": text}
        response = await self._again("POST", f"{API}/session/messages", exchange, json=body)
        exchange.taken, exchange.seq = time.monotonic(), response.json()["seq"]
        after = exchange.seq
        while not exchange.answered:
            response = await self._again("GET", f"{API}/session/events", exchange, params={"after": after, "wait": 5})
            for event in response.json()["events"]:
                after = event["seq"]
                if event.get("reply_to") == exchange.seq:
                    exchange.answered = time.monotonic()
                    exchange.answers.append(event)
        return exchange

    async def transcript(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = (await self._again("GET", f"{API}/session/events")).json()["events"]
        return events

    async def close(self) -> None:
        await self._client.aclose()

    async def _again(self, method: str, path: str, exchange: Exchange | None = None, **request: Any) -> httpx.Response:
        headers = {
            "Origin": self._origin,
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
            **request.pop("headers", {}),
        }
        failures = 0
        while True:
            began = time.monotonic()
            response = await self._client.request(method, path, headers=headers, **request)
            if exchange:
                exchange.silences.append(time.monotonic() - began)
            if response.is_success:
                return response
            if response.status_code not in (408, 429, 500, 502, 503, 504):
                raise CareError(f"{method} {path}: {response.status_code} {response.text[:300]}")
            if _CARD not in response.json()["safety"]["blocks"][0]["text"]:
                raise CareError(f"no card: {response.text[:300]}")
            if exchange:
                exchange.cards += 1
            await asyncio.sleep(_STEPS[min(failures, len(_STEPS) - 1)])
            failures += 1
