"""The wire contract's lists: what other programs know of the shipped protocol, which lacks none of it; only topics may be added at will."""

from __future__ import annotations

from aftercare.protocol import Protocol
from tests.wire import Wire

CODES = {
    *("fever", "chills", "site_infection", "severe_pain", "worsening_pain", "mild_pain", "leg_weakness", "leg_numbness"),
    *("bladder_bowel", "urinary_retention", "saddle_numbness", "breathless", "chest_pain", "bleeding", "hematoma"),
    *("allergy_mild", "allergy_severe", "new_back_pain", "soreness", "bruising", "paralysis", "syncope", "stroke"),
    *("self_harm", "other"),
}
FACTS = {
    *("days_since_procedure", "pain_severity", "pain_trend", "medication_helps", "pain_location", "temperature", "chills"),
    *("site_appearance", "leg_weakness", "leg_numbness", "walking", "bladder_bowel", "saddle_numbness", "breathing"),
    *("chest_pain", "onset", "bleeding", "rash_swelling", "other_symptoms"),
}
# Facts that patients tell by themselves, and that the shipped protocol has no question and no row for.
NEVER_ASKED = {"pain_trend", "medication_helps", "pain_location", "temperature", "leg_numbness", "onset"}
ROWS = (
    *("chest_pain", "breathing", "bladder_bowel", "saddle_numbness", "walking", "other_symptoms", "rash_swelling", "bleeding"),
    *("chills", "leg_weakness", "site_appearance", "pain_severity"),
)
TOPICS = {
    *("what_is_it", "duration", "anesthesia", "hospital_stay", "goal", "procedure_steps", "cement", "benefits"),
    *("pain_relief_timing", "risks", "side_effects", "rare_complications", "cement_leakage", "imaging_before"),
    *("medications_before", "fasting", "driver", "medical_clearance", "discharge", "first_48_hours", "days_3_to_7"),
    *("long_term", "activity", "ice", "physical_therapy_osteoporosis", "when_to_call", "appointment"),
}


def test_every_code_of_the_wire_has_a_finding_and_no_finding_another(wire: Wire) -> None:
    assert wire.codes == CODES, "a finding's code is one of the contract's, else `other`"


def test_every_fact_that_is_asked_about_is_on_the_wire(wire: Wire) -> None:
    assert wire.facts == FACTS - NEVER_ASKED, "a question is about a fact of the contract, else `other_symptoms`"
    assert NEVER_ASKED < FACTS


def test_every_row_of_the_wire_is_asked_in_its_order(wire: Wire) -> None:
    assert wire.rows == ROWS
    assert set(ROWS) <= FACTS


def test_every_topic_of_the_wire_exists(wire: Wire, protocol: Protocol) -> None:
    assert len(TOPICS) == 27
    assert wire.topics >= TOPICS, "the contract is changed only by adding to it"
    assert all(topic.sentences for topic in protocol.topics.values())
