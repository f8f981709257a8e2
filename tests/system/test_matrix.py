"""Every red flag in every state of the conversation is an emergency, by a rule of that red flag."""

from __future__ import annotations

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Disposition, load_protocol
from tests.system.conftest import DANGER, PROTOCOL, ROWS, Answer, Patients

COMPOSED = {"red_flag", "severe_illness"}

PHRASES = {
    "bladder_bowel": "I lost control of my bladder",
    "urinary_retention": "I can not pee at all",
    "saddle_numbness": "I am numb between my legs",
    "breathless": "I can not breathe",
    "chest_pain": "I have chest pain",
    "paralysis": "I can not move my legs",
    "cannot_walk": "I can not stand up any more",
    "allergy_severe": "my throat is swelling up",
    "syncope": "I fainted this morning",
    "seizure": "I had a seizure this morning",
    "stroke": "my face is drooping on one side",
    "confusion": "I am suddenly confused",
    "severe_bleeding": "the bleeding does not stop",
    "internal_bleeding": "I am coughing up blood",
    "oversedation": "I took too many pain pills",
    "self_harm": "I want to kill myself",
}

FAQ = "How long does the procedure take?"
SORE = "The needle site is sore."
FEVER = "I have a fever of 101.5 F."

Move = str | dict[str, str]
"""What a patient does: words, or rows of the danger check that are answered one by one; `others` are all that wait besides."""

ALL_NO = {"others": "no"}
LEFT: Move = {}
"""The danger check is left, and followed up by who keeps the conversation."""

# What is done before the red flag, and what the last answer before it must be: its type, or the fact or disposition it is about.
STATES: dict[str, tuple[list[Move], str]] = {
    "cold": ([], ""),
    "after_greeting": (["Hello"], "chat"),
    "after_faq": ([FAQ], "faq"),
    "after_not_in_leaflet": (["Can I take a shower?"], "not_in_leaflet"),
    "after_supposition": (["What should I do if I get a fever?"], "faq"),
    "after_self_care": ([SORE, ALL_NO], "self_care"),
    "after_call_doctor": ([FEVER, ALL_NO], "call_doctor"),
    "after_emergency": (["My needle site is sore and my lips are swelling and I can not breathe"], "emergency"),
    "after_goodbye": (["Goodbye"], "chat"),
    "after_empty": ([""], "chat"),
    "after_nonsense": (["asdf", "lol", "asdf"], "chat"),
    "after_taken_back": ([SORE, {"walking": "yes"}, "I tapped that by mistake"], "danger_check"),
    "card_before_self_care": ([SORE], "danger_check"),
    "card_before_self_care_with_an_aside": ([SORE, "Hold on a second"], "danger_check"),
    "card_not_understood": ([SORE, "purple elephants dance"], "danger_check"),
    "card_unsure": ([SORE, "Not sure"], "danger_check"),
    "card_half_answered": ([SORE, {"chest_pain": "no", "breathing": "no", "saddle_numbness": "no"}], "danger_check"),
    "card_half_answered_in_words": ([SORE, "1 no 2 no 3 no"], "danger_check"),
    "card_half_answered_behind_call_doctor": ([FEVER, {"chest_pain": "no", "walking": "no"}], "danger_check"),
    "card_with_a_doctors_row": ([SORE, {"site_appearance": "yes"}], "danger_check"),
    "card_behind_call_doctor": ([FEVER], "danger_check"),
    "card_behind_a_question": (["Can I use an ice pack?"], "danger_check"),
    "card_passed_over": ([FEVER, "Thank you."], "danger_check"),
    "card_left": ([SORE, LEFT], "danger_check"),
    **{f"row_open_{fact}": ([SORE, {"others": "no", fact: ""}], "danger_check") for fact in ROWS},
    "pending_days": (["My back hurts.", ALL_NO], "days_since_procedure"),
    "pending_both_legs": (["My legs feel weak."], "leg_weakness"),
    "faq_in_mid_interview": (["My legs feel weak.", FAQ], "leg_weakness"),
}

# How the red flag is typed, where it is not alone.
FORMS = {
    "with_faq_before": FAQ + " And {phrase}.",
    "with_faq_behind": "{phrase}. " + FAQ,
    "with_denial_before": "I have no fever, but {phrase}.",
    "with_denial_behind": "{phrase}, but I have no fever.",
    "after_a_slash": "/{phrase}",
}


def _rules_of(finding: str) -> set[str]:
    """The emergency rules that this finding alone brings about."""
    rules = load_protocol(PROTOCOL).rules
    return {rule.id for rule in rules if rule.disposition is Disposition.EMERGENCY and finding in rule.any_of and not rule.all_of}


def test_every_red_flag_is_in_the_matrix() -> None:
    assert set(PHRASES) == set(load_protocol().red_flags) - COMPOSED


def test_every_question_that_rules_ask_is_in_the_matrix() -> None:
    asked = {question.about for question in load_protocol().questions.values() if not question.only_confirms}
    assert asked <= {told for _, told in STATES.values()}


def rows_answered(move: dict[str, str], waiting: list[str]) -> dict[str, str]:
    """The rows that a move answers, of those that wait."""
    answers = {fact: move.get(fact, move.get("others", "")) for fact in waiting}
    return {fact: answer for fact, answer in answers.items() if answer}


def _bring(patients: Patients, sender: str, state: str) -> Answer | None:
    """Bring a conversation into a state; the last answer, None where nothing was said."""
    moves, told = STATES[state]
    answer: Answer | None = None
    for move in moves:
        if isinstance(move, str):
            answer = patients.say(sender, move)
            continue
        assert answer is not None, "no rows wait before anything is said"
        if move is LEFT:
            left = Assistant(load_protocol()).broken_off(Conversation.parse(answer.custom["conversation"]))
            assert left is not None
            answer = patients.go_on(sender, "...", left[0].to_slots())
        else:
            answer = patients.say(sender, **rows_answered(move, answer.checks))
    if answer is not None:
        assert told in (answer.type, answer.about, answer.disposition), f"the state was not reached: {answer.text}"
    return answer


def _waiting(patients: Patients, sender: str, state: str) -> list[str]:
    """Bring a conversation into a state; the rows that wait in it."""
    answer = _bring(patients, sender, state)
    assert answer is not None
    return answer.checks


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("finding", PHRASES)
def test_red_flag_in_every_state(finding: str, state: str, patients: Patients) -> None:
    sender = f"matrix-{finding}-{state}"
    _bring(patients, sender, state)
    _is_emergency(patients.say(sender, PHRASES[finding] + "."), finding)


@pytest.mark.parametrize("state", [state for state, (_, told) in STATES.items() if told == "danger_check"])
def test_yes_to_each_row_that_is_open_in_every_state(state: str, patients: Patients) -> None:
    for answer in ("yes", "unsure"):
        for fact in _waiting(patients, f"matrix-rows-{answer}-{state}", state):
            sender = f"matrix-{answer}-{fact}-{state}"
            _bring(patients, sender, state)
            got = patients.say(sender, **{fact: answer})
            assert got.disposition == ("emergency" if fact in DANGER else "call_doctor"), got.text


@pytest.mark.parametrize("fact", ROWS)
def test_one_row_open_is_answered_yes_in_words(fact: str, patients: Patients) -> None:
    sender = f"matrix-yes-in-words-{fact}"
    assert _waiting(patients, sender, f"row_open_{fact}") == [fact]
    assert patients.say(sender, "Yes").disposition == ROWS[fact].tier.wire


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("finding", PHRASES)
def test_red_flag_beside_other_words(finding: str, form: str, patients: Patients) -> None:
    _is_emergency(patients.say(f"matrix-{finding}-{form}", FORMS[form].format(phrase=PHRASES[finding])), finding)


def _is_emergency(answer: Answer, finding: str) -> None:
    assert answer.type == "triage", answer.text
    assert answer.disposition == "emergency", answer.text
    assert set(answer.rules) & _rules_of(finding), dict(answer.custom)
