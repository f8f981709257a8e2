"""Plays a simulated patient until an answer stands and no question waits: by the rows of the danger check, or in words.

In words the check is answered as people do: a sign by its number or in own words, a list of which nothing is so with a short 'none'.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Protocol

from aftercare.decision.danger_check import NAME as CHECK
from evaluation.bot import Answer
from evaluation.cases import Patient

_LONGEST = 20
_SHORT = {"yes": "yes", "unsure": "not sure"}
_DOUBT = "not sure about "
_LEADS_ON = ("chat", "not_in_leaflet", "out_of_scope", "faq")


class Talks(Protocol):
    """Whatever answers messages: the running bot."""

    def say(self, sender: str, text: str, rows: Mapping[str, str] | None = None) -> Answer:
        """One message, or rows of the danger check."""


def by_rows(bot: Talks, patient: Patient) -> list[Answer]:
    """The answers that a patient gets who taps the rows of the danger check: up to the first Yes, then the rest."""
    return _play(bot, patient, lambda checks, _: ("", _tapped(patient, checks)))


def by_words(bot: Talks, patient: Patient) -> list[Answer]:
    """The answers that a patient gets who types everything."""
    return _play(bot, patient, lambda checks, said: (_typed(patient, checks, said), {}))


def short_words(rows: int) -> list[str]:
    """What patients type beside their own words, where the danger check has so many rows."""
    numbers = [str(number) for number in range(1, rows + 1)]
    return [*_SHORT.values(), *numbers, *(_DOUBT + number for number in numbers)]


def _play(bot: Talks, patient: Patient, to_check: Callable[[list[str], list[str]], tuple[str, dict[str, str]]]) -> list[Answer]:
    sender, answers, said = uuid.uuid4().hex, list[Answer](), list[str]()
    text, rows = patient.opening, dict[str, str]()
    while len(answers) < _LONGEST:
        answers.append(bot.say(sender, text, rows))
        last = answers[-1]
        said.append(text)
        if last.about == CHECK:
            text, rows = to_check(last.checks, said)
        elif last.about:
            text, rows = _told(patient, last.about), {}
        elif last.outcome.partition(":")[0] in _LEADS_ON and not patient.rows and patient.none not in said:
            text, rows = patient.none, {}  # nothing was asked: those who were written to tell all say once what else there is
        else:
            break
    return answers


def _told(patient: Patient, fact: str) -> str:
    """What a patient says to a single question about a fact."""
    return patient.facts.get(fact) or _SHORT.get(patient.rows.get(fact, ""), patient.others)


def _tapped(patient: Patient, checks: list[str]) -> dict[str, str]:
    rows: dict[str, str] = {}
    for fact in checks:
        rows[fact] = patient.rows[fact]
        if rows[fact] == "yes":
            break
    return rows


def _typed(patient: Patient, checks: list[str], said: list[str]) -> str:
    """What a patient types to the list: the worst sign of it that they have, else that it is none; what was said is not said again."""
    sign = next((fact for fact in checks if patient.rows.get(fact, "no") != "no"), "")
    if sign:
        number = f"{_DOUBT if patient.rows[sign] == 'unsure' else ''}{checks.index(sign) + 1}"
        ways = [patient.facts[sign], number]
        ways = ways if len(patient.opening) % 2 else ways[::-1]
    else:
        ways = [patient.none, *(patient.facts[fact] for fact in checks if fact in patient.facts)]
    return next((words for words in ways if words not in said), patient.others)
