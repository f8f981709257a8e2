"""What is remembered of a conversation. Every field is plain data, so that any store can keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

REACHED, UNREACHED = "reached", "unreached"


@dataclass
class Conversation:
    """One patient's conversation so far.

    Attributes:
        findings: finding -> status (`present`, `absent`, `resolved`, `hypothetical`); once present, always present.
        evidence: finding -> the patient's own words for it.
        asked: questions asked in this interview, in order; the danger check counts as one.
        pending: the question that waits for its answer (`danger_check` where the check stands before the answer), or empty.
        repeated: how often the pending question was answered with something that could not be understood; 1 where none waits, and words
            were no report.
        checks: the rows of the danger check that wait for an answer, as they were last numbered.
        rows: row -> what it was answered with (`yes`, `no`, `unsure`); a row settled by other words is not in it.
        settled: row -> when it was denied, an ISO time; it is asked again when that is too long ago.
        supposed: the findings that the last answer supposed ('if this ever happens').
        tapped: findings that rest on the last tap alone.
        tapped_rows: rows answered by the last tap.
        tapped_question: the question answered by the last tap, or empty.
        tapped_at: when, an ISO time, or empty.
        unfinished: the danger check before an answer was left; no reassurance was given.
        disposition: the most urgent disposition given so far, or empty.
        call: what became of the call that was advised: `reached`, `unreached` where no number answered, or empty.
        procedure_day: the day of the procedure as an ISO date, or empty.
        writer: `patient` or `helper` once it is known, else empty.
        protocol: the id of the protocol that the conversation is bound to, or empty before its first turn.
        language: the code of the language that it is bound to, or empty.
    """

    findings: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pending: str = ""
    repeated: int = 0
    checks: list[str] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    supposed: list[str] = field(default_factory=list)
    tapped: list[str] = field(default_factory=list)
    tapped_rows: list[str] = field(default_factory=list)
    tapped_question: str = ""
    tapped_at: str = ""
    unfinished: bool = False
    disposition: str = ""
    call: str = ""
    procedure_day: str = ""
    writer: str = ""
    protocol: str = ""
    language: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Id and language of the protocol that it is bound to; empty before it is."""
        return self.protocol, self.language

    @classmethod
    def from_slots(cls, slots: Mapping[str, Any]) -> Conversation:
        """The conversation kept in these slots; a slot that is missing or None is as new."""
        kept = {each.name: slots[each.name] for each in fields(cls) if slots.get(each.name) is not None}
        return cls(**kept)

    @classmethod
    def parse(cls, data: object) -> Conversation:
        """The conversation in data from outside, as `to_slots` gives it; a missing field is as new.

        Raises:
            ValueError: a field is unknown or of another type.
        """
        new = asdict(cls())
        if not isinstance(data, Mapping) or not set(data) <= set(new):
            raise ValueError("a conversation has the fields " + ", ".join(new))
        for name, value in data.items():
            parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
            if not isinstance(value, type(new[name])) or not all(isinstance(part, str) for part in parts):
                raise ValueError(f"the field {name} of a conversation is of another type")
        return cls(**data)

    def to_slots(self) -> dict[str, Any]:
        """The conversation as slots."""
        return asdict(self)

    def copy(self) -> Conversation:
        """An independent copy, so that a turn never changes the conversation it began with."""
        return Conversation(**asdict(self))

    def has(self, status: str) -> set[str]:
        """The findings that have this status."""
        return {finding for finding, value in self.findings.items() if value == status}

    def record(self, finding: str, status: str, evidence: str) -> None:
        """Remember a finding; a contradiction is resolved to the more urgent: present stays present."""
        if self.findings.get(finding) == "present" or (self.findings.get(finding) == "resolved" and status != "present"):
            return
        self.findings[finding] = status
        self.evidence[finding] = evidence
