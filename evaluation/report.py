"""Writes docs/evaluation.md from the figures of the parts that have been measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluation import conversations, plots
from evaluation.bars import ANSWER_BARS, ANSWERS, Bar, bars, bars_of_conversations
from evaluation.cases import PARTS
from evaluation.figures import GROUPS
from evaluation.rates import Rate
from evaluation.tables import cell, table
from scripts.common import ROOT

PAGE = ROOT / "docs" / "evaluation.md"
FIGURES = ROOT / "docs" / "evaluation"
BEFORE = "before"
_HERE = Path(__file__).parent
Results = Mapping[str, Any]

CARD = {
    "dangerous_taken_as_no": "dangerous rows taken as No",
    "dangerous_heard": "dangerous rows heard",
    "no_taken_as_yes": "No taken as Yes",
    "all_no_understood": "'none of these' understood",
    "asides_settle": "asides that settle something",
}
ALARMS = {
    "emergencies_right": "emergencies shown that are right",
    "doctor_right": "call-your-doctor answers that are right",
    "false_per_1000": "false emergencies in 1,000 conversations of a clinic",
    "sign_right": "the sign named right in a true emergency",
    "sign_alone": "and no wrong one beside it",
    "needless_questions": "needless questions, the danger check apart",
    "nothing_emergency": "false emergencies where nothing is reported",
    "nothing_raised": "needless dispositions where nothing is reported",
    "nothing_asked": "needless questions where nothing is reported",
}


def stored() -> dict[str, Results]:
    """The figures of every part that has been measured."""
    files = {part: FIGURES / f"{part}.json" for part in PARTS}
    return {part: json.loads(file.read_text(encoding="utf-8")) for part, file in files.items() if file.is_file()}


def store(part: str, results: Results) -> None:
    """Keep a part's figures; they hold no sentence of a case."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / f"{part}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _current(parts: Mapping[str, Results]) -> dict[str, Results]:
    return {part: results for part, results in parts.items() if {"conversations", "alarms"} <= set(results)}


def shown_part(parts: Mapping[str, Results]) -> str:
    """The part that the pictures and the bars show: test, or the latest there is."""
    return next(part for part in reversed(PARTS) if part in parts)


def page(parts: Mapping[str, Results]) -> str:
    """The whole page; parts whose figures are of an older shape are left out until they are measured again."""
    parts = _current(parts)
    method = (_HERE / "method.md").read_text(encoding="utf-8")
    return "\n".join([*_page(parts, shown_part(parts)), "", method.rstrip(), ""])


def write() -> None:
    """Write the page and its pictures from the stored figures; nothing where no part has been measured since their shape changed."""
    parts = _current(stored())
    if not parts:
        return
    shown = parts[shown_part(parts)]
    ours = shown["systems"]["Aftercare"]
    plots.confusion(ours["confusion"], FIGURES / "confusion.svg")
    plots.errors_by_tag(ours["by_tag"], FIGURES / "errors-by-tag.svg")
    published = yaml.safe_load((_HERE / "published.yml").read_text(encoding="utf-8"))
    found = {name: system["emergency_sensitivity"] for name, system in shown["systems"].items()}
    plots.sensitivity(found, published, FIGURES / "sensitivity.svg")
    PAGE.write_text(page(parts), encoding="utf-8")


def _page(parts: Mapping[str, Results], shown: str) -> Iterator[str]:
    yield from _measured(parts)
    yield f"## The bars of conversations, on the {shown} part"
    yield ""
    yield from table(["", "found", "95% interval", "bar", ""], [_bar_row(bar) for bar in bars_of_conversations(parts[shown])])
    yield ""
    yield f"## The bars of single messages, on the {shown} part"
    yield ""
    yield from table(["", "found", "95% interval", "bar", ""], [_bar_row(bar) for bar in bars(parts[shown])])
    yield ""
    yield from _before_and_after(parts[shown])
    yield f"## Beside its peers, on the {shown} part"
    yield ""
    yield from _systems(parts[shown])
    yield ""
    yield "![Emergency sensitivity with intervals](evaluation/sensitivity.svg)"
    yield ""
    yield from _by_outcome(parts)
    yield from _by_tag(parts[shown]["systems"]["Aftercare"]["by_tag"])
    yield from _details(parts)


def _measured(parts: Mapping[str, Results]) -> Iterator[str]:
    """The title, and what was measured of which version."""
    yield "# How well Aftercare understands"
    yield ""
    yield "Written by `make evaluate` (development and validation) and `make evaluate-test`; do not edit by hand. No clinical"
    yield "validation: the cases were written for testing, in imagined patients' words. What the figures do not show stands at the end."
    yield ""
    for part, results in parts.items():
        systems = results["systems"]["Aftercare"]
        yield (
            f"- **{part}**: {systems['messages']} messages, protocol {results['protocol']}, encoder {results['encoder']}; "
            f"{results['patients']['words']['patients']} simulated patients and the other conversations, protocol "
            f"{results['conversations']['protocol']}; `{results['command']}`"
        )
    older = [part for part, results in parts.items() if results["protocol"] != results["conversations"]["protocol"]]
    if older:
        yield ""
        yield f"The tables of single messages of {' and '.join(older)} are older than those of conversations: they are of another protocol."
    yield ""


def _before_and_after(now: Results) -> Iterator[str]:
    """The same bars for the state before the sign reader, where it was measured on the same messages."""
    file = FIGURES / f"{BEFORE}.json"
    before: Results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if not before or before["systems"]["Aftercare"]["messages"] != now["systems"]["Aftercare"]["messages"]:
        return
    yield f"## Before and after: protocol {before['protocol']}, encoder {before['encoder']}, on the same messages"
    yield ""
    rows = [[bar.name, *_found(was), *_found(bar)] for was, bar in zip(bars(before), bars(now), strict=True)]
    yield from table(["", "before", "95% interval", "now", "95% interval"], rows)
    yield ""


def _by_outcome(parts: Mapping[str, Results]) -> Iterator[str]:
    yield "## By outcome"
    yield ""
    yield from table(
        ["first accepted outcome", *parts],
        [[group, *(cell(r["systems"]["Aftercare"]["by_outcome"][group]) for r in parts.values())] for group in GROUPS],
    )
    yield ""
    yield "![Confusion](evaluation/confusion.svg)"
    yield ""


def _by_tag(tags: Mapping[str, Any]) -> Iterator[str]:
    yield "## By tag"
    yield ""
    yield from table(
        ["tag", "right", "too low", "too high"], [[tag, *(cell(row[k]) for k in ("right", "under", "over"))] for tag, row in tags.items()]
    )
    yield ""
    yield "![Errors by tag](evaluation/errors-by-tag.svg)"
    yield ""


def _details(parts: Mapping[str, Results]) -> Iterator[str]:
    yield "## How far an alarm can be believed"
    yield ""
    yield "Whether what is shown is right, whether the right sign is named, and what is raised or asked over nothing. Where a part has no"
    yield "sample in a clinic's proportions, or none that reports nothing, those rows are empty."
    yield ""
    yield from table(["", *parts], [[name, *(cell(r["alarms"][key]) for r in parts.values())] for key, name in ALARMS.items()])
    yield ""
    yield "## Assertion status of the findings that a message mentions"
    yield ""
    keys = list(next(iter(parts.values()))["assertion"])
    yield from table(["", *parts], [[key.replace("_", " "), *(cell(r["assertion"][key]) for r in parts.values())] for key in keys])
    yield ""
    yield from _assertion_by_peer(parts)
    yield from conversations.patients({part: results["patients"] for part, results in parts.items()})
    yield from conversations.dialogues({part: results["dialogues"] for part, results in parts.items() if "dialogues" in results})
    yield from conversations.changes({part: results["changes"] for part, results in parts.items()})
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


def _assertion_by_peer(parts: Mapping[str, Results]) -> Iterator[str]:
    """Our statuses beside ConText's, which is given the places where our lexicon finds something."""
    for part, results in parts.items():
        peer = results.get("assertion_by_peer")
        if peer:
            ours = results["assertion"]
            yield f"The same on the {part} part, beside medspaCy's ConText, which is given the places that our lexicon finds."
            yield ""
            yield from table(["", "Aftercare", "ConText"], [[key.replace("_", " "), cell(ours[key]), cell(peer[key])] for key in peer])
            yield ""


def _answers(parts: Mapping[str, Results]) -> Iterator[str]:
    if not parts:
        return
    yield "## Answers"
    yield ""
    yield "A question and what somebody answered, in words: what the bot takes it for. Yes is always the dangerous answer."
    yield ""
    rows = [[name, *(cell(answers[key]) for answers in parts.values())] for key, name in ANSWERS.items()]
    for row, key in zip(rows, ANSWERS, strict=True):
        row.append(f"at most {100 * ANSWER_BARS[key]:g}%" if key in ANSWER_BARS else "")
    yield from table(["", *(f"{part}, {answers['pairs']} pairs" for part, answers in parts.items()), "bar"], rows)
    yield ""
    cards = {part: answers["card"] for part, answers in parts.items() if "card" in answers}
    if not cards:
        return
    yield "The same for words in answer to the whole danger check, row by row."
    yield ""
    rows = [[name, *(cell(card[key]) for card in cards.values())] for key, name in CARD.items()]
    yield from table(["", *(f"{part}, {card['answers']} answers" for part, card in cards.items())], rows)
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
    if results["capability"]:
        rows.append(["capability comparison score (0 to 100)", *(str(results["capability"][name]) for name in systems)])
    yield from table(["", *systems], rows)


def _bar_row(bar: Bar) -> list[str]:
    wanted = f"{100 * bar.wanted:g}%" if isinstance(bar.found, Rate) else f"{bar.wanted:g}"
    return [bar.name, *_found(bar), f"{'at least' if bar.at_least else 'at most'} {wanted}", "met" if bar.met else "**not met**"]


def _found(bar: Bar) -> tuple[str, str]:
    """What was found, and its interval."""
    if not isinstance(bar.found, Rate):
        return f"{bar.found:g}", ""
    low, high = bar.found.interval
    return cell(bar.found.as_json()), f"{100 * low:.1f} to {100 * high:.1f}%"
