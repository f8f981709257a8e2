"""Every red flag in every state of the conversation is an emergency, by a rule of that red flag."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftercare.protocol import load_protocol

Say = Callable[[str, str], Any]

RULES = yaml.safe_load((Path(__file__).resolve().parents[2] / "protocols/vertebroplasty/rules.yml").read_text(encoding="utf-8"))["rules"]
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

# What is typed before the red flag, and what the last answer before it must be: its type, or the fact or disposition it is about.
STATES: dict[str, tuple[list[str], str]] = {
    "cold": ([], ""),
    "after_greeting": (["Hello"], "chat"),
    "after_faq": ([FAQ], "faq"),
    "after_not_in_leaflet": (["Can I take a shower?"], "not_in_leaflet"),
    "after_self_care": (["The needle site is sore."], "self_care"),
    "after_call_doctor": (["I have a fever of 101.5 F."], "call_doctor"),
    "after_emergency": (["My needle site is sore and my lips are swelling and I can not breathe"], "emergency"),
    "after_goodbye": (["Goodbye"], "chat"),
    "after_empty": ([""], "other_symptoms"),
    "after_fallback": (["hmm well you know"], "other_symptoms"),
    "after_two_fallbacks": (["hmm well you know", "hmm well you know"], "other_symptoms"),
    "pending_screen": (["My back hurts."], "other_symptoms"),
    "pending_pain_severity": (["My back hurts.", "None of these"], "pain_severity"),
    "pending_pain_trend": (["My back hurts.", "None of these", "Medium"], "pain_trend"),
    "pending_medication_helps": (["My back hurts.", "None of these", "Medium", "No"], "medication_helps"),
    "pending_days": (["My back hurts.", "None of these", "Mild"], "days_since_procedure"),
    "pending_bladder_bowel": (["My legs feel weak."], "bladder_bowel"),
    "pending_walking": (["My legs feel weak.", "No"], "walking"),
    "pending_both_legs": (["My legs feel weak.", "No", "Yes"], "leg_weakness"),
    "pending_rash_swelling": (["I have an itchy rash on my arms."], "rash_swelling"),
    "pending_heavy_bleeding": (["The needle site is bleeding a little."], "bleeding"),
    "pending_temperature_signs": (["My temperature is 99.5 F."], "chills"),
    "pending_breathing": (["My right calf is swollen and painful."], "breathing"),
    "faq_in_mid_interview": (["My legs feel weak.", FAQ], "bladder_bowel"),
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
    return {rule["id"] for rule in RULES if rule["disposition"] == "emergency" and finding in rule.get("any", []) and not rule.get("all")}


def test_every_red_flag_is_in_the_matrix() -> None:
    assert set(PHRASES) == set(load_protocol().red_flags) - COMPOSED


def test_every_question_that_rules_ask_is_in_the_matrix() -> None:
    asked = {question.about for question in load_protocol().questions.values() if not question.only_confirms}
    assert asked <= {told for _, told in STATES.values()}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("finding", PHRASES)
def test_red_flag_in_every_state(finding: str, state: str, say: Say) -> None:
    sender = f"matrix-{finding}-{state}"
    before, told = STATES[state]
    for message in before:
        answer = say(sender, message)
    if before:
        assert told in (answer.type, answer.about, answer.disposition), f"the state was not reached: {answer.text}"
    _is_emergency(say(sender, PHRASES[finding] + "."), finding)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("finding", PHRASES)
def test_red_flag_beside_other_words(finding: str, form: str, say: Say) -> None:
    _is_emergency(say(f"matrix-{finding}-{form}", FORMS[form].format(phrase=PHRASES[finding])), finding)


def _is_emergency(answer: Any, finding: str) -> None:
    assert answer.type == "triage", answer.text
    assert answer.disposition == "emergency", answer.text
    assert set(answer.rules) & _rules_of(finding), dict(answer.custom)
