"""Every combination of findings that the rules can tell apart; how the combinations are made few is told in scripts/rule_space.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftercare.protocol import Disposition, Protocol
from scripts.rule_space import Figures, RuleSpace, askers, emergencies


@pytest.fixture(scope="module")
def space(protocol: Protocol) -> RuleSpace:
    return RuleSpace(protocol)


def _print(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        print(f"\n  rule space: {line}")


def _right(figures: Figures) -> None:
    assert figures.problems == []
    assert figures.looked_at > 1_000


def test_every_combination_of_every_part_has_a_disposition_that_no_finding_lowers(
    space: RuleSpace, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = space.by_parts()
    sets = sum(1 << len(part) for part in space.parts)
    _print(capsys, f"{sets:,} combinations in {len(space.parts)} parts, {figures.looked_at:,} checks; they make up 2^{_bits(space)} sets")
    _right(figures)
    assert sorted(finding for part in space.parts for finding in part) == sorted(space.protocol.findings)


def test_every_combination_of_the_classes_at_once_has_a_disposition_that_no_finding_lowers(
    space: RuleSpace, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = space.by_classes()
    _print(capsys, f"{len(space.urgencies):,} combinations of {len(space.classes)} classes, {figures.looked_at:,} checks")
    _right(figures)
    assert sorted(finding for each in space.classes for finding in each) == sorted(space.protocol.findings)


def test_parts_classes_and_code_agree_on_sets_drawn_from_all_findings(space: RuleSpace) -> None:
    _right(space.by_chance(4_000))


def test_not_sure_never_lowers_and_no_answer_is_more_urgent(space: RuleSpace, capsys: pytest.CaptureFixture[str]) -> None:
    figures = space.answers()
    _print(capsys, f"{len(askers(space.protocol))} questions and rows in every combination, {figures.looked_at:,} checks")
    _right(figures)


def test_no_to_every_row_leaves_open_no_red_flag_but_those_that_are_heard_whenever_they_are_said(space: RuleSpace) -> None:
    """Dark thoughts are no row; severe illness is what a fever becomes by its signs, each of which has its row."""
    assert space.unasked() == ["self_harm", "severe_illness"]


def test_every_rule_can_hold_and_decides_somewhere(space: RuleSpace) -> None:
    assert space.silent_rules() == ([], [])


def test_no_emergency_needs_the_time_since_the_procedure(protocol: Protocol) -> None:
    """The one fact that a patient can take back; so no emergency is taken back, and none expires."""
    assert [smallest for smallest in emergencies(protocol) if "beyond_48_hours" in smallest] == []


def _bits(space: RuleSpace) -> int:
    return sum(len(part) for part in space.parts)


# What the enumeration must see, each in a protocol that is broken in one way.
def test_a_rule_that_is_missing_is_seen(protocol: Protocol) -> None:
    without = replace(protocol, rules=tuple(rule for rule in protocol.rules if rule.id != "calf_pain"))
    assert "no disposition: ['calf_pain']" in RuleSpace(without).by_parts().problems
    assert RuleSpace(without).by_classes().problems


def test_a_rule_that_cannot_hold_is_seen(protocol: Protocol) -> None:
    shadow = replace(protocol.rules[-1], id="shadow", disposition=Disposition.SELF_CARE)
    never_decides = RuleSpace(replace(protocol, rules=(*protocol.rules, shadow))).silent_rules()[1]
    assert "shadow" in [rule.id for rule in never_decides]


def test_an_answer_above_not_sure_is_seen(protocol: Protocol) -> None:
    chest = protocol.questions["chest"]
    worse = replace(chest, covers=("soreness",), buttons=(replace(chest.buttons[0], present=("chest_pain",)),))
    broken = replace(protocol, questions={"chest": worse}, danger_check=replace(protocol.danger_check, rows=()))
    assert any("an answer to chest is above 'not sure'" in problem for problem in RuleSpace(broken).answers().problems)


def test_a_row_below_its_tier_is_seen(protocol: Protocol) -> None:
    mild = replace(protocol.danger_check.rows[0], yes="soreness")
    broken = replace(protocol, questions={}, danger_check=replace(protocol.danger_check, rows=(mild,)))
    assert any("below its tier" in problem for problem in RuleSpace(broken).answers().problems)


def test_a_red_flag_without_a_row_is_seen(protocol: Protocol) -> None:
    rows = tuple(row for row in protocol.danger_check.rows if row.fact != "chest_pain")
    broken = replace(protocol, danger_check=replace(protocol.danger_check, rows=rows))
    assert "chest_pain" in RuleSpace(broken).unasked()


def test_a_disagreement_of_code_and_enumeration_is_seen(space: RuleSpace) -> None:
    fooled = RuleSpace(space.protocol)
    fooled.urgencies = [0] * len(space.urgencies)
    assert fooled.by_chance(50).problems
