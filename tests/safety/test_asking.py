"""What changes in the asking and in the order of rules no other test noticed; see docs/safety/mutants.md."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftercare.conversation import Conversation
from aftercare.decision.interview import _is_settled, confirming, next_question
from aftercare.decision.rules import undecided
from aftercare.protocol import Disposition, Protocol
from aftercare.protocol.model import Question, Rule


def _told(*present: str, absent: tuple[str, ...] = (), asked: tuple[str, ...] = ()) -> Conversation:
    return Conversation(findings=dict.fromkeys(present, "present") | dict.fromkeys(absent, "absent"), asked=list(asked))


def _small(protocol: Protocol, rule: Rule, *covers: tuple[str, ...]) -> Protocol:
    """A protocol of a sore site, one rule about it, and a question for each of `covers`."""
    sore = next(each for each in protocol.rules if each.id == "soreness")
    question: Question = protocol.questions["screen"]
    questions = {str(number): replace(question, id=str(number), covers=each, settled_by=each) for number, each in enumerate(covers)}
    return replace(protocol, rules=(sore, rule), questions=questions)


@pytest.fixture
def rule(protocol: Protocol) -> Rule:
    """More than a sore site: a fever with chills; worth asking about at a sore site."""
    fever = next(each for each in protocol.rules if each.id == "fever")
    return replace(fever, all_of=("fever", "chills"), any_of=(), ask_when=("soreness",))


def test_the_last_question_is_the_fifth(protocol: Protocol) -> None:
    others = ("chest", "breath", "saddle", "throat", "fit")
    assert next_question(protocol, _told("leg_weakness", asked=others[:4])) is not None
    assert next_question(protocol, _told("leg_weakness", asked=others)) is None


def test_nothing_else_is_asked_when_the_questions_that_matter_have_been_asked(protocol: Protocol) -> None:
    assert next_question(protocol, _told("leg_weakness", asked=("bladder_bowel", "walking", "both_legs"))) is None


def test_a_rule_that_a_denial_has_closed_is_not_asked_about(protocol: Protocol, rule: Rule) -> None:
    small = _small(protocol, rule, ("chills",))
    assert next_question(small, _told("soreness")) is not None
    assert next_question(small, _told("soreness", absent=("fever",))) is None


def test_a_question_counts_only_what_is_not_known_yet(protocol: Protocol, rule: Rule) -> None:
    small = _small(protocol, rule, ("chills",), ("fever", "chills"))
    assert next_question(small, _told("soreness")) is small.questions["1"]
    assert next_question(small, _told("soreness", "fever")) is small.questions["0"]


def test_what_no_question_covers_can_not_be_confirmed(protocol: Protocol) -> None:
    assert confirming(protocol, "soreness") is None


def test_undecided_rules_stand_the_most_urgent_first(protocol: Protocol) -> None:
    urgency = [each.disposition for each in undecided(protocol, {"back_pain"}, set())]
    assert set(urgency) == {Disposition.EMERGENCY, Disposition.CALL_DOCTOR}
    assert urgency == sorted(urgency, reverse=True)


def test_one_denial_closes_a_question_about_less_than_an_emergency(protocol: Protocol) -> None:
    """Of an emergency every sign that is named has to be denied."""
    for question in protocol.questions.values():
        for finding in question.settled_by:
            denied = Conversation(findings={finding: "absent"})
            assert _is_settled(question, denied, Disposition.CALL_DOCTOR), (question.id, finding)
            assert _is_settled(question, denied, Disposition.EMERGENCY) is (set(question.settled_by) == {finding}), question.id
            unsure = Conversation(findings={finding: "hypothetical"})
            assert not _is_settled(question, unsure, Disposition.CALL_DOCTOR), (question.id, finding)
