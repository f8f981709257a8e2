from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftercare.assistant import Assistant
from aftercare.protocol import Disposition, Protocol
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.reading import Status

CASES: list[dict[str, Any]] = [
    {**case, "group": group}
    for group, cases in yaml.safe_load((Path(__file__).parent / "assertion_cases.yml").read_text(encoding="utf-8")).items()
    for case in cases
]

# Cases by id (see `name`) that the engine reads wrongly, and that do no harm. Never a red flag that is present.
KNOWN_FAILURES: frozenset[str] = frozenset({"leg_numbness present: My leg is not weak but numb"})


def name(case: dict[str, Any]) -> str:
    return f"{case['finding']} {case['status']}: {case['text']}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_status(assistant: Assistant, today: date, case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if name(case) in KNOWN_FAILURES:
        request.applymarker(pytest.mark.xfail(strict=True))
    expected = Status(case["status"])
    mentions = [m for m in assistant.read(case["text"], today).mentions if m.finding == case["finding"]]
    found = {mention.status for mention in mentions}
    assert found, f"{case['finding']} was not found at all"
    assert expected in found
    assert expected is Status.PRESENT or Status.PRESENT not in found
    if "trigger" in case:
        assert case["trigger"] in {mention.trigger for mention in mentions}


def test_a_mention_quotes_the_patient(assistant: Assistant, today: date) -> None:
    for case in CASES:
        reading = assistant.read(case["text"], today)
        for mention in reading.mentions:
            assert reading.evidence(mention).strip()


def test_the_cases_are_many_and_of_every_status(protocol: Protocol) -> None:
    assert len(CASES) >= 150
    assert {case["status"] for case in CASES} == {status.value for status in Status} - {Status.NOT_MEANT.value}  # no words tell that
    assert len({name(case) for case in CASES}) == len(CASES)
    assert {case["finding"] for case in CASES} <= set(protocol.findings)


def test_every_red_flag_stands_in_a_case_that_is_present(protocol: Protocol) -> None:
    composed = {"red_flag", "severe_illness", "internal_bleeding"}
    shown = {case["finding"] for case in CASES if case["status"] == "present"}
    assert protocol.red_flags - composed <= shown


def test_no_present_red_flag_is_a_known_failure(protocol: Protocol) -> None:
    alarming = {
        finding
        for rule in protocol.rules
        if rule.disposition is Disposition.EMERGENCY
        for finding in rule.atoms()
        if finding in protocol.red_flags
    }
    harmful = {name(case) for case in CASES if case["status"] == "present" and case["finding"] in alarming}
    assert not harmful & KNOWN_FAILURES
    assert {name(case) for case in CASES} >= KNOWN_FAILURES


@pytest.mark.parametrize(
    ("text", "reach", "negated"),
    [
        ("not good", 1, True),
        ("not bad good", 1, False),
        ("not bad good", 2, True),
        ("no , good", 2, False),
        ("never but good", 2, False),
        ("good", 1, False),
    ],
)
def test_a_negation_reaches_so_many_words_in_its_own_clause(clauses: Clauses, text: str, reach: int, negated: bool) -> None:
    norms = text.split()
    assert clauses.is_negated(norms, len(norms) - 1, reach) is negated
    assert reach > 1 or clauses.is_negated(norms, len(norms) - 1) is negated
