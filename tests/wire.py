"""The names that a protocol puts on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from aftercare.protocol import Protocol


@dataclass(frozen=True)
class Wire:
    """What answers by one protocol may name; tests/core/test_contract.py holds what the shipped one must.

    Attributes:
        codes: of findings.
        facts: that questions and rows are about.
        rows: of the danger check, in order.
        topics: of the FAQ.
    """

    codes: frozenset[str]
    facts: frozenset[str]
    rows: tuple[str, ...]
    topics: frozenset[str]

    @classmethod
    def of(cls, protocol: Protocol) -> Wire:
        rows = tuple(row.fact for row in protocol.danger_check.rows)
        return cls(
            codes=frozenset(finding.code for finding in protocol.findings.values()),
            facts=frozenset({question.about for question in protocol.questions.values()} | set(rows)),
            rows=rows,
            topics=frozenset(protocol.topics),
        )
