"""The protocol as typed, frozen values: what the files in `protocols/` say once they have been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Disposition(IntEnum):
    """What a patient is told to do; a larger value is more urgent, so dispositions combine by `max`."""

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

    A `vague` one yields to those that it is `told_by`, which say the same more exactly. A `qualifier` only tells more of another
    finding; that it is absent says nothing of its code.
    """

    id: str
    code: str
    label: str
    intents: tuple[str, ...]
    vague: bool
    qualifier: bool
    told_by: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """All of `all_of` and at least one of `any_of` present: the disposition holds."""

    id: str
    disposition: Disposition
    advice: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    ask_when: tuple[str, ...]
    ask_unless: tuple[str, ...]
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
    """A clarifying question about findings; `about` is the fact's name in the wire contract."""

    id: str
    about: str
    text: str
    covers: tuple[str, ...]
    yes_means: tuple[str, ...]
    yes_means_absent: bool
    settled_by: tuple[str, ...]
    closed_by_well: bool
    only_confirms: bool
    scale: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class Topic:
    """An FAQ topic and the leaflet sentences that answer it."""

    id: str
    label: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Clinic:
    """The clinic's name, numbers and hours, as wording placeholders."""

    mode: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class Protocol:
    """Everything that the clinic knows and decides, read from one folder of `protocols/`."""

    id: str
    version: str
    sentences: Mapping[str, Sentence]
    findings: Mapping[str, Finding]
    rules: tuple[Rule, ...]
    questions: Mapping[str, Question]
    max_questions: int
    topics: Mapping[str, Topic]
    wording: Mapping[str, Any]
    clinic: Clinic
    thresholds: Mapping[str, Any]
    lexicon: Mapping[str, Any]

    @property
    def red_flags(self) -> frozenset[str]:
        """Findings that alone are an emergency."""
        return frozenset(
            finding for rule in self.rules if rule.disposition is Disposition.EMERGENCY and not rule.all_of for finding in rule.any_of
        )

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
