"""How a language works, as typed values: what languages/<code>/ says, and what a message or a figure can mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Meaning:
    """What a message as a whole can mean besides a report of a finding and an FAQ topic.

    Attributes:
        id: the classifier's intent.
        role: `denial`, `relief`, `history`, `supposition`, `beyond` (a care question that the leaflet does not answer), `callback` (asks
            for a person or a call), or empty.
        status: the assertion status that a sign mentioned with it has, or empty.
        reports_nothing: the classifier, sure of it, speaks against a report.
        unchanged: as the patient says, all is as it was.
        closes: a message of it asks about no topic.
        short_answer: a word of the interview.
        silent: the wording that answers a question which no leaflet answers, or empty.
        reply_type: the type of its answer on the wire; empty where it has no answer of its own.
        reply_texts: the wordings of its answer.
    """

    id: str
    role: str
    status: str
    reports_nothing: bool
    unchanged: bool
    closes: bool
    short_answer: bool
    silent: str
    reply_type: str
    reply_texts: tuple[str, ...]


@dataclass(frozen=True)
class Scale:
    """What a measure means: bands from the highest on, each with the least value and its finding; `rules_out` is absent below its own."""

    bands: tuple[tuple[float, str], ...]
    rules_out: str

    def finding(self, value: float) -> str:
        """The finding of the band in which a value lies; empty below all."""
        return next((finding for least, finding in self.bands if value >= least), "")


@dataclass(frozen=True)
class Scales:
    """The scales: temperature in degrees Fahrenheit, pain from 0 to 10, and days since the procedure.

    Attributes:
        expected_days: for so many days more pain is expected.
        later: the finding that a later day means; empty where the protocol does not count days.
    """

    temperature: Scale
    pain: Scale
    expected_days: float
    later: str


@dataclass(frozen=True)
class Grammar:
    """How a language works, as the files in languages/<code>/ say it, with the words of the body and of the procedure.

    Attributes:
        words: word classes for the patterns.
        names_of_signs: the words of which a sign's plain name is made.
        procedure: the procedure's own names, as regular expressions.
    """

    code: str
    tokens: Mapping[str, Any]
    clauses: Mapping[str, Any]
    assertion: Mapping[str, Any]
    answers: Mapping[str, Any]
    dialogue: Mapping[str, Any]
    measures: Mapping[str, Any]
    spelling: Mapping[str, Any]
    idioms: tuple[str, ...]
    other_languages: frozenset[str]
    own_words: frozenset[str]
    words: Mapping[str, Sequence[str]]
    names_of_signs: frozenset[str]
    procedure: tuple[str, ...]

    def acts(self, kind: str) -> tuple[str, ...]:
        """The acts of a kind, in order."""
        return tuple(name for name, act in self.dialogue["acts"].items() if act.get("kind") == kind)
