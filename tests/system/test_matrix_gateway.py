"""Every red flag in every state of the chat, as the widget sends it: through the gateway's patient API, buttons pressed as buttons."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from aftercare.protocol import Disposition, Protocol, load_protocol
from scripts.stack import Stack
from tests.system.conftest import ROWS, Patients
from tests.system.test_matrix import COMPOSED, FORMS, LEFT, PHRASES, STATES, Move, rows_answered

# The API takes no empty message; the widget's shortest one without a word is a blank.
WORDLESS = " "
PLENTY = {
    "start": {"address": "100000 per minute", "key": "100000 per minute"},
    "message": {"session": "100000 per minute", "address": "100000 per minute"},
    "read": {"session": "100000 per minute"},
    "refused": {"address": "100000 per minute"},
}
AT_ONCE = 6
ANSWER_SECONDS = 15
FACTS = {row.text: fact for fact, row in ROWS.items()}

Event = dict[str, Any]


class Chat:
    """One patient's chat, as the panel carries it on."""

    def __init__(self, gateway: str, key: str = "demo") -> None:
        self._client = httpx.Client(base_url=f"{gateway}/api/v1", timeout=ANSWER_SECONDS, trust_env=False, headers={"Origin": gateway})
        started = self._done(self._client.post("/sessions", json={"key": key, "writer": "patient"}))
        self._client.headers["Authorization"] = f"Bearer {started['token']}"
        self._last: Event = started["events"][-1]

    def do(self, move: Move) -> Event:
        """Type words, press the button of that name when there is one, or answer rows of the danger check; the answer's event."""
        stored = self._done(self._client.post("/session/messages", json={"client_id": str(uuid4()), **self._body(move)}))
        self._last = self._answer_to(stored["seq"])
        return self._last

    def _body(self, move: Move) -> dict[str, Any]:
        if isinstance(move, str):
            button = next((each["id"] for each in self._last.get("buttons", ()) if each["title"] == move), None)
            return {"button": button} if button else {"text": move or WORDLESS}
        ids = {FACTS[row["text"]]: row["id"] for row in self._last["check"]["rows"]}
        return {"rows": {ids[fact]: answer for fact, answer in rows_answered(move, list(ids)).items()}}

    def close(self) -> None:
        self._client.close()

    def _answer_to(self, seq: int) -> Event:
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            for event in self._done(self._client.get("/session/events", params={"after": seq, "wait": 5}))["events"]:
                if event.get("reply_to") == seq:
                    return dict(event)
        raise AssertionError("no answer")

    @staticmethod
    def _done(response: httpx.Response) -> dict[str, Any]:
        assert response.is_success, f"{response.status_code} {response.text[:300]}"
        return dict(response.json())


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol()


@pytest.fixture(scope="module")
def stack(start_stack: Callable[..., Patients], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A running bot that lets one address send as much as the matrix needs."""
    limits: Path = tmp_path_factory.mktemp("limits") / "limits.yml"
    limits.write_text(yaml.safe_dump(PLENTY))
    return start_stack({"AFTERCARE_LIMITS": str(limits)}).stack


@pytest.fixture(scope="module")
def crowd() -> Iterator[ThreadPoolExecutor]:
    """So many patients at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool


def _told(protocol: Protocol, answer: Event) -> set[str]:
    """What an answer is: its type, its disposition, and the fact that its question is about."""
    asked = {block["text"] for block in answer["blocks"] if block["kind"] == "question"}
    facts = {question.about for question in protocol.questions.values() if question.text in asked}
    return {answer["type"], answer.get("disposition", ""), *facts, *(["danger_check"] if answer.get("check") else [])}


def _advice(protocol: Protocol, finding: str) -> set[str]:
    """The advice of the emergency rules that this finding alone brings about."""
    rules = (rule for rule in protocol.rules if rule.disposition is Disposition.EMERGENCY and not rule.all_of and finding in rule.any_of)
    return {protocol.say(f"advice.{rule.advice}") for rule in rules}


def _cell(stack: Stack, protocol: Protocol, before: list[Move], told: str, words: str, expected: set[str]) -> str:
    """Bring a chat into a state, say the words; what is wrong with the answer, empty when it is an emergency as it should be."""
    chat = Chat(stack.gateway)
    try:
        answer: Event = {}
        for move in before:
            answer = chat.do(move)
        if before and told not in _told(protocol, answer):
            return f"the state was not reached: {answer}"
        answer = chat.do(words)
    finally:
        chat.close()
    if answer.get("disposition") != "emergency" or answer["type"] != "triage":
        return f"no emergency: {answer}"
    advised = next(block["text"] for block in answer["blocks"] if block["kind"] == "advice")
    return "" if any(advised.startswith(advice) for advice in expected) or told == "emergency" else f"another rule's advice: {advised}"


@pytest.mark.parametrize("finding", PHRASES)
def test_red_flag_in_every_state_of_the_widgets_chat(finding: str, stack: Stack, protocol: Protocol, crowd: ThreadPoolExecutor) -> None:
    cells = {state: (before, told, PHRASES[finding] + ".") for state, (before, told) in STATES.items() if LEFT not in before}
    cells |= {form: ([], "", words.format(phrase=PHRASES[finding])) for form, words in FORMS.items()}
    expected = _advice(protocol, finding)
    waiting = {name: crowd.submit(_cell, stack, protocol, *cell, expected) for name, cell in cells.items()}
    wrong = {name: problem for name, cell in waiting.items() if (problem := cell.result())}
    assert not wrong


def test_the_matrix_holds_every_red_flag_and_every_question(protocol: Protocol) -> None:
    assert set(PHRASES) == set(protocol.red_flags) - COMPOSED
    asked = {question.about for question in protocol.questions.values() if not question.only_confirms}
    assert asked <= {told for _, told in STATES.values()}
