"""Asks the running bot over the wire contract: several conversations at once, each of its own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from rich.progress import track

from evaluation.cases import Patient

_AT_ONCE = 4
_LONGEST_INTERVIEW = 8
_PATH = "/webhooks/rest/webhook"

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """One answer: the wire payload and how many seconds it took."""

    custom: dict[str, Any]
    seconds: float

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


class Bot:
    """The running bot.

    Args:
        url: its address, without a slash at the end.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def say(self, sender: str, text: str) -> Answer:
        """One message in one conversation."""
        begin = time.perf_counter()
        response = self._client.post(_PATH, json={"sender": sender, "message": text})
        seconds = time.perf_counter() - begin
        (custom,) = (message["custom"] for message in response.raise_for_status().json() if message.get("custom"))
        return Answer(custom, seconds)

    def first(self, text: str) -> Answer:
        """The answer to a first message."""
        return self.say(uuid.uuid4().hex, text)

    def interview(self, patient: Patient) -> list[Answer]:
        """The answers that a simulated patient gets until the first disposition.

        They answer what they are asked. Where nothing is asked they say once what else there is, and then leave it at that.
        """
        sender, words, answers = uuid.uuid4().hex, patient.opening, list[Answer]()
        told_the_rest = False
        while len(answers) < _LONGEST_INTERVIEW:
            answers.append(self.say(sender, words))
            about = answers[-1].custom.get("about")
            if answers[-1].custom["type"] == "triage" or (not about and told_the_rest):
                break
            told_the_rest = told_the_rest or not about
            words = patient.facts[about or "other_symptoms"]
        return answers


def in_parallel(label: str, act: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What `act` gives for each item, in the items' order; a few at once, with a progress bar."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(track(pool.map(act, items), description=label, total=len(items)))
