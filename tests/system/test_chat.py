"""The terminal chat with the running bot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


def _chat(port: int, typed: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PORT": str(port), "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "scripts.chat"],
        cwd=ROOT, env=environment, input=typed, capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def test_chat_shows_the_disposition_and_the_leaflet(stack: Stack) -> None:
    shown = _chat(stack.ports.rasa, "no fever just sore\nnone of these\n/quit\n")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.index("Chest pain or pressure?") < shown.stdout.index("CARE AT HOME")
    assert "“Temporary soreness or bruising at the needle site”" in shown.stdout
    assert "— leaflet, What are the Risks?" in shown.stdout
    assert shown.stderr == ""


def test_chat_takes_the_number_of_a_button(stack: Stack) -> None:
    shown = _chat(stack.ports.rasa, "My legs feel weak.\n1\n")
    assert shown.returncode == 0, shown.stderr
    assert "1. Yes" in shown.stdout
    assert "EMERGENCY" in shown.stdout


def test_chat_takes_the_number_of_a_row(stack: Stack) -> None:
    shown = _chat(stack.ports.rasa, "The needle site is sore.\n4\n")
    assert shown.returncode == 0, shown.stderr
    assert "4. Numb between the legs or in the seat?" in shown.stdout
    assert "EMERGENCY" in shown.stdout


def test_chat_ends_at_the_end_of_the_input(stack: Stack) -> None:
    assert _chat(stack.ports.rasa, "").returncode == 0


def test_chat_says_what_to_do_when_no_bot_runs() -> None:
    shown = _chat(1, "hello\n")
    assert shown.returncode == 1
    assert "make run" in shown.stderr
    assert "Traceback" not in shown.stderr
