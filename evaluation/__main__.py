"""Measures parts of the benchmark through the real bot and writes docs/evaluation.md.

    python -m evaluation development validation [--failures]
    python -m evaluation test
    python -m evaluation regressions

Starts a bot of its own. The failures of `test` are counted and never shown; those of `regressions` are all shown, and stand in no report.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from aftercare.protocol import load_protocol
from evaluation import answers as answers_part
from evaluation import cases, figures, nlu, report
from evaluation.bot import Answer, Bot, in_parallel
from evaluation.peers import keyword_gate, plain_rasa
from scripts.common import MODEL, ROOT, run_script
from scripts.stack import Ports, Stack

_CONSOLE = Console()


def measure(part: str, bot: Bot, *, command: str, with_peers: bool) -> tuple[dict[str, Any], Sequence[cases.Case], Sequence[Answer]]:
    """The figures of one part, with the cases and the bot's answers behind them."""
    messages, patients, everyday = cases.cases(part), cases.patients(part), cases.everyday()
    texts = [case.text for case in messages]
    answers = in_parallel(f"{part}: messages", bot.first, texts)
    interviews = in_parallel(f"{part}: patients", bot.interview, patients)
    requests = in_parallel(f"{part}: everyday requests", bot.first, everyday)
    _, cpu = nlu.parse(MODEL, texts)
    outcomes = {"Aftercare": [answer.outcome for answer in answers]}
    if with_peers:
        outcomes["plain Rasa (DIET)"] = plain_rasa.outcomes(texts)
        outcomes["keyword gate"] = [keyword_gate.outcome(text) for text in texts]
    right = {name: [figures.is_right(c, o) for c, o in zip(messages, each, strict=True)] for name, each in outcomes.items()}
    milliseconds = sorted(1000 * seconds for seconds in cpu)
    results = {
        "command": command,
        "protocol": load_protocol().version,
        "encoder": hashlib.sha256((ROOT / "encoder" / "encoder.onnx").read_bytes()).hexdigest()[:12],
        "systems": {name: figures.of_messages(messages, each) for name, each in outcomes.items()},
        "capability": figures.capability_scores(right),
        "assertion": figures.of_assertion(messages, answers),
        "calibration": figures.of_calibration(messages, answers),
        "by_lexicon_alone": figures.by_lexicon_alone(answers).as_json(),
        "answers": answers_part.of_answers(cases.pairs(part), answers_part.taken_for(cases.pairs(part), MODEL)),
        "patients": figures.of_patients(patients, interviews),
        "everyday_raised": figures.rate(answer.outcome in figures.LEVELS for answer in requests).as_json(),
        "latency_ms": figures.of_latency(answers),
        "cpu_ms": {"p50": round(milliseconds[len(milliseconds) // 2], 1), "p95": round(milliseconds[int(0.95 * len(milliseconds))], 1)},
    }
    return results, messages, answers


def show(part: str, results: dict[str, Any]) -> None:
    """Print the bars and the systems' table."""
    table = Table("", "found", "bar", "met", title=f"{part}: the bars")
    for bar in report.bars(results):
        found = report.cell(bar.found.as_json() if isinstance(bar.found, figures.Rate) else bar.found)
        wanted = f"{'≥' if bar.at_least else '≤'} {bar.wanted:g}"
        table.add_row(bar.name, found, wanted, "yes" if bar.met else "NO")
    _CONSOLE.print(table)
    systems = Table("", *results["systems"], title=f"{part}: beside its peers")
    for key in (
        "emergency_sensitivity",
        "emergency_missed",
        "under_triage",
        "over_triage",
        "false_emergency",
        "accuracy",
        "safety_of_advice",
    ):
        systems.add_row(key.replace("_", " "), *(report.cell(system[key]) for system in results["systems"].values()))
    _CONSOLE.print(systems)


def recheck(bot: Bot) -> None:
    """Print how many of the regression cases are answered as accepted now, and each one that is not."""
    messages = cases.cases(cases.REGRESSIONS)
    answers = in_parallel(f"{cases.REGRESSIONS}: messages", bot.first, [case.text for case in messages])
    found = figures.of_messages(messages, [answer.outcome for answer in answers])
    for key in ("accuracy", "under_triage", "over_triage"):
        _CONSOLE.print(f"{cases.REGRESSIONS}: {key.replace('_', ' ')} {report.cell(found[key])}")
    _show_failures(messages, answers)


def _show_failures(messages: Sequence[cases.Case], answers: Sequence[Answer]) -> None:
    for case, answer in zip(messages, answers, strict=True):
        if not figures.is_right(case, answer.outcome):
            _CONSOLE.print(f"{answer.outcome} instead of {'/'.join(case.accepted)}: {case.text}", markup=False)


def main() -> None:
    """Measure the named parts.

    Raises:
        FailureError: the bot could not be started, or a peer not be trained.
    """
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=cases.MEASURED, metavar="part", help=", ".join(cases.MEASURED))
    parser.add_argument("--failures", action="store_true", help="print the development cases that were not answered as accepted")
    parser.add_argument("--no-peers", action="store_true", help="leave plain Rasa and the keyword gate out of the test part")
    arguments = parser.parse_args()
    in_report = [part for part in arguments.parts if part != cases.REGRESSIONS]
    again = len(in_report) < len(arguments.parts) and bool(cases.cases(cases.REGRESSIONS))
    if len(in_report) < len(arguments.parts) and not again:
        _CONSOLE.print("There are no regression cases yet; `python -m gateway regressions` writes them.")
    if not in_report and not again:
        return
    command = f"make evaluate{'-test' if 'test' in arguments.parts else ''}"
    with tempfile.TemporaryDirectory() as folder, Stack(Ports.free(), Path(folder) / "conversations.db", Path(folder)) as stack:
        if again:
            recheck(Bot(stack.url))
        for part in in_report:
            with_peers = part == "test" and not arguments.no_peers
            results, messages, answers = measure(part, Bot(stack.url), command=command, with_peers=with_peers)
            report.store(part, results)
            show(part, results)
            if arguments.failures and part == "development":
                _show_failures(messages, answers)
    if not in_report:
        return
    report.write()
    _CONSOLE.print(f"Written: {report.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    run_script(main)
