"""Measures the answer reader: what the bot would take each answer of a part for, question by question.

    python -m evaluation.answers development validation [--failures] [--model FILE]
    python -m evaluation.answers test

Reads with the trained model, starts no bot, and writes the figures into docs/evaluation.md. Only `development` shows its failures.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from aftercare.decision.answers import heard
from aftercare.protocol import load_protocol
from evaluation import nlu, report
from evaluation.cases import PARTS, Pair, pairs
from evaluation.figures import rate
from scripts.common import MODEL, ROOT, run_script

_CONSOLE = Console()
_SETTLING = ("yes", "no", "unsure", "aside")


def taken_for(given: Sequence[Pair], model: Path) -> list[str]:
    """What the bot takes each answer for: yes, no, unsure, aside, or nothing where it asks again.

    Raises:
        FailureError: the model could not be loaded, or an answer not be read.
    """
    protocol = load_protocol()
    readings = nlu.read(model, [pair.text for pair in given])
    return [heard(protocol, pair.question, reading).value for pair, reading in zip(given, readings, strict=True)]


def of_answers(given: Sequence[Pair], taken: Sequence[str]) -> dict[str, Any]:
    """The figures of one part: every rate as hits of a total."""
    both = list(zip(given, taken, strict=True))

    def share(label: str, *heard_as: str) -> list[int]:
        return rate(answer in heard_as for pair, answer in both if pair.label == label).as_json()

    return {
        "pairs": len(both),
        "dangerous_taken_as_no": share("yes", "no"),
        "unsure_taken_as_no": share("unsure", "no"),
        "no_taken_as_yes": share("no", "yes"),
        "aside_taken_as_answer": share("aside", "yes", "no"),
        "other_taken_as_no": share("other", "no"),
        "unclear_taken_as_no": share("unclear", "no"),
        **{f"{label}_understood": share(label, label) for label in _SETTLING},
        "asked_again": rate(not answer for pair, answer in both if pair.label in _SETTLING).as_json(),
    }


def show(part: str, results: dict[str, Any]) -> None:
    """Print a part's figures, and whether its bars are met."""
    table = Table("", "found", "bar", title=f"{part}: answers")
    bars = {bar.name: bar for bar in report.bars_of_answers(results)}
    for key, value in results.items():
        bar = bars.get(report.ANSWERS.get(key, ""))
        wanted = f"≤ {100 * bar.wanted:g}% {'met' if bar.met else 'NOT MET'}" if bar else ""
        table.add_row(key.replace("_", " "), report.cell(value), wanted)
    _CONSOLE.print(table)


def main() -> None:
    """Measure the named parts.

    Raises:
        FailureError: the model could not read the answers.
    """
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.answers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", choices=PARTS, metavar="part", help=", ".join(PARTS))
    parser.add_argument("--failures", action="store_true", help="print the development pairs that were not understood, or misunderstood")
    parser.add_argument("--model", type=Path, default=MODEL, help="another trained model than the one in models/")
    arguments = parser.parse_args()
    for part in arguments.parts:
        given = pairs(part)
        taken = taken_for(given, arguments.model)
        results = of_answers(given, taken)
        show(part, results)
        stored = report.stored()
        if part in stored:
            report.store(part, {**stored[part], "answers": results})
        if arguments.failures and part == "development":
            for pair, answer in zip(given, taken, strict=True):
                if answer != pair.label and (answer or pair.label in _SETTLING):
                    _CONSOLE.print(f"{answer or 'asked again'} instead of {pair.label}, {pair.question}: {pair.text}", markup=False)
    report.write()
    _CONSOLE.print(f"Written: {report.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    run_script(main)
