"""Measures the answer reader: what the bot would take each answer of a part for, question by question, and of the whole danger check.

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

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.answers import heard
from aftercare.decision.reply import Reply
from aftercare.protocol import Disposition, load_protocol
from aftercare.understanding.reading import Reading
from evaluation import nlu, report, tables
from evaluation.bars import ANSWERS, bars_of_answers
from evaluation.cases import PARTS, CardAnswer, Pair, card_answers, pairs
from evaluation.rates import rate
from scripts.common import MODEL, ROOT, FailureError, run_script

_CONSOLE = Console()
_SORE = "a bit sore where the needle went in"
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


def of_card(given: Sequence[CardAnswer], model: Path) -> dict[str, Any]:
    """The figures of one part's answers to the whole danger check, each given to the check with all of its rows.

    Raises:
        FailureError: the model could not be loaded, or an answer not be read.
    """
    assistant = Assistant(load_protocol())
    check = assistant.protocol.danger_check.rows
    ends = [_after_card(assistant, reading) for reading in nlu.read(model, [each.text for each in given])]
    dangerous, harmless = [], []
    for answer, (after, reply) in zip(given, ends, strict=True):
        for number, row in enumerate(check, 1):
            present = row.yes in after.has("present") or (reply.disposition or 0) >= row.tier
            denied = not present and (row.fact in after.settled or after.rows.get(row.fact) == "no")
            label = _label_of(answer, number)
            if label in ("yes", "unsure"):
                dangerous.append((present, denied))
            elif label == "no":
                harmless.append((row.yes in after.has("present"), denied))
    both = list(zip(given, ends, strict=True))
    return {
        "answers": len(both),
        "dangerous_taken_as_no": rate(denied for _, denied in dangerous).as_json(),
        "asides_settle": rate(_settles(*end) for each, end in both if not (each.yes or each.no or each.unsure)).as_json(),
        "no_taken_as_yes": rate(present for present, _ in harmless).as_json(),
        "dangerous_heard": rate(present for present, _ in dangerous).as_json(),
        "all_no_understood": rate(
            not after.checks and reply.disposition is Disposition.SELF_CARE
            for each, (after, reply) in both
            if "rest" in each.no and not each.yes and not each.unsure
        ).as_json(),
    }


def _after_card(assistant: Assistant, reading: Reading) -> tuple[Conversation, Reply]:
    """How the conversation stands after an answer to the whole danger check, and the reply."""
    today = assistant.today()
    shown, _ = assistant.respond(Conversation(), assistant.read(_SORE, today), today)
    if len(shown.checks) < len(assistant.protocol.danger_check.rows):
        raise FailureError(f"'{_SORE}' does not show every row of the danger check. Choose another opening in evaluation/answers.py.")
    return assistant.respond(shown, reading, today)


def _label_of(answer: CardAnswer, number: int) -> str:
    """What an answer says of the row with this number: yes, no, unsure, or nothing."""
    labels = {"yes": answer.yes, "no": answer.no, "unsure": answer.unsure}
    named = next((label for label, numbers in labels.items() if number in numbers), "")
    return named or next((label for label, numbers in labels.items() if "rest" in numbers), "")


def _settles(after: Conversation, reply: Reply) -> bool:
    return bool(after.rows or after.settled) or reply.disposition is Disposition.EMERGENCY


def show(part: str, results: dict[str, Any]) -> None:
    """Print a part's figures, and whether its bars are met."""
    table = Table("", "found", "bar", title=f"{part}: answers")
    bars = {bar.name: bar for bar in bars_of_answers(results)}
    for key, value in ((key, value) for key, value in results.items() if key != "card"):
        bar = bars.get(ANSWERS.get(key, ""))
        wanted = f"≤ {100 * bar.wanted:g}% {'met' if bar.met else 'NOT MET'}" if bar else ""
        table.add_row(key.replace("_", " "), tables.cell(value), wanted)
    for key, value in results.get("card", {}).items():
        table.add_row(f"the whole check: {key.replace('_', ' ')}", tables.cell(value))
    _CONSOLE.print(table)


def measured(part: str, model: Path) -> dict[str, Any]:
    """The figures of one part's answers, and of those to the whole danger check where it has any; raises as `taken_for` does."""
    given, to_card = pairs(part), card_answers(part)
    return of_answers(given, taken_for(given, model)) | ({"card": of_card(to_card, model)} if to_card else {})


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
        results = measured(part, arguments.model)
        show(part, results)
        stored = report.stored()
        if part in stored:
            report.store(part, {**stored[part], "answers": results})
        if arguments.failures and part == "development":
            given = pairs(part)
            taken = taken_for(given, arguments.model)
            for pair, answer in zip(given, taken, strict=True):
                if answer != pair.label and (answer or pair.label in _SETTLING):
                    _CONSOLE.print(f"{answer or 'asked again'} instead of {pair.label}, {pair.question}: {pair.text}", markup=False)
    report.write()
    _CONSOLE.print(f"Written: {report.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    run_script(main)
