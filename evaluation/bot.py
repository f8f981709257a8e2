"""Asks the running bot over the wire contract: several conversations at once, each of its own."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from rich.progress import track

from aftercare.decision.danger_check import NAME as CHECK

_AT_ONCE = 4
_PATH = "/webhooks/rest/webhook"

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """One answer: the wire payload and how many seconds it took.

    `behind` is the outcome behind the danger check, all of it answered No, where the check stood before the answer; else empty.
    """

    custom: dict[str, Any]
    seconds: float
    behind: str = ""

    @property
    def about(self) -> str:
        """What waits for an answer: a fact, `danger_check`, or nothing."""
        return str(self.custom.get("about", ""))

    @property
    def checks(self) -> list[str]:
        """The rows of the danger check that wait, in the order of their numbers."""
        return list(self.custom.get("checks", ()))

    @property
    def outcome(self) -> str:
        """The outcome in the cases' terms: a disposition, `ask`, `faq:<topic>`, or the payload's type."""
        match self.custom["type"]:
            case "triage":
                return str(self.custom["disposition"])
            case "question":
                return "ask"
            case "faq":
                return f"faq:{self.custom['topic']}"
            case other:
                return str(other)


class Talker(ABC):
    """Whatever answers messages as the wire contract says."""

    @abstractmethod
    def say(self, sender: str, text: str, rows: Mapping[str, str] | None = None) -> Answer:
        """One message in one conversation, or rows of the danger check answered one by one, row -> `yes`, `no` or `unsure`."""

    def first(self, text: str) -> Answer:
        """The answer to a first message, with what stands behind the danger check where that comes first."""
        sender = uuid.uuid4().hex
        answer = self.say(sender, text)
        if answer.outcome != "ask" or answer.about != CHECK:
            return answer
        return replace(answer, behind=self.say(sender, "", dict.fromkeys(answer.checks, "no")).outcome)

    def dialogue(self, turns: Sequence[str]) -> list[Answer]:
        """The answers to these messages, one after the other."""
        sender = uuid.uuid4().hex
        return [self.say(sender, turn) for turn in turns]


class Bot(Talker):
    """The running bot.

    Args:
        url: its address, without a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def say(self, sender: str, text: str, rows: Mapping[str, str] | None = None) -> Answer:
        """See `Talker.say`."""
        begin = time.perf_counter()
        response = self._client.post(_PATH, json={"sender": sender, "message": text, **({"answers": dict(rows)} if rows else {})})
        seconds = time.perf_counter() - begin
        (custom,) = (message["custom"] for message in response.raise_for_status().json() if message.get("custom"))
        return Answer(custom, seconds)


def in_parallel(label: str, act: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What `act` gives for each item, in the items' order; a few at once, with a progress bar."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(track(pool.map(act, items), description=label, total=len(items)))
