"""Measures parts of the benchmark through the real bot and writes docs/evaluation.md.

    python -m evaluation development validation [--failures]
    python -m evaluation test [--no-peers] [--conversations]
    python -m evaluation regressions
    python -m evaluation tune [--dry-run] [--keep]

Starts a bot of its own. The failures of `test` are counted and never shown; those of `regressions` are all shown, and stand in no report.
`tune` chooses the probabilities of thresholds.yml; see `python -m evaluation tune --help`.
With --conversations only patients, dialogues, answers and changes are measured; the tables of single messages stay as they were stored.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from aftercare.protocol import load_protocol
from evaluation import answers as answers_part
from evaluation import bars, cases, changes, figures, interview, nlu, report, tables
from evaluation.bot import Answer, Bot, in_parallel
from evaluation.peers import context, keyword_gate, plain_rasa
from evaluation.rates import Rate, rate
from evaluation.tuning import command as tuning
from scripts.common import MODEL, ROOT, run_script
from scripts.stack import Ports, Stack

_CONSOLE = Console()


def measure_messages(
    part: str, bot: Bot, *, command: str, stored: Mapping[str, Any], with_peers: bool
) -> tuple[dict[str, Any], Sequence[cases.Case], Sequence[Answer]]:
    """The figures of one part's single messages, with the cases and the bot's answers behind them; peers left out stay as stored."""
    messages, everyday = cases.cases(part), cases.everyday()
    texts = [case.text for case in messages]
    answers = in_parallel(f"{part}: messages", bot.first, texts)
    requests = in_parallel(f"{part}: everyday requests", bot.first, everyday)
    _, cpu = nlu.parse(MODEL, texts)
    outcomes = {"Aftercare": [figures.outcome_of(case, answer) for case, answer in zip(messages, answers, strict=True)]}
    if with_peers:
        outcomes["plain Rasa (DIET)"] = plain_rasa.outcomes(texts)
        outcomes["keyword gate"] = [keyword_gate.outcome(text) for text in texts]
    right = {name: [figures.is_right(c, o) for c, o in zip(messages, each, strict=True)] for name, each in outcomes.items()}
    milliseconds = sorted(1000 * seconds for seconds in cpu)
    results = {
        "command": command,
        **_measured_on(),
        "systems": {**stored.get("systems", {}), **{name: figures.of_messages(messages, each) for name, each in outcomes.items()}},
        "capability": figures.capability_scores(right) if with_peers else {},
        "alarms": figures.of_alarms(load_protocol(), messages, answers),
        "assertion": figures.of_assertion(messages, answers),
        "assertion_by_peer": figures.of_assertion(messages, context.answers(texts)) if with_peers else stored.get("assertion_by_peer", {}),
        "calibration": figures.of_calibration(messages, answers),
        "by_lexicon_alone": figures.by_lexicon_alone(answers).as_json(),
        "everyday_raised": rate(map(figures.raises, requests)).as_json(),
        "latency_ms": figures.of_latency(answers),
        "cpu_ms": {"p50": round(milliseconds[len(milliseconds) // 2], 1), "p95": round(milliseconds[int(0.95 * len(milliseconds))], 1)},
    }
    return results, messages, answers


def measure_conversations(part: str, bot: Bot) -> dict[str, Any]:
    """The figures of one part's patients, dialogues and answers, and of the changes that must not change an answer."""
    patients, dialogues = cases.patients(part), cases.dialogues(part)
    tapping = [patient for patient in patients if patient.rows]
    typed = in_parallel(f"{part}: patients, by words", partial(interview.by_words, bot), patients)
    tapped = in_parallel(f"{part}: patients, by rows", partial(interview.by_rows, bot), tapping)
    played = in_parallel(f"{part}: dialogues", bot.dialogue, [dialogue.turns for dialogue in dialogues])
    return {
        "patients": {"words": figures.of_patients(patients, typed), "rows": figures.of_patients(tapping, tapped)},
        **({"dialogues": figures.of_dialogues(dialogues, played)} if dialogues else {}),
        "answers": answers_part.measured(part, MODEL),
        "changes": measure_changes(part, bot),
        "conversations": _measured_on(),
    }


def measure_changes(part: str, bot: Bot) -> dict[str, Any]:
    """What changes that must not change an answer do to the emergencies of one part."""
    texts = [case.text for case in cases.cases(part) if case.accepted == ("emergency",)]
    before = in_parallel(f"{part}: emergencies", bot.first, texts)
    changed = {name: [change(text, answer) for text, answer in zip(texts, before, strict=True)] for name, change in changes.CHANGES.items()}
    return changes.of_changes(before, {name: in_parallel(f"{part}: {name}", bot.first, each) for name, each in changed.items()})


def _measured_on() -> dict[str, str]:
    encoder = hashlib.sha256((ROOT / "encoder" / "encoder.onnx").read_bytes()).hexdigest()[:12]
    return {"protocol": load_protocol().version, "encoder": encoder}


def show(part: str, results: dict[str, Any]) -> None:
    """Print the bars and the systems' table."""
    table = Table("", "found", "bar", "met", title=f"{part}: the bars")
    for bar in [*bars.bars_of_conversations(results), *bars.bars(results)]:
        found = tables.cell(bar.found.as_json() if isinstance(bar.found, Rate) else bar.found)
        wanted = f"{'≥' if bar.at_least else '≤'} {bar.wanted:g}"
        table.add_row(bar.name, found, wanted, "met" if bar.met else "NOT MET")
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
        systems.add_row(key.replace("_", " "), *(tables.cell(system[key]) for system in results["systems"].values()))
    _CONSOLE.print(systems)


def recheck(bot: Bot) -> None:
    """Print how many of the regression cases are answered as accepted now, and each one that is not."""
    messages = cases.cases(cases.REGRESSIONS)
    answers = in_parallel(f"{cases.REGRESSIONS}: messages", bot.first, [case.text for case in messages])
    found = figures.of_messages(messages, [figures.outcome_of(case, answer) for case, answer in zip(messages, answers, strict=True)])
    for key in ("accuracy", "under_triage", "over_triage"):
        _CONSOLE.print(f"{cases.REGRESSIONS}: {key.replace('_', ' ')} {tables.cell(found[key])}")
    _show_failures(messages, answers)


def _show_failures(messages: Sequence[cases.Case], answers: Sequence[Answer]) -> None:
    for case, answer in zip(messages, answers, strict=True):
        outcome = figures.outcome_of(case, answer)
        if not figures.is_right(case, outcome):
            _CONSOLE.print(f"{outcome} instead of {'/'.join(case.accepted)}: {case.text}", markup=False)


def main() -> None:
    """Measure the named parts, or tune.

    Raises:
        FailureError: the bot could not be started, or a peer not be trained.
    """
    if sys.argv[1:2] == ["tune"]:
        tuning.main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=cases.MEASURED, metavar="part", help=", ".join(cases.MEASURED))
    parser.add_argument("--failures", action="store_true", help="print the development cases that were not answered as accepted")
    parser.add_argument("--no-peers", action="store_true", help="leave the figures of the peers as they are stored")
    parser.add_argument("--conversations", action="store_true", help="leave the figures of single messages as they are stored")
    arguments = parser.parse_args()
    in_report = [part for part in arguments.parts if part != cases.REGRESSIONS]
    again = len(in_report) < len(arguments.parts) and bool(cases.cases(cases.REGRESSIONS))
    if len(in_report) < len(arguments.parts) and not again:
        _CONSOLE.print("There are no regression cases yet; `python -m gateway regressions --write FILE` writes them.")
    if not in_report and not again:
        return
    command = f"make evaluate{'-test' if 'test' in arguments.parts else ''}"
    with tempfile.TemporaryDirectory() as folder, Stack(Ports.free(), Path(folder) / "conversations.db", Path(folder)) as stack:
        if again:
            recheck(Bot(stack.url))
        for part in in_report:
            bot, stored = Bot(stack.url), report.stored().get(part, {})
            if not arguments.conversations:
                with_peers = part == "test" and not arguments.no_peers
                stored, messages, answers = measure_messages(part, bot, command=command, stored=stored, with_peers=with_peers)
                if arguments.failures and part == "development":
                    _show_failures(messages, answers)
            results = {**stored, **measure_conversations(part, bot)}
            report.store(part, results)
            show(part, results)
    if not in_report:
        return
    report.write()
    _CONSOLE.print(f"Written: {report.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    run_script(main)
