"""The training messages: each with its intent, and with the signs that it says the treated person has."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
# Files of nlu/ by urgency: an example is sometimes set beside one of a lower tier and keeps its intent. How often, by tier. In a protocol's
# reports.yml what its rules call harmless has the tier of self_care; an intent of contrast.yml has the tier that it has elsewhere.
TIERS = {"red_flags": 4, "call_doctor": 3, "vague": 3, "reports": 3, "self_care": 2, "questions": 1, "not_reported": 0, "conversation": 0}
BESIDE = {4: 0.35, 3: 0.2, 2: 0.2, 1: 0.2, 0: 0.0}
# How often a message that reports a sign, or none, is set beside another whose signs are known.
BESIDE_REPORT, BESIDE_TALK = 0.35, 0.12
SHORT_ANSWERS = frozenset({"affirm", "deny", "unsure"})
NO_INTENT = -100


@dataclass(frozen=True)
class Example:
    """One message.

    Attributes:
        text: its words.
        intent: the number of its intent, or `NO_INTENT`.
        tier: the urgency of its intent.
        present: for each sign 1 where the message reports it, else 0.
        known: for each sign 1 where that is known, else 0.
        short: whether it is the short answer to a question.
    """

    text: str
    intent: int
    tier: int
    present: tuple[float, ...]
    known: tuple[float, ...]
    short: bool = False

    @property
    def reports(self) -> bool:
        """Whether it reports a sign."""
        return any(self.present)

    def beside(self, other: Example) -> Example:
        """Both messages in one, in either order, with this one's intent and the signs of both."""
        pair = [self.text, other.text]
        random.shuffle(pair)
        present = tuple(map(max, self.present, other.present))
        known = tuple(1.0 if has else min(one, two) for has, one, two in zip(present, self.known, other.known, strict=True))
        return replace(self, text=" ".join(pair), present=present, known=known)


@dataclass(frozen=True)
class Messages:
    """All training messages, and the names of intents and signs in the order of their numbers."""

    examples: list[Example]
    intents: list[str]
    signs: list[str]

    @classmethod
    def read(cls) -> Messages:
        """The messages of clinical/ and of every protocol."""
        told_of = _read(ROOT / "clinical" / "signs" / "signs.yml")
        signs: dict[str, Any] = told_of["signs"]
        labels = Labels(signs, frozenset(told_of["unlabelled"]))
        folders = [ROOT / "clinical", *(rules.parent for rules in sorted((ROOT / "protocols").glob("*/rules.yml")))]
        told = [entry for folder in folders for entry in _told(folder)]
        intents = sorted({intent for _, intent, _ in told})
        examples = [
            Example(text, intents.index(intent), tier, *labels.of_intent(intent), short=intent in SHORT_ANSWERS)
            for text, intent, tier in told
        ]
        for file in sorted((ROOT / "clinical" / "signs").glob("*.jsonl")):
            rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
            examples += [Example(row["text"], NO_INTENT, 0, *labels.of_row(row["present"], row["not"])) for row in rows]
        return cls(examples, intents, list(signs))


class Labels:
    """Which signs a message is known to report, and which not.

    Args:
        signs: sign -> `intents` that report it, `with`, the signs that a message about it may report too without its label saying so, and
            `unknown_in`, other intents that may report it.
        unlabelled: the intents that say nothing about any sign.
    """

    def __init__(self, signs: Mapping[str, Mapping[str, Any]], unlabelled: frozenset[str]) -> None:
        self._signs, self._unlabelled = signs, unlabelled

    def of_intent(self, intent: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Present and known, by the intent of an example."""
        if intent in self._unlabelled:
            return self._labels(set(), set(self._signs))
        own = {sign for sign, entry in self._signs.items() if intent in entry.get("intents", ())}
        unknown = {sign for sign, entry in self._signs.items() if intent in entry.get("unknown_in", ())}
        return self._labels(own, unknown | self._beside(own))

    def of_row(self, present: list[str], absent: list[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Present and known, of a message that is labelled with what it reports and what it does not."""
        return self._labels(set(present), self._beside(set(present)) - set(absent))

    def _beside(self, present: set[str]) -> set[str]:
        return {other for sign in present for other in self._signs[sign].get("with", ())}

    def _labels(self, present: set[str], unknown: set[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return (
            tuple(float(sign in present) for sign in self._signs),
            tuple(float(sign in present or sign not in unknown) for sign in self._signs),
        )


def epoch(examples: list[Example], size: int) -> Iterator[list[Example]]:
    """One epoch's batches: every example with slips, some also beside another; alike in length."""
    lower = {tier: [each for each in examples if each.intent != NO_INTENT and each.tier < tier and not each.short] for tier in BESIDE}
    reports = [each for each in examples if each.reports]
    talk = [each for each in examples if not each.reports and all(each.known) and not each.short]
    rows = []
    for each in examples:
        rows.append(each)
        if random.random() < BESIDE[each.tier]:
            rows.append(each.beside(random.choice(lower[each.tier])))
        elif not each.short and random.random() < (BESIDE_REPORT if each.reports else BESIDE_TALK):
            other = random.choice(talk if random.random() < 0.75 else reports)
            rows.append(replace(each, intent=NO_INTENT).beside(other))
    rows = [replace(each, text=with_slips(each.text)) for each in rows]
    random.shuffle(rows)
    batches = []
    for start in range(0, len(rows), size * 20):
        chunk = sorted(rows[start : start + size * 20], key=lambda row: len(row.text))
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    random.shuffle(batches)
    yield from batches


def with_slips(text: str) -> str:
    """The text as it might be typed in a hurry: case, punctuation and one letter changed now and then."""
    chance = random.random()
    text = text.lower() if chance < 0.12 else text.upper() if chance < 0.16 else text
    if random.random() < 0.15:
        text = re.sub(r"[.,!?']", "", text)
    words = text.split()
    if words and random.random() < 0.2:
        place = random.randrange(len(words))
        word = words[place]
        if len(word) > 3:
            at = random.randrange(1, len(word) - 1)
            left, here, after, right = word[:at], word[at], word[at + 1], word[at + 2 :]
            words[place] = random.choice([left + after + right, left + after + here + right, left + here + here + after + right])
        text = " ".join(words)
    return text


def _told(folder: Path) -> list[tuple[str, str, int]]:
    """Text, intent and tier of every example of one folder: clinical/ or a protocol's."""
    harmless = _harmless_reports(folder)
    entries = [(file.stem, entry) for file in sorted((folder / "nlu").glob("*.yml")) for entry in _read(file)["nlu"]]
    tiers = {entry["intent"]: TIERS["self_care" if entry["intent"] in harmless else name] for name, entry in entries if name in TIERS}
    return [(line[2:], entry["intent"], tiers[entry["intent"]]) for _, entry in entries for line in entry["examples"].splitlines()]


def _harmless_reports(folder: Path) -> set[str]:
    """The reports of findings that are plain, and that a rule of the folder alone leads to self-care."""
    rules = [rule for rule in _read(folder / "rules.yml")["rules"] if not rule.get("all")]
    harmless = {finding for rule in rules if rule.get("disposition") == "self_care" for finding in rule["any"]}
    findings = {file.stem: _read(file) for file in (folder / "findings").glob("*.yml")}
    return {intent for name in harmless & set(findings) if not findings[name].get("vague") for intent in findings[name].get("intents", ())}


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content
