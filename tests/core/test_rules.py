from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.decision.rules import disposition, fired, undecided
from aftercare.protocol import Disposition, Protocol

EMERGENCY, CALL_DOCTOR, SELF_CARE = Disposition.EMERGENCY, Disposition.CALL_DOCTOR, Disposition.SELF_CARE


# One line a row of the triage decisions: what is present, what is to be done, the advice, and what it stands on.
@pytest.mark.parametrize(
    ("present", "expected", "advice", "basis"),
    [
        # loss of bowel or bladder control
        ("bladder_bowel", EMERGENCY, "go_to_er", "leaflet"),
        # cannot pass urine; numbness of groin, buttocks, inner thighs
        ("urinary_retention", EMERGENCY, "go_to_er", "extension"),
        ("saddle_numbness", EMERGENCY, "go_to_er", "extension"),
        # sudden shortness of breath; chest pain
        ("breathless", EMERGENCY, "call_911", "extension"),
        ("chest_pain", EMERGENCY, "call_911", "extension"),
        # cannot move a leg, cannot stand or walk, both legs and getting worse, weakness with a bladder, bowel or saddle sign
        ("paralysis", EMERGENCY, "call_911", "extension"),
        ("cannot_walk", EMERGENCY, "call_911", "extension"),
        ("leg_weakness both_legs legs_worsening", EMERGENCY, "call_911", "extension"),
        ("leg_numbness both_legs legs_worsening", EMERGENCY, "call_911", "extension"),
        ("leg_weakness bladder_bowel", EMERGENCY, "go_to_er", "leaflet"),
        ("leg_weakness urinary_retention", EMERGENCY, "go_to_er", "extension"),
        ("leg_weakness saddle_numbness", EMERGENCY, "go_to_er", "extension"),
        # throat, tongue or face swelling; trouble breathing with a rash
        ("allergy_severe", EMERGENCY, "call_911", "extension"),
        ("allergy_mild breathless", EMERGENCY, "call_911", "extension"),
        # fainted, seizure, confusion, stroke signs, bleeding that does not stop, blood from inside, hard to wake
        ("syncope", EMERGENCY, "call_911", "extension"),
        ("seizure", EMERGENCY, "call_911", "extension"),
        ("confusion", EMERGENCY, "call_911", "extension"),
        ("stroke", EMERGENCY, "call_911", "extension"),
        ("severe_bleeding", EMERGENCY, "call_911", "extension"),
        ("internal_bleeding", EMERGENCY, "call_911", "extension"),
        ("oversedation", EMERGENCY, "call_911", "extension"),
        # fever with confusion, fast breathing, faintness, or a new leg or bladder sign
        ("fever confusion", EMERGENCY, "call_911", "extension"),
        ("fever breathless", EMERGENCY, "call_911", "extension"),
        ("fever faintness", EMERGENCY, "call_911", "extension"),
        ("fever leg_weakness", EMERGENCY, "call_911", "extension"),
        ("fever leg_numbness", EMERGENCY, "call_911", "extension"),
        ("fever bladder_bowel", EMERGENCY, "go_to_er", "leaflet"),
        ("fever urinary_retention", EMERGENCY, "go_to_er", "extension"),
        ("fever severe_illness", EMERGENCY, "call_911", "extension"),
        # wants to die or to harm themself
        ("self_harm", EMERGENCY, "crisis", "extension"),
        # fever, chills, redness, warmth, swelling, pus or drainage at the site
        ("fever", CALL_DOCTOR, "call_clinic_fever", "leaflet"),
        ("chills", CALL_DOCTOR, "call_clinic_fever", "leaflet"),
        ("site_infection", CALL_DOCTOR, "call_clinic", "leaflet"),
        # severe or worsening pain not helped by medication
        ("severe_pain", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("worsening_pain", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("back_pain medication_fails", CALL_DOCTOR, "call_clinic", "leaflet"),
        # new or worsening weakness or numbness in the legs
        ("leg_weakness", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("leg_numbness", CALL_DOCTOR, "call_clinic", "leaflet"),
        # bleeding, growing lump or bruise; rash, hives, itching; new pain in another part of the back
        ("bleeding", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("hematoma", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("allergy_mild", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("new_back_pain", CALL_DOCTOR, "call_clinic", "leaflet"),
        # sudden new pain, a fall or a pop; calf; headache worse when upright; vomiting; with a red flag: emergency
        ("sudden_pain", CALL_DOCTOR, "call_clinic", "extension"),
        ("calf_pain", CALL_DOCTOR, "call_clinic", "extension"),
        ("upright_headache", CALL_DOCTOR, "call_clinic", "extension"),
        ("vomiting", CALL_DOCTOR, "call_clinic", "extension"),
        ("sudden_pain leg_weakness", EMERGENCY, "go_to_er", "extension"),
        ("sudden_pain leg_numbness", EMERGENCY, "go_to_er", "extension"),
        ("sudden_pain bladder_bowel", EMERGENCY, "go_to_er", "leaflet"),
        ("calf_pain breathless", EMERGENCY, "call_911", "extension"),
        ("calf_pain chest_pain", EMERGENCY, "call_911", "extension"),
        ("upright_headache confusion", EMERGENCY, "call_911", "extension"),
        ("vomiting internal_bleeding", EMERGENCY, "call_911", "extension"),
        # a temperature of 99.0 to 100.3 with chills or a site sign
        ("low_temperature chills", CALL_DOCTOR, "call_clinic_fever", "leaflet"),
        ("low_temperature site_infection", CALL_DOCTOR, "call_clinic", "leaflet"),
        # increased back pain for longer than 2 days
        ("prolonged_pain", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("back_pain beyond_48_hours", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("mild_pain beyond_48_hours", CALL_DOCTOR, "call_clinic", "leaflet"),
        ("moderate_pain beyond_48_hours", CALL_DOCTOR, "call_clinic", "leaflet"),
        # a symptom that the protocol does not know, in words that do not alarm
        ("other_symptom", CALL_DOCTOR, "call_clinic_calm", "extension"),
        ("faintness", CALL_DOCTOR, "call_clinic_calm", "extension"),
        # gone by now, but since the procedure
        ("past_symptom", CALL_DOCTOR, "call_clinic_calm", "extension"),
        # soreness, tenderness, bruising at the needle site
        ("soreness", SELF_CARE, "rest_and_ice", "leaflet"),
        ("bruising", SELF_CARE, "rest_and_ice", "leaflet"),
        # a mild increase in back pain, day 0 to 2
        ("mild_pain", SELF_CARE, "rest", "leaflet"),
        # a temperature of 99.0 to 100.3, well otherwise
        ("low_temperature", SELF_CARE, "measure_again", "extension"),
    ],
)
def test_every_row_of_the_decisions(protocol: Protocol, present: str, expected: Disposition, advice: str, basis: str) -> None:
    deciding = fired(protocol, set(present.split()))[0]
    assert (deciding.disposition, deciding.advice, deciding.basis) == (expected, advice, basis)


def test_nothing_present_is_no_disposition(protocol: Protocol) -> None:
    assert disposition(protocol, set()) is None
    assert fired(protocol, set()) == []


def test_only_the_loss_of_control_is_an_emergency_by_the_leaflets_own_words(protocol: Protocol) -> None:
    by_leaflet = [rule for rule in protocol.rules if rule.disposition is EMERGENCY and rule.basis == "leaflet"]
    assert [rule.any_of for rule in by_leaflet] == [("bladder_bowel",)]


# The time since the procedure, for example, is a fact about other findings, and nothing by itself.
def test_every_finding_alone_leads_to_a_disposition(protocol: Protocol) -> None:
    silent = {finding for finding in protocol.findings if disposition(protocol, {finding}) is None}
    assert {finding for finding in silent if not protocol.findings[finding].qualifier} == set()
    assert "beyond_48_hours" in silent


def test_every_finding_stands_in_a_rule(protocol: Protocol) -> None:
    assert {finding for rule in protocol.rules for finding in rule.atoms()} == set(protocol.findings)


def test_every_rule_says_why_and_an_extension_is_never_less_urgent(protocol: Protocol) -> None:
    urgency = {"none": 0, "self_care": 1, "call_doctor": 2, "emergency": 3}
    for rule in protocol.rules:
        assert rule.reason
        assert rule.basis in {"leaflet", "extension"}
        assert rule.basis == "extension" or rule.sentence is not None
        assert rule.disposition >= urgency[rule.leaflet_disposition]


def test_one_more_finding_never_lowers_the_disposition(protocol: Protocol) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        names = sorted(protocol.findings)
        present = data.draw(st.sets(st.sampled_from(names), max_size=8))
        more = present | {data.draw(st.sampled_from(names))}
        assert (disposition(protocol, more) or 0) >= (disposition(protocol, present) or 0)

    holds()


def test_no_pair_of_findings_is_less_urgent_than_either(protocol: Protocol) -> None:
    alone = {finding: disposition(protocol, {finding}) or 0 for finding in protocol.findings}
    for one in protocol.findings:
        for other in protocol.findings:
            assert (disposition(protocol, {one, other}) or 0) >= max(alone[one], alone[other])


def test_the_deciding_rule_is_first_and_the_rest_falls_in_urgency(protocol: Protocol) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        present = data.draw(st.sets(st.sampled_from(sorted(protocol.findings)), max_size=10))
        rules = fired(protocol, present)
        assert (rules[0].disposition if rules else None) is disposition(protocol, present)
        assert [rule.disposition for rule in rules] == sorted((rule.disposition for rule in rules), reverse=True)
        for rule in rules:
            assert set(rule.all_of) <= present
            assert not rule.any_of or set(rule.any_of) & present

    holds()


def test_only_a_more_urgent_rule_that_is_still_possible_is_undecided(protocol: Protocol) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        names = sorted(protocol.findings)
        present = data.draw(st.sets(st.sampled_from(names), max_size=4))
        absent = data.draw(st.sets(st.sampled_from(names), max_size=8)) - present
        current = disposition(protocol, present)
        for rule in undecided(protocol, present, absent):
            assert current is not None
            assert rule.disposition > current
            reached = disposition(protocol, present | (set(rule.atoms()) - absent))
            assert reached is not None
            assert reached >= rule.disposition

    holds()


def test_an_emergency_leaves_nothing_undecided(protocol: Protocol) -> None:
    for flag in protocol.red_flags:
        assert undecided(protocol, {flag, "leg_weakness", "back_pain", "bleeding"}, set()) == []
