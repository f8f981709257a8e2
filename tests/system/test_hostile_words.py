"""Words made to take for ever, at the running bot: they cost their own message, and nobody else's answer comes later for them."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import httpx
import pytest
import yaml

from aftercare.protocol import load_protocol
from scripts.stack import Stack
from tests.system.conftest import Patients
from tests.system.test_failures import FAULTS, ROOT
from tests.system.test_matrix_gateway import PLENTY, Chat

LONGEST = 4_000
VARIATIONS = 50
MOST_DELAY_SECONDS = 0.2
RED_FLAG = "I have chest pain"
TRAP = "quicksand"


def _literals() -> list[str]:
    """Words of the lexicon's own patterns, in an order that is the same every time."""
    words = sorted({word for pattern in _patterns() for word in pattern.split() if word.isalpha()})
    random.Random(13).shuffle(words)
    return words


def _patterns() -> list[str]:
    return [pattern for finding in load_protocol().findings.values() for pattern in finding.patterns]


def hostile_texts() -> list[str]:
    """Fifty texts: repeats of what patterns look for, nested beginnings without an end, long runs, and Unicode that has to be folded."""
    words = iter(_literals() * 2)
    texts = [
        "pulse " + "temp" * 60 + "! 99",
        "kypho" * 800,
        "no chest pain, " * 260,
        "not " * 1_000 + "pain",
        "a" * LONGEST,
        "9" * LONGEST,
        "9." * 2_000,
        "3 days " * 570,
        " " * (LONGEST - 1) + ".",
        "." * LONGEST,
        "((((" * 1_000,
        "'" * LONGEST,
        "\u0301" * LONGEST,
        "e\u0301" * 2_000,
        "\u200b" * (LONGEST - 1) + "a",
        "\U0001f915" * 2_000,
        "\u202e" + "niap tsehc " * 360,
        "\ufb01" * LONGEST,
        "p a i n " * 500,
        "paaaaaain " * 400,
        "if what if " * 360,
        "my mother said that " * 200,
        "100.4 F " * 500,
        "pain is 9/10 " * 300,
        "yesterday " * 400,
        "0" * 300 + "." + "0" * 300 + " F",
        "\n" * (LONGEST - 1) + "x",
        "-" * LONGEST,
        "never until now " * 250,
        "dolor " * 660,
    ]
    texts += [f"{a} {b} " * (LONGEST // (len(a) + len(b) + 2)) for a, b in islice(zip(words, words, strict=False), VARIATIONS - len(texts))]
    return [text[:LONGEST] for text in texts]


@pytest.fixture(scope="module")
def stack(start_stack: Callable[..., Patients], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    limits: Path = tmp_path_factory.mktemp("limits") / "limits.yml"
    limits.write_text(yaml.safe_dump(PLENTY))
    path = os.pathsep.join([str(FAULTS), str(ROOT)])
    return start_stack({"PYTHONPATH": path, "AFTERCARE_LIMITS": str(limits)}).stack


def _seconds(chat: Chat) -> float:
    began = time.monotonic()
    assert chat.do(RED_FLAG)["disposition"] == "emergency"
    return time.monotonic() - began


@pytest.mark.parametrize("trap", ["", TRAP], ids=["as they are", "and read for ever"])
def test_nobody_else_waits_longer_for_hostile_words(trap: str, stack: Stack) -> None:
    """Another patient's message with the hostile one and without it, in turn, so that a busy machine slows both alike.

    Where other work keeps the machine so busy that an undisturbed answer takes over a tenth of a second, the bar is twice its time.
    """
    other = Chat(stack.gateway)
    alone, beside = [], []
    with ThreadPoolExecutor(1) as pool:
        for text in hostile_texts()[:: 10 if trap else 1]:
            alone.append(_seconds(other))
            attack = Chat(stack.gateway)
            answer = pool.submit(attack.do, f"{trap}{text}"[:LONGEST])
            time.sleep(0.05)
            beside.append(_seconds(other))
            assert (answer.result()["type"] == "trouble") is bool(trap), text[:40]
            attack.close()
    other.close()
    usual = statistics.median(alone)
    assert statistics.median(beside) - usual < max(MOST_DELAY_SECONDS, 2 * usual), (alone, beside)


def test_rasa_alone_answers_them_with_the_safety_card(stack: Stack, sender: str) -> None:
    patients = Patients(stack)
    assert patients.say(sender, "My legs feel weak.").type == "question"
    answer = patients.say(sender, f"The needle site is sore {TRAP}")
    assert answer.type == "out_of_scope"
    assert load_protocol().say("trouble") in answer.text
    assert patients.say(sender, "No").checks
    patients.close()


def test_the_gateway_stops_when_it_is_told_to_while_such_a_message_is_read(stack: Stack) -> None:
    attack, gateway = Chat(stack.gateway), stack.pids["gateway"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(attack.do, TRAP)
        time.sleep(0.3)
        os.kill(gateway, signal.SIGTERM)
        until = time.monotonic() + 10
        while Path(f"/proc/{gateway}").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert not Path(f"/proc/{gateway}").exists()
        answer.exception()
    while not _ready(stack):
        time.sleep(0.2)
    assert Chat(stack.gateway).do(RED_FLAG)["disposition"] == "emergency"


def _ready(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.gateway}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False
