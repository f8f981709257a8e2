"""A protocol as typed, frozen values: what the files of languages/, clinical/ and its own folder say once they have been checked."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from aftercare.protocol.clinic import Clinic
from aftercare.protocol.grammar import Grammar, Meaning, Scales

INTRODUCTION = "confirm"


class Disposition(IntEnum):
    """What a patient is advised to do; a larger value is more urgent, so dispositions combine by `max`."""

    SELF_CARE = 1
    CALL_DOCTOR = 2
    EMERGENCY = 3

    @property
    def wire(self) -> str:
        """The name in the wire contract: `self_care`, `call_doctor` or `emergency`."""
        return self.name.lower()


@dataclass(frozen=True)
class Sentence:
    """A sentence of the leaflet, word for word, with the title of its section."""

    id: str
    section: str
    quote: str

    def as_source(self) -> dict[str, str]:
        """The sentence as a `sources` entry of the wire contract."""
        return {"section": self.section, "quote": self.quote}


@dataclass(frozen=True)
class Finding:
    """Something a patient can have. `code` is its name on the wire, `intents` the reports that mean it.

    A `vague` one yields to those that it is `refined_by`, which say the same more exactly. A `qualifier` only tells more of another
    finding; that it is absent says nothing of its code. `treated_pain` is the pain that the procedure was done for. Where
    the lexicon read something `milder` of the same, what the classifier alone hears is asked about. Where a
    `denial_stands`, no other reader overrules it. One that `persists` counts as present also when it is said to be gone.

    Attributes:
        heard_as: the sign that the sign reader hears it as.
        role: `unknown` (a symptom that the protocol does not know), `any_sign` (a danger sign, left open which),
            `gone` (a symptom since the procedure that has gone), or empty.
        yields_to: where the lexicon finds one of these in the same words, they do not tell this one.
        patterns: how patients say it.
        normal: words that say outright that it is not there.
        lookalikes: words that sound like it, and tell of a symptom that the protocol does not know.
        unless: words beside which those may tell of it all the same.
    """

    id: str
    code: str
    label: str
    intents: tuple[str, ...]
    vague: bool
    qualifier: bool
    treated_pain: bool
    milder: tuple[str, ...]
    denial_stands: bool
    heard_as: str
    refined_by: tuple[str, ...]
    persists: bool
    role: str
    yields_to: tuple[str, ...]
    patterns: tuple[str, ...]
    normal: tuple[str, ...]
    lookalikes: tuple[str, ...]
    unless: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """All of `all_of` and at least one of `any_of` present: the disposition holds."""

    id: str
    disposition: Disposition
    advice: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    ask_when: tuple[str, ...]
    basis: str
    sentence: Sentence | None
    reason: str
    leaflet_disposition: str

    def atoms(self) -> tuple[str, ...]:
        """Every finding that the rule's condition names."""
        return self.all_of + self.any_of


@dataclass(frozen=True)
class Button:
    """A quick reply: its title is what it sends; it settles findings, or means yes, no or unsure."""

    title: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Question:
    """A clarifying question about findings; `about` is the fact's name in the wire contract, `again` says the same in other words.

    Yes is always the dangerous answer, and means the first of the findings that it `covers`. `heard_as` names the examples by which the
    answer reader knows its answers. `introduction` is the wording in front of it where the readings of a message disagree; with one of its
    own it is asked by itself.
    """

    id: str
    about: str
    text: str
    again: str
    covers: tuple[str, ...]
    only_confirms: bool
    scale: str
    heard_as: str
    introduction: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class Row:
    """A row of the danger check.

    Attributes:
        fact: its name on the wire.
        tier: what its findings lead to; rows of `CALL_DOCTOR` are asked before self-care alone.
        text: what the patient reads, a dozen words at most.
        yes: the finding that Yes, or 'not sure', means.
        no: the findings that No rules out.
        closed_by: the row is settled when all findings of one of these were denied in the patient's own words.
        opened_by: new findings that ask the row again.
        names: words that point at the row.
    """

    fact: str
    tier: Disposition
    text: str
    yes: str
    no: tuple[str, ...]
    closed_by: tuple[tuple[str, ...], ...]
    opened_by: tuple[str, ...]
    names: frozenset[str]

    @property
    def findings(self) -> frozenset[str]:
        """Every finding that the row is about."""
        return frozenset({self.yes, *self.no})


@dataclass(frozen=True)
class DangerCheck:
    """The rows, worst first; for how long an answer holds, in hours; for how long a tap can be taken back, in seconds."""

    rows: tuple[Row, ...]
    valid_hours: float
    take_back_seconds: float

    def row(self, fact: str) -> Row:
        """The row about a fact.

        Raises:
            KeyError: there is none.
        """
        for row in self.rows:
            if row.fact == fact:
                return row
        raise KeyError(fact)


@dataclass(frozen=True)
class Topic:
    """An FAQ topic and the leaflet sentences that answer it.

    The danger check comes with a topic about `recovery`; one about `before_procedure` is quoted only to somebody who asks about before.
    The one that `answers_supposed` answers what is only supposed. One that quotes `red_flags` says how urgent we take them.
    """

    id: str
    label: str
    sentences: tuple[Sentence, ...]
    recovery: bool
    before_procedure: bool
    answers_supposed: bool
    red_flags: bool


@dataclass(frozen=True)
class Protocol:
    """Everything that the clinic knows and decides about one procedure, in one language."""

    id: str
    language: str
    version: str
    sentences: Mapping[str, Sentence]
    findings: Mapping[str, Finding]
    rules: tuple[Rule, ...]
    questions: Mapping[str, Question]
    max_questions: int
    open_question: str
    danger_check: DangerCheck
    topics: Mapping[str, Topic]
    wording: Mapping[str, Any]
    clinic: Clinic
    thresholds: Mapping[str, Any]
    scales: Scales
    meanings: Mapping[str, Meaning]
    grammar: Grammar

    @property
    def key(self) -> tuple[str, str]:
        """Id and language, by which a conversation is bound to it."""
        return self.id, self.language

    @cached_property
    def red_flags(self) -> frozenset[str]:
        """Findings that alone are an emergency."""
        return frozenset(
            finding for rule in self.rules if rule.disposition is Disposition.EMERGENCY and not rule.all_of for finding in rule.any_of
        )

    def role(self, name: str) -> str:
        """The finding or the meaning that has a role."""
        findings = (finding.id for finding in self.findings.values() if finding.role == name)
        meanings = (meaning.id for meaning in self.meanings.values() if meaning.role == name)
        return next(itertools.chain(findings, meanings), "")

    @cached_property
    def topic_of_suppositions(self) -> Topic:
        """The topic that answers what is only supposed."""
        return next(topic for topic in self.topics.values() if topic.answers_supposed)

    def findings_of(self, intent: str) -> tuple[str, ...]:
        """The findings that a report intent means; none for any other intent."""
        return tuple(finding.id for finding in self.findings.values() if intent in finding.intents)

    def on_the_wire(self, findings: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
        """Findings with status and evidence as wire entries; a denial stands beside no present finding of the same code.

        Args:
            findings: finding -> status and the patient's own words.
        """
        present = {self.findings[finding].code for finding, (status, _) in findings.items() if status == "present"}
        entries = []
        for finding, (status, evidence) in findings.items():
            known = self.findings[finding]
            if status != "absent" or not (known.qualifier or known.code in present):
                entries.append({"code": known.code, "status": status, "evidence": evidence, "finding": finding})
        return entries

    def say(self, key: str, **values: str) -> str:
        """A text of `wording.yml` by its dotted key, with the clinic's details and `values` put in."""
        text: Any = self.wording
        for part in key.split("."):
            text = text[part]
        return str(text).format(**self.clinic.details, **values)
