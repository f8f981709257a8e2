"""What changes in the asking and in the order of rules no other test noticed; see docs/safety/mutants.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.danger_check import open_rows
from aftercare.decision.interview import confirming, next_question
from aftercare.decision.rules import undecided
from aftercare.protocol import Disposition, Protocol
from aftercare.protocol.model import Question, Rule


def _told(*present: str, absent: tuple[str, ...] = (), asked: tuple[str, ...] = ()) -> Conversation:
    return Conversation(findings=dict.fromkeys(present, "present") | dict.fromkeys(absent, "absent"), asked=list(asked))


def _small(protocol: Protocol, rule: Rule, *covers: tuple[str, ...]) -> Protocol:
    """A protocol of a sore site, one rule about it, and a question for each of `covers`."""
    sore = next(each for each in protocol.rules if each.id == "soreness")
    question: Question = protocol.questions["legs_worse"]
    questions = {str(number): replace(question, id=str(number), covers=each) for number, each in enumerate(covers)}
    return replace(protocol, rules=(sore, rule), questions=questions)


@pytest.fixture
def rule(protocol: Protocol) -> Rule:
    """More than a sore site: a fever with chills; worth asking about at a sore site."""
    fever = next(each for each in protocol.rules if each.id == "fever")
    return replace(fever, all_of=("fever", "chills"), any_of=(), ask_when=("soreness",))


def test_the_last_question_is_the_fifth(protocol: Protocol) -> None:
    others = ("danger_check", "chest", "breath", "saddle", "throat")
    assert next_question(protocol, _told("leg_weakness", "both_legs", asked=others[:4])) is not None
    assert next_question(protocol, _told("leg_weakness", "both_legs", asked=others)) is None


def test_nothing_else_is_asked_when_the_questions_that_matter_have_been_asked(protocol: Protocol) -> None:
    assert next_question(protocol, _told("leg_weakness", "both_legs", asked=("legs_worse",))) is None


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
    urgency = [each.disposition for each in undecided(protocol, {"mild_pain", "both_legs"}, set())]
    assert set(urgency) == {Disposition.EMERGENCY, Disposition.CALL_DOCTOR}
    assert urgency == sorted(urgency, reverse=True)


def test_a_row_is_closed_only_when_every_sign_that_it_names_is_denied(protocol: Protocol) -> None:
    check = protocol.danger_check
    for row in check.rows:
        for signs in row.closed_by:
            assert row.fact not in open_rows(check, _told(absent=signs), Disposition.CALL_DOCTOR), row.fact
            for sign in signs:
                others = tuple(other for other in signs if other != sign)
                supposed = _told(absent=others)
                supposed.findings[sign] = "hypothetical"
                assert row.fact in open_rows(check, _told(absent=others), Disposition.CALL_DOCTOR), (row.fact, sign)
                assert row.fact in open_rows(check, supposed, Disposition.CALL_DOCTOR), (row.fact, sign)


def test_a_row_whose_sign_is_present_is_not_open(protocol: Protocol) -> None:
    for row in protocol.danger_check.rows:
        assert row.fact not in open_rows(protocol.danger_check, _told(row.yes), Disposition.CALL_DOCTOR)


def test_one_open_row_is_enough_to_ask_before_self_care(protocol: Protocol, assistant: Assistant, today: date) -> None:
    now = datetime(2024, 5, 15, 12, tzinfo=timezone.utc)
    reading = assistant.read("a bit sore where the needle went in", today)
    rows = [row.fact for row in protocol.danger_check.rows]
    for fact in rows:
        settled = Conversation(settled={each: now.isoformat() for each in rows if each != fact})
        _, reply = assistant.respond(settled, reading, today, at=now)
        assert (reply.custom["type"], reply.custom["checks"]) == ("question", [fact])
