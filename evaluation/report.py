"""Writes docs/evaluation.md from the figures of the parts that have been measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evaluation import plots
from evaluation.cases import PARTS
from evaluation.figures import GROUPS, Rate
from scripts.common import ROOT

PAGE = ROOT / "docs" / "evaluation.md"
FIGURES = ROOT / "docs" / "evaluation"
_HERE = Path(__file__).parent
Results = Mapping[str, Any]

ANSWERS = {
    "dangerous_taken_as_no": "dangerous answers taken as No",
    "unsure_taken_as_no": "'not sure', refused and cannot tell taken as No",
    "no_taken_as_yes": "No taken as Yes",
    "aside_taken_as_answer": "asides taken as Yes or No",
    "other_taken_as_no": "reports of something else taken as No",
    "unclear_taken_as_no": "unclear answers taken as No",
    "yes_understood": "Yes understood",
    "no_understood": "No understood",
    "unsure_understood": "'not sure' understood",
    "aside_understood": "asides understood",
    "asked_again": "not understood, asked again",
}
_ANSWER_BARS = {
    "dangerous_taken_as_no": 0.0,
    "unsure_taken_as_no": 0.0,
    "no_taken_as_yes": 0.02,
    "aside_taken_as_answer": 0.0,
    "asked_again": 0.2,
}


@dataclass(frozen=True)
class Bar:
    """What was asked for: a share or a number, and whether more or less of it is better."""

    name: str
    found: Rate | float
    wanted: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side of the bar."""
        value = self.found.share if isinstance(self.found, Rate) else self.found
        return value >= self.wanted if self.at_least else value <= self.wanted


def bars(results: Results) -> list[Bar]:
    """The bars of one part, each with what was found."""
    ours, assertion, patients = results["systems"]["Aftercare"], results["assertion"], results["patients"]

    def share(name: str, wanted: float, source: Mapping[str, Any], key: str, *, at_least: bool = True) -> Bar:
        return Bar(name, Rate(*source[key]), wanted, at_least)

    by = ours["by_outcome"]
    return [
        share("emergencies answered `emergency`", 0.99, ours, "emergency_sensitivity"),
        share("emergencies answered with self-care, an FAQ or nothing", 0.0, ours, "emergency_missed", at_least=False),
        share("call-your-doctor messages right", 0.95, by, "call_doctor"),
        share("self-care messages right", 0.90, by, "self_care"),
        share("under-triage", 0.01, ours, "under_triage", at_least=False),
        share("over-triage", 0.05, ours, "over_triage", at_least=False),
        share("false emergencies among the rest", 0.01, ours, "false_emergency", at_least=False),
        share("FAQ topic right", 0.95, by, "faq"),
        share("silent where the leaflet is silent", 0.95, ours, "abstention"),
        share("chat and out of scope right", 0.97, ours, "talk"),
        share("everyday requests that raise a disposition", 0.002, results, "everyday_raised", at_least=False),
        Bar("negation F1", assertion["negation_f1"], 0.95, at_least=True),
        share("present symptoms switched off", 0.02, assertion, "switched_off", at_least=False),
        share("hypothetical recall", 0.80, assertion, "hypothetical_recall"),
        share("history recall", 0.70, assertion, "historical_recall"),
        share("other person recall", 0.80, assertion, "other_person_recall"),
        share("simulated patients: first disposition right", 0.95, patients, "first_right"),
        share("simulated patients under-triaged at the end", 0.0, patients, "under_triaged", at_least=False),
        Bar("questions a patient is asked, median", float(patients["questions_median"]), 3, at_least=False),
        Bar("CPU of an NLU turn, ms, median", results["cpu_ms"]["p50"], 25, at_least=False),
    ]


def bars_of_answers(answers: Results) -> list[Bar]:
    """The bars of one part's answers."""
    return [Bar(ANSWERS[key], Rate(*answers[key]), wanted, at_least=False) for key, wanted in _ANSWER_BARS.items()]


def stored() -> dict[str, Results]:
    """The figures of every part that has been measured."""
    files = {part: FIGURES / f"{part}.json" for part in PARTS}
    return {part: json.loads(file.read_text(encoding="utf-8")) for part, file in files.items() if file.is_file()}


def store(part: str, results: Results) -> None:
    """Keep a part's figures; they hold no sentence of a case."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / f"{part}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def shown_part(parts: Mapping[str, Results]) -> str:
    """The part that the pictures and the bars show: test, or the latest there is."""
    return next(part for part in reversed(PARTS) if part in parts)


def page(parts: Mapping[str, Results]) -> str:
    """The whole page."""
    method = (_HERE / "method.md").read_text(encoding="utf-8")
    return "\n".join([*_page(parts, shown_part(parts)), "", method.rstrip(), ""])


def write() -> None:
    """Write the page and its pictures from the stored figures."""
    parts = stored()
    shown = parts[shown_part(parts)]
    ours = shown["systems"]["Aftercare"]
    plots.confusion(ours["confusion"], FIGURES / "confusion.svg")
    plots.errors_by_tag(ours["by_tag"], FIGURES / "errors-by-tag.svg")
    published = yaml.safe_load((_HERE / "published.yml").read_text(encoding="utf-8"))
    found = {name: system["emergency_sensitivity"] for name, system in shown["systems"].items()}
    plots.sensitivity(found, published, FIGURES / "sensitivity.svg")
    PAGE.write_text(page(parts), encoding="utf-8")


def _page(parts: Mapping[str, Results], shown: str) -> Iterator[str]:
    yield "# How well Aftercare understands"
    yield ""
    yield "Written by `make evaluate` (development and validation) and `make evaluate-test`; do not edit by hand. No clinical"
    yield "validation: the cases were written for testing, in imagined patients' words. What the figures do not show stands at the end."
    yield ""
    for part, results in parts.items():
        systems = results["systems"]["Aftercare"]
        yield (
            f"- **{part}**: {systems['messages']} messages, {results['patients']['patients']} simulated patients, "
            f"protocol {results['protocol']}, encoder {results['encoder']}; `{results['command']}`"
        )
    yield ""
    yield f"## The bars, on the {shown} part"
    yield ""
    yield from table(["", "found", "95% interval", "bar", "met"], [_bar_row(bar) for bar in bars(parts[shown])])
    yield ""
    yield f"## Beside its peers, on the {shown} part"
    yield ""
    yield from _systems(parts[shown])
    yield ""
    yield "![Emergency sensitivity with intervals](evaluation/sensitivity.svg)"
    yield ""
    yield "## By outcome"
    yield ""
    yield from table(
        ["first accepted outcome", *parts],
        [[group, *(cell(r["systems"]["Aftercare"]["by_outcome"][group]) for r in parts.values())] for group in GROUPS],
    )
    yield ""
    yield "![Confusion](evaluation/confusion.svg)"
    yield ""
    yield "## By tag"
    yield ""
    tags = parts[shown]["systems"]["Aftercare"]["by_tag"]
    yield from table(
        ["tag", "right", "too low", "too high"], [[tag, *(cell(row[k]) for k in ("right", "under", "over"))] for tag, row in tags.items()]
    )
    yield ""
    yield "![Errors by tag](evaluation/errors-by-tag.svg)"
    yield ""
    yield from _details(parts)


def _details(parts: Mapping[str, Results]) -> Iterator[str]:
    yield "## Assertion status of the findings that a message mentions"
    yield ""
    keys = list(next(iter(parts.values()))["assertion"])
    yield from table(["", *parts], [[key.replace("_", " "), *(cell(r["assertion"][key]) for r in parts.values())] for key in keys])
    yield ""
    yield "## Simulated patients"
    yield ""
    rows = [
        [key.replace("_", " "), *(cell(r["patients"][key]) for r in parts.values())]
        for key in ("first_right", "under_triaged", "over_triaged")
    ]
    rows.append(["questions asked, median", *(str(r["patients"]["questions_median"]) for r in parts.values())])
    rows.append(["patients by number of questions", *(_counts(r["patients"]["questions"]) for r in parts.values())])
    yield from table(["", *parts], rows)
    yield ""
    yield from _answers({part: results["answers"] for part, results in parts.items() if "answers" in results})
    yield "## How sure, how right"
    yield ""
    yield "The classifier's probability of its best reading of the whole message, and how often the answer was accepted. The fallback is"
    yield "below 0.30."
    yield ""
    bands = next([f"{b['from']:.1f} to {b['to']:.1f}" for b in r["calibration"]] for r in parts.values())
    yield from table(
        ["confidence", *parts], [[band, *(cell(r["calibration"][i]["right"]) for r in parts.values())] for i, band in enumerate(bands)]
    )
    yield ""
    yield "## Time"
    yield ""
    rows = [
        [f"answer over the wire, four patients at once, {p}, ms", *(str(r["latency_ms"][p]) for r in parts.values())]
        for p in ("p50", "p95", "p99")
    ]
    rows += [[f"CPU of an NLU turn, {p}, ms", *(str(r["cpu_ms"][p]) for r in parts.values())] for p in ("p50", "p95")]
    rows.append(["answers by the lexicon alone", *(cell(r["by_lexicon_alone"]) for r in parts.values())])
    yield from table(["", *parts], rows)


def _answers(parts: Mapping[str, Results]) -> Iterator[str]:
    if not parts:
        return
    yield "## Answers"
    yield ""
    yield "A question and what somebody answered, in words: what the bot takes it for. Yes is always the dangerous answer."
    yield ""
    rows = [[name, *(cell(answers[key]) for answers in parts.values())] for key, name in ANSWERS.items()]
    for row, key in zip(rows, ANSWERS, strict=True):
        row.append(f"at most {100 * _ANSWER_BARS[key]:g}%" if key in _ANSWER_BARS else "")
    yield from table(["", *(f"{part}, {answers['pairs']} pairs" for part, answers in parts.items()), "bar"], rows)
    yield ""


def _systems(results: Results) -> Iterator[str]:
    systems = results["systems"]
    keys = {
        "emergencies answered `emergency`": "emergency_sensitivity",
        "emergencies answered with a question": "emergency_asked",
        "emergencies answered with self-care, an FAQ or nothing": "emergency_missed",
        "under-triage": "under_triage",
        "over-triage": "over_triage",
        "false emergencies": "false_emergency",
        "accuracy": "accuracy",
        "safety of advice": "safety_of_advice",
        "comprehensiveness": "comprehensiveness",
        "inclination to over-triage (of triage errors)": "inclination_to_overtriage",
    }
    rows = [[name, *(cell(system[key]) for system in systems.values())] for name, key in keys.items()]
    rows.append(["capability comparison score (0 to 100)", *(str(results["capability"][name]) for name in systems)])
    yield from table(["", *systems], rows)


def _bar_row(bar: Bar) -> list[str]:
    interval = ""
    if isinstance(bar.found, Rate):
        low, high = bar.found.interval
        interval = f"{100 * low:.1f} to {100 * high:.1f}%"
        wanted = f"{100 * bar.wanted:g}%"
        found = cell(bar.found.as_json())
    else:
        found, wanted = f"{bar.found:g}", f"{bar.wanted:g}"
    return [bar.name, found, interval, f"{'at least' if bar.at_least else 'at most'} {wanted}", "yes" if bar.met else "**no**"]


def cell(value: Sequence[int] | float) -> str:
    """A rate as `hits of total (share)`, a number as it is."""
    if not isinstance(value, Sequence):
        return f"{value:g}"
    found = Rate(*value)
    return f"{found.hits} of {found.total} ({100 * found.share:.1f}%)" if found.total else "none"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{asked}: {count}" for asked, count in counts.items())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
