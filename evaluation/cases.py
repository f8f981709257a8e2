"""The benchmark's data: messages with accepted outcomes, simulated patients, dialogues, answers, and everyday requests.

The part `regressions` has only messages, or nothing: what two nurses agreed was answered wrong. It is no sample, so no report shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from aftercare.protocol import Protocol, load_protocol

FOLDER = Path(__file__).parent
PARTS = ("development", "validation", "test")
REGRESSIONS = "regressions"
MEASURED = (*PARTS, REGRESSIONS)
WITH_DIALOGUES = ("development", "test")


@dataclass(frozen=True)
class Case:
    """One first message.

    Attributes:
        text: the words as typed.
        accepted: the outcomes that a careful nurse would call right: a disposition, `ask`, `faq:<topic>` or another answer type.
        findings: code and assertion status of each finding that the message mentions.
        tags: what makes the message what it is.
        sample: `clinic` (in the proportions of a clinic), `nothing` (reports nothing, and is full of body words), `hard`, or nothing.
    """

    text: str
    accepted: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    sample: str = ""

    @property
    def group(self) -> str:
        """The first accepted outcome without its topic."""
        return self.accepted[0].partition(":")[0]


@dataclass(frozen=True)
class Patient:
    """A simulated patient.

    Attributes:
        opening: their first message.
        facts: fact -> what they say when asked about it; those without `rows` have a sentence for each.
        right: what may stand in the end: a disposition, or `faq`, `chat` or `not_in_leaflet`.
        rows: row of the danger check -> `yes`, `no` or `unsure`; nothing where it was never said.
        none: what they say to a list of which nothing is so.
        others: what they say to a question that they have no words for.
        kind: `hidden` (a danger sign behind a harmless opening), `harmless` (such an opening and nothing behind it), `plain`, or nothing.
    """

    opening: str
    facts: Mapping[str, str]
    right: tuple[str, ...]
    rows: Mapping[str, str]
    none: str
    others: str
    kind: str


@dataclass(frozen=True)
class Dialogue:
    """A patient's messages one after the other, the outcomes that are right for the last one, and the letter of its kind."""

    kind: str
    turns: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True)
class CardAnswer:
    """Words in answer to the whole danger check, and the numbers of the rows that they settle; `rest` is every row not named."""

    text: str
    yes: tuple[int | str, ...]
    no: tuple[int | str, ...]
    unsure: tuple[int | str, ...]


@dataclass(frozen=True)
class Pair:
    """An answer to a question: the question's key, the words, and what they are as its answer."""

    question: str
    text: str
    label: str


def cases(part: str) -> list[Case]:
    """The messages of one part; none of `regressions` where nothing was written yet.

    Raises:
        ValueError: a line does not have the shape that schema.json says, or names what the protocol has not;
            the message names file and line.
    """
    return [_case(row) for row in _rows(FOLDER / "cases" / f"{part}.jsonl", "case")]


def _case(row: Mapping[str, Any]) -> Case:
    findings = tuple((finding["code"], finding["status"]) for finding in row["findings"])
    return Case(row["text"], tuple(row["accepted"]), findings, tuple(row["tags"]), row.get("sample", ""))


def patients(part: str) -> list[Patient]:
    """The simulated patients of one part, none of `regressions`; raises as `cases` does."""
    return [_patient(row) for row in _rows(FOLDER / "patients" / f"{part}.jsonl", "patient")]


def _patient(row: Mapping[str, Any]) -> Patient:
    facts = row["facts"]
    none, others = (row.get(key) or facts["other_symptoms"] for key in ("none", "others"))
    return Patient(row["opening"], facts, tuple(row["right"]), row.get("rows", {}), none, others, row.get("kind", ""))


def dialogues(part: str) -> list[Dialogue]:
    """The whole dialogues of one part, none of those that have none; raises as `cases` does."""
    rows = _rows(FOLDER / "dialogues" / f"{part}.jsonl", "dialogue") if part in WITH_DIALOGUES else []
    return [Dialogue(row["kind"], tuple(row["turns"]), tuple(row["right"])) for row in rows]


def card_answers(part: str) -> list[CardAnswer]:
    """The answers to the whole danger check of one part, none of those that have none; raises as `cases` does."""
    rows = _rows(FOLDER / "answers" / f"card_{part}.jsonl", "card_answer") if part in WITH_DIALOGUES else []
    return [CardAnswer(row["text"], tuple(row["yes"]), tuple(row["no"]), tuple(row["unsure"])) for row in rows]


def pairs(part: str) -> list[Pair]:
    """The answers of one part; raises as `cases` does."""
    return [Pair(row["question"], row["text"], row["label"]) for row in _rows(FOLDER / "answers" / f"{part}.jsonl", "pair")]


def everyday() -> list[str]:
    """Everyday requests that have nothing to do with us."""
    return [json.loads(line)["text"] for line in (FOLDER / "everyday.jsonl").read_text(encoding="utf-8").splitlines()]


def definitions(protocol: Protocol) -> dict[str, Any]:
    """The shapes of schema.json, with the names that a protocol has: its codes, topics and rows."""
    shapes: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))["definitions"]
    rows = [row.fact for row in protocol.danger_check.rows]
    return shapes | {
        "code": {"enum": sorted({finding.code for finding in protocol.findings.values()})},
        "faq": {"enum": [f"faq:{topic}" for topic in protocol.topics]},
        "number": shapes["number"] | {"maximum": len(rows)},
        "rows": shapes["rows"] | {"required": rows},
    }


def _rows(path: Path, shape: str) -> list[dict[str, Any]]:
    if path.stem == REGRESSIONS and not path.is_file():
        return []
    validator = Draft7Validator({"$ref": f"#/definitions/{shape}", "definitions": definitions(load_protocol())})
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        for error in validator.iter_errors(row):
            raise ValueError(f"{path.name}:{number}: {error.message}; correct it as schema.json and the protocol say")
        rows.append(row)
    return rows
