"""A protocol as typed, frozen values: what the files of languages/, clinical/ and its own folder say once they have been checked."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from enum import IntEnum
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from aftercare.protocol.opening import Opening


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

    A `vague` one yields to those that it is `refined_by`, which say the same more exactly. A `qualifier` only tells more of another
    finding; that it is absent says nothing of its code. `treated_pain` is the pain that the procedure was done for. Where
    the lexicon read something `milder` of the same, what the classifier alone hears is asked about. Where a
    `denial_stands`, no other reader overrules it. One that `persists` counts as present also when it is told as gone.

    Attributes:
        role: `unknown` (a symptom that the protocol does not know), `any_sign` (a danger sign, left open which),
            `gone` (a symptom since the procedure that has gone), or empty.
        yields_to: where the lexicon finds one of these in the same words, they do not tell this one.
        patterns: how patients say it.
        normal: words that say outright that it is not there.
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
    refined_by: tuple[str, ...]
    persists: bool
    role: str
    yields_to: tuple[str, ...]
    patterns: tuple[str, ...]
    normal: tuple[str, ...]


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
    answer reader knows its answers.
    """

    id: str
    about: str
    text: str
    again: str
    covers: tuple[str, ...]
    only_confirms: bool
    scale: str
    heard_as: str
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
    The one that `answers_supposed` answers what is only supposed.
    """

    id: str
    label: str
    sentences: tuple[Sentence, ...]
    recovery: bool
    before_procedure: bool
    answers_supposed: bool


@dataclass(frozen=True)
class Meaning:
    """What a message as a whole can mean besides a report of a finding and an FAQ topic.

    Attributes:
        id: the classifier's intent.
        role: `denial`, `relief`, `history`, `supposition`, `beyond` (a care question that the leaflet does not answer), or empty.
        status: the assertion status that a sign told with it has, or empty.
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


@dataclass(frozen=True)
class Clinic:
    """The clinic: what patients read of it, and its time.

    Attributes:
        mode: `demo` or `clinic`.
        details: name, numbers and hours, as wording placeholders.
        zone: where it is.
        opening: when its phone is answered.
    """

    mode: str
    details: Mapping[str, str]
    zone: ZoneInfo
    opening: Opening

    def local(self, at: datetime) -> datetime:
        """A moment, which has a time zone, in the clinic's.

        The difference of two such moments leaves out what a change to or from daylight-saving time adds: count in UTC.
        """
        return at.astimezone(self.zone)

    def day(self, at: datetime) -> date:
        """The clinic's date at a moment, which has a time zone."""
        return self.local(at).date()

    def moment(self, day: date, clock: time = time.min) -> datetime:
        """When the clinic's clock shows this on a day, in UTC; the beginning of the day without `clock`.

        A time that daylight-saving time leaves out is told by the offset before it; of one that comes twice, it is the first.
        """
        return datetime.combine(day, clock, self.zone).astimezone(timezone.utc)

    def is_open(self, at: datetime) -> bool:
        """Whether the clinic is open at a moment, which has a time zone."""
        return self.opening.is_open(self.local(at))

    def to_call(self, at: datetime) -> str:
        """Which of its numbers to call at a moment, as `details` names it: `phone` while it is open, else `after_hours_phone`."""
        return "phone" if self.is_open(at) else "after_hours_phone"


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
