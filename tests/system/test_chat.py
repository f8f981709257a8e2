"""The terminal chat with the running bot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from aftercare.protocol import load_library
from scripts.chat import chosen, measured_facts, show
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


def test_number_typed_where_a_number_is_asked_for_is_that_number_and_no_button(stack: Stack) -> None:
    shown = _chat(stack.ports.rasa, "My back hurts\nnone of these\n4\n")
    assert shown.returncode == 0, shown.stderr
    assert "How many days ago was the procedure?" in shown.stdout
    assert "- 2 days ago" in shown.stdout
    assert "1. Today" not in shown.stdout
    asked, _, after = shown.stdout.partition("you> 4")
    assert "Not sure" in asked
    assert "CALL YOUR DOCTOR" in after  # the fourth day; `3 days or more` is the fourth button, too


@pytest.mark.parametrize(
    ("about", "typed", "sent"), [("pain", "2", "2"), ("days_since_procedure", "2", "2"), ("walking", "2", "No"), ("walking", "3", "3")]
)
def test_number_is_a_button_only_where_no_number_is_asked_for(about: str, typed: str, sent: str) -> None:
    answer = {
        "custom": {"type": "question", "about": about},
        "text": "How?",
        "buttons": [{"title": t, "payload": t} for t in ("Yes", "No")],
    }
    measured = measured_facts(load_library()) | {"pain"}
    assert chosen(typed, show(Console(quiet=True), [answer], measured)) == sent


def test_chat_takes_the_number_of_a_row(stack: Stack) -> None:
    shown = _chat(stack.ports.rasa, "The needle site is sore.\n4\n")
    assert shown.returncode == 0, shown.stderr
    assert "4. Numb between the legs or where you sit?" in shown.stdout
    assert "EMERGENCY" in shown.stdout


def test_chat_ends_at_the_end_of_the_input(stack: Stack) -> None:
    assert _chat(stack.ports.rasa, "").returncode == 0


def test_chat_says_what_to_do_when_no_bot_runs() -> None:
    shown = _chat(1, "hello\n")
    assert shown.returncode == 1
    assert "make run" in shown.stderr
    assert "Traceback" not in shown.stderr
