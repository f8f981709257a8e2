"""Simulated patients, who write as the widget does: the same client id until the message is taken, then waiting for the answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

LINES = Path(__file__).with_name("lines.yml")
PATIENCE_SECONDS = 120.0
RED_FLAG_SHARE = 0.15
_API = "/api/v1"
_TURNS = ((1, 2, 3, 4), (52, 28, 12, 8))
_TWICE, _SWAPPED = 0.08, 0.15
_CHECKS = (("no", "yes", "left"), (60, 10, 30))
_STEPS = (1.0, 2.0, 4.0)
_WAIT_SECONDS = 5
_REQUEST_SECONDS = 15.0
_TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_GONE = 409
_CARD = "911"


@dataclass(frozen=True)
class Plan:
    """What one patient will do.

    Attributes:
        number: the patient's number.
        texts: the messages.
        red_flag: the first message is an emergency.
        twice: the messages that are sent twice, `together` or `later`.
        swapped: the first two messages are sent at once, the second before the first.
        check: what becomes of a danger check: No to every row, Yes to the worst one, or it is left.
    """

    number: int
    texts: tuple[str, ...]
    red_flag: bool
    twice: Mapping[int, str]
    swapped: bool
    check: str = "left"


def lines() -> dict[str, list[str]]:
    """What patients write: `red_flags` and `others`."""
    found: dict[str, list[str]] = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    return found


def plan(number: int, seed: int, said: Mapping[str, list[str]]) -> Plan:
    """What the patient of this number will do; the same seed, the same plan."""
    chance = random.Random(f"{seed}/{number}")
    turns = chance.choices(*_TURNS)[0]
    red_flag = chance.random() < RED_FLAG_SHARE
    opening = chance.choice(said["red_flags"] if red_flag else said["others"])
    texts = (opening, *chance.choices(said["others"], k=turns - 1))
    twice = {turn: chance.choice(("together", "later")) for turn in range(turns) if chance.random() < _TWICE}
    return Plan(number, texts, red_flag, twice, turns > 1 and chance.random() < _SWAPPED, chance.choices(*_CHECKS)[0])


@dataclass(slots=True)
class Sent:
    """A message and what came of it.

    Attributes:
        seq: the place at which it was taken; 0 when it never was.
        answer: the place of the answer that the patient saw; 0 when none came.
        began: when it was first sent, on the clock of `time.monotonic`.
        answered: when its answer was there.
        rows: the rows of the danger check that it answers, by their ids; it has no words then.
    """

    client_id: str
    text: str
    red_flag: bool
    began: float = 0.0
    seq: int = 0
    answer: int = 0
    answered: float = 0.0
    rows: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Ledger:
    """What all patients saw.

    Attributes:
        sent: every message, by its client id.
        refused: the moments at which a request failed.
        counts: how often what happened.
        wrong: what should not have happened; no words of a patient.
    """

    sent: dict[str, Sent] = field(default_factory=dict)
    refused: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class _GaveUpError(Exception):
    """A request that did not succeed within a patient's patience."""


class _GoneError(Exception):
    """Rows of a danger check that waits no longer."""


class Patient:
    """One patient.

    Args:
        client: the connections that all patients share; knows the gateway's address.
        doing: what to do.
        prefix: begins the client ids of this run.
        ledger: where it is written down.
    """

    def __init__(self, client: httpx.AsyncClient, doing: Plan, prefix: str, ledger: Ledger) -> None:
        self._client = client
        self._plan = doing
        self._ledger = ledger
        self._headers = {"Origin": str(client.base_url).rstrip("/")}
        self._seen = 0
        self._asked: list[Mapping[str, Any]] = []
        self._sent = [Sent(f"{prefix}-{doing.number}-{turn}", text, doing.red_flag and turn == 0) for turn, text in enumerate(doing.texts)]

    async def live(self) -> None:
        """Say everything, and wait for every answer."""
        counts = self._ledger.counts
        try:
            started = await self._again("POST", "/sessions", json={"key": "demo", "writer": "patient"})
            self._headers["Authorization"] = f"Bearer {started.json()['token']}"
            turns = list(range(len(self._sent)))
            if self._plan.swapped:
                counts["sent at once, the second first"] += 1
                await self._say(1, 0)
                await self._tick(1)
                turns = turns[2:]
            for turn in turns:
                await self._say(turn)
                await self._tick(turn)
        except _GaveUpError:
            counts["patients who gave up"] += 1
        counts["conversations"] += 1

    async def _say(self, *turns: int) -> None:
        """Send messages at once, and wait until all are answered."""
        await asyncio.gather(*map(self._send, turns))
        waiting = {self._sent[turn].seq: self._sent[turn] for turn in turns}
        await self._hear(waiting)
        for turn in turns:
            if self._plan.twice.get(turn) == "later":
                await self._deliver(self._sent[turn])

    async def _tick(self, turn: int) -> None:
        """Answer the danger check that came with the last answer."""
        rows, check = self._asked, self._plan.check
        if not rows or check == "left":
            return
        answers = {row["id"]: check for row in (rows if check == "no" else rows[:1])}
        sent = Sent(f"{self._sent[turn].client_id}-rows", "", check == "yes" and rows[0]["danger"], time.monotonic(), rows=answers)
        self._ledger.sent[sent.client_id] = sent
        try:
            await self._deliver(sent)
        except _GoneError:
            self._ledger.counts["danger checks that waited no longer"] += 1
            return
        await self._hear({sent.seq: sent})
        self._ledger.counts["danger checks answered by rows"] += 1

    async def _send(self, turn: int) -> None:
        sent = self._sent[turn]
        sent.began = time.monotonic()
        self._ledger.sent[sent.client_id] = sent
        copies = 2 if self._plan.twice.get(turn) == "together" else 1
        await asyncio.gather(*(self._deliver(sent) for _ in range(copies)))

    async def _deliver(self, sent: Sent) -> None:
        """Send a message until it is taken; a message that was taken before must keep its place."""
        body = {"client_id": sent.client_id, **({"rows": sent.rows} if sent.rows else {"text": sent.text})}
        response = await self._again("POST", "/session/messages", sent.red_flag, json=body)
        seq = int(response.json()["seq"])
        if sent.seq:
            self._ledger.counts["messages taken twice"] += 1
        if sent.seq not in (0, seq):
            self._ledger.wrong.append(f"{sent.client_id} was stored twice, at {sent.seq} and {seq}")
        sent.seq = seq

    async def _hear(self, waiting: dict[int, Sent]) -> None:
        """Wait for the answers to these messages."""
        end = time.monotonic() + PATIENCE_SECONDS
        self._seen = max(self._seen, min(waiting))
        while any(not sent.answer for sent in waiting.values()):
            if time.monotonic() > end:
                self._ledger.wrong += [
                    f"{sent.client_id} was taken, and its answer never came" for sent in waiting.values() if not sent.answer
                ]
                raise _GaveUpError
            response = await self._again("GET", "/session/events", params={"after": self._seen, "wait": _WAIT_SECONDS})
            for event in response.json()["events"]:
                self._seen = event["seq"]
                if event["kind"] == "answer" and "reply_to" in event:  # an interview that was broken off is followed up by itself
                    self._heard(waiting.get(event["reply_to"]), event)

    def _heard(self, sent: Sent | None, event: Mapping[str, Any]) -> None:
        if sent is None or sent.answer:
            self._ledger.wrong.append(f"an answer to {event['reply_to']} came that nobody waited for, or a second one")
            return
        sent.answer, sent.answered = event["seq"], time.monotonic()
        self._asked = (event.get("check") or {}).get("rows", [])
        if sent.red_flag and event["disposition"] != "emergency":
            self._ledger.wrong.append(f"{sent.client_id} was a red flag, and no emergency was shown")

    async def _again(self, method: str, path: str, red_flag: bool = False, **request: Any) -> httpx.Response:
        """Ask until the answer is a success; whatever fails must show the safety card, or fail so that the widget shows its own."""
        end, failures = time.monotonic() + PATIENCE_SECONDS, 0
        while time.monotonic() < end:
            try:
                response = await self._client.request(method, _API + path, headers=self._headers, timeout=_REQUEST_SECONDS, **request)
                if response.is_success:
                    return response
                self._refused(response, path, red_flag)
            except httpx.HTTPError:
                self._ledger.counts["failed connections"] += 1
            self._ledger.refused.append(time.monotonic())
            await asyncio.sleep(_STEPS[min(failures, len(_STEPS) - 1)])
            failures += 1
        raise _GaveUpError

    def _refused(self, response: httpx.Response, path: str, red_flag: bool) -> None:
        """Check what a refused patient saw."""
        self._ledger.counts["refused with the safety card"] += 1
        where = f"{path} answered {response.status_code}"
        try:
            body = response.json()
            carded = _CARD in body["safety"]["blocks"][0]["text"]
        except (ValueError, LookupError, TypeError):
            body, carded = {}, False
        if not carded:
            self._ledger.wrong.append(f"{where} without the safety card")
        if red_flag and (body.get("answer") or {}).get("disposition") != "emergency":
            self._ledger.wrong.append(f"{where} to a red flag without the emergency's answer")
        elif red_flag:
            self._ledger.counts["red flags answered although refused"] += 1
        if response.status_code == _GONE and body.get("error") == "button_gone":
            raise _GoneError
        if response.status_code not in _TRY_AGAIN:
            self._ledger.wrong.append(f"{where}, which trying again does not mend")
            raise _GaveUpError
