"""Sends every case of one part to the running bot and prints how many outcomes were accepted.

    python -m evaluation.measure development
    python -m evaluation.measure test

Each case is a first message in a conversation of its own. `development` was looked at and tuned on; `test` is run for the figures only, and
neither's sentences stand in the training data or the lexicon.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

FOLDER = Path(__file__).parent
HARMLESS_FOR_EMERGENCY = ("emergency", "ask")


def outcome(answer: list[dict[str, Any]]) -> str:
    """The outcome of an answer in the cases' terms: a disposition, `ask`, `faq:<topic>`, or the payload's type."""
    (custom,) = (message["custom"] for message in answer if "custom" in message)
    match custom["type"]:
        case "triage":
            return str(custom["disposition"])
        case "question":
            return "ask"
        case "faq":
            return f"faq:{custom['topic']}"
        case other:
            return str(other)


def main() -> int:
    """Measure one part; exit code 1 when an emergency was answered with self-care, an FAQ or nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("development", "test"))
    parser.add_argument("--url", default=f"http://127.0.0.1:{os.environ.get('PORT', '5005')}")
    parser.add_argument("--failures", action="store_true", help="print the cases that were not accepted (development only)")
    arguments = parser.parse_args()
    cases = [json.loads(line) for line in (FOLDER / f"{arguments.part}.jsonl").read_text(encoding="utf-8").splitlines()]
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    right: Counter[str] = Counter()
    harmful = 0
    console = Console()
    with httpx.Client(base_url=arguments.url, timeout=30) as client:
        for case in track(cases, "asking the bot", console=console, transient=True):
            body = {"sender": uuid.uuid4().hex, "message": case["text"]}
            got = outcome(client.post("/webhooks/rest/webhook", json=body).raise_for_status().json())
            group = case["accepted"][0].split(":")[0]
            outcomes[group][got.split(":")[0]] += 1
            right[group] += got in case["accepted"]
            harmful += case["accepted"] == ["emergency"] and got not in (*HARMLESS_FOR_EMERGENCY, "call_doctor")
            if arguments.failures and arguments.part == "development" and got not in case["accepted"]:
                console.print(f"{got} instead of {case['accepted']}: {case['text']}", markup=False)
    table = Table("first accepted outcome", "right", "of", "answered")
    for group, answered in outcomes.items():
        table.add_row(group, str(right[group]), str(answered.total()), ", ".join(f"{name} {n}" for name, n in answered.most_common()))
    emergencies, total = outcomes["emergency"].total(), sum(answered.total() for answered in outcomes.values())
    console.print(table)
    rest = right.total() - right["emergency"]
    console.print(f"emergencies right: {right['emergency']} of {emergencies}; the rest right: {rest} of {total - emergencies}")
    console.print(f"emergencies answered with self-care, an FAQ, chat or out of scope: {harmful}")
    return 1 if harmful else 0


if __name__ == "__main__":
    sys.exit(main())
