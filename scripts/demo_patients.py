"""The demo clinic's invented patients: who they are, and what they say to the bot's answers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PEOPLE = Path(__file__).with_name("demo_patients.yml")
_PRESSES = 0.6
_CHECKED_BY = ("rows", "words", "nothing")
_BEFORE_CARE, _BEHIND_ADVICE = (75, 17, 8), (50, 15, 35)


@dataclass(frozen=True)
class Person:
    """Somebody who writes to the bot.

    Attributes:
        opening: the first message.
        facts: what they answer, by what they are asked about.
        rows: what they answer to rows of the danger check; to all others No.
        then: what they write once they have been advised.
        writer: `patient` or `helper`.
        group: what they are about.
    """

    group: str
    opening: str
    facts: Mapping[str, str]
    rows: Mapping[str, str]
    then: tuple[str, ...]
    writer: str


def people(number: int, chance: random.Random) -> list[Person]:
    """So many people, in an order without meaning.

    Args:
        number: how many.
        chance: chooses; the same chance, the same people.
    """
    content = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))
    shares: dict[str, int] = content["shares"]
    groups = [name for name, share in shares.items() for _ in range(max(1, round(number * share / sum(shares.values()))))]
    chance.shuffle(groups)
    turn: Counter[str] = Counter()
    found = []
    for group in (groups + chance.choices(list(shares), list(shares.values()), k=number))[:number]:
        known = content["groups"][group]
        if turn[group] % len(known) == 0:
            chance.shuffle(known)
        found.append(_person(group, content, known[turn[group] % len(known)], chance))
        turn[group] += 1
    return found


def _person(group: str, content: Mapping[str, Any], entry: Mapping[str, Any], chance: random.Random) -> Person:
    said = {**content["voices"][entry["voice"]], **entry.get("facts", {})}
    facts = {about: str(chance.choice(texts)) for about, texts in said.items()}
    opening = chance.choice(content["hellos"]) + chance.choice(entry["says"])
    return Person(group, opening, facts, entry.get("rows", {}), tuple(entry.get("then", ())), entry.get("writer", "patient"))


class Replies:
    """What somebody says to the bot's answers, one after the other."""

    def __init__(self, person: Person, chance: random.Random) -> None:
        self._person = person
        self._chance = chance
        self._then = list(person.then)
        self._told = False

    def to(self, answer: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any] | None:
        """The next message as the patient API takes it; None where nothing more is said.

        Args:
            answer: the bot's answer as the patient sees it.
            words: what the records hold of it.
        """
        facts, about = self._person.facts, str(words.get("about"))
        if answer.get("check"):
            return self._to_check(words["rows"], answer["check"]["waits"]) or (None if answer["check"]["waits"] else self._next())
        if about in facts and answer["type"] != "triage":
            return self._say(facts[about], answer)
        if answer["type"] == "question" and not self._told:
            self._told = True
            return self._say(facts["other_symptoms"], answer)
        return self._next()

    def _next(self) -> dict[str, Any] | None:
        return {"text": self._then.pop(0)} if self._then else None

    def _say(self, words: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Words, or the answer's button that says the same."""
        button = next((each["id"] for each in answer.get("buttons") or () if each["title"].lower() == words.lower()), None)
        return {"button": button} if button is not None and self._chance.random() < _PRESSES else {"text": words}

    def _to_check(self, rows: Sequence[Mapping[str, str]], waits: bool) -> dict[str, Any] | None:
        """The danger check answered row by row, up to the first Yes as the panel sends it, or in words; None where it is left."""
        by = self._chance.choices(_CHECKED_BY, _BEFORE_CARE if waits else _BEHIND_ADVICE)[0]
        told = [self._person.rows.get(row["fact"], "no") for row in rows]
        first = next((number for number, answer in enumerate(told, start=1) if answer != "no"), 0)
        if by == "nothing":
            return None
        if by == "words":
            return {"text": f"number {first}" if first else self._person.facts["danger_check"]}
        return {"rows": {row["id"]: answer for row, answer in list(zip(rows, told, strict=True))[: first or None]}}
