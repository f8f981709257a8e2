from __future__ import annotations

from pathlib import Path

import pytest

import evaluation.cases
from evaluation import figures
from evaluation.bot import Answer
from evaluation.cases import PARTS, REGRESSIONS, Case, Patient, cases, patients
from evaluation.figures import Rate

EMERGENCY = Case("cannot pee", ("emergency",), (("urinary_retention", "present"),), ("plain",))
DOCTOR = Case("a fever", ("call_doctor", "ask"), (("fever", "present"),), ("plain",))
HOME = Case("sore, no fever", ("self_care",), (("soreness", "present"), ("fever", "absent")), ("negation",))
QUESTION = Case("how long is it", ("faq:duration",), (), ("faq",))
ALL = [EMERGENCY, DOCTOR, HOME, QUESTION]


def answer(kind: str, meaning: str = "", confidence: float = 0.0, **statuses: str) -> Answer:
    found = [{"code": code, "status": status} for code, status in statuses.items()]
    return Answer({"type": kind, "understood": {"meaning": meaning, "confidence": confidence, "findings": found}}, 0.1)


def test_a_rate_has_the_exact_interval() -> None:
    low, high = Rate(368, 368).interval
    assert high == 1
    assert low == pytest.approx(0.99, abs=0.0005)
    assert Rate(0, 0).interval == (0, 1)


@pytest.mark.parametrize(
    ("case", "outcome", "under", "over"),
    [
        (EMERGENCY, "emergency", False, False),
        (EMERGENCY, "ask", False, False),
        (EMERGENCY, "call_doctor", True, False),
        (EMERGENCY, "faq:risks", True, False),
        (DOCTOR, "self_care", True, False),
        (DOCTOR, "emergency", False, True),
        (HOME, "call_doctor", False, True),
        (HOME, "chat", True, False),
        (QUESTION, "self_care", False, True),
        (QUESTION, "faq:ice", False, False),
    ],
)
def test_under_and_over_triage(case: Case, outcome: str, under: bool, over: bool) -> None:
    assert figures.is_under(case, outcome) is under
    assert figures.is_over(case, outcome) is over


def test_figures_of_messages_count_what_they_say() -> None:
    found = figures.of_messages(ALL, ["emergency", "ask", "emergency", "faq:ice"])
    assert found["accuracy"] == [2, 4]
    assert found["emergency_sensitivity"] == [1, 1]
    assert found["false_emergency"] == [1, 3]
    assert found["under_triage"] == [0, 3]
    assert found["over_triage"] == [1, 3]
    assert found["confusion"]["faq"] == {"faq": 1}
    assert found["by_tag"]["plain"]["right"] == [2, 2]
    assert found["inclination_to_overtriage"] == [1, 1]


def test_a_symptom_read_as_denied_is_switched_off_and_one_not_found_is_not() -> None:
    answers = [
        answer("chat", urinary_retention="absent"),
        answer("chat"),
        answer("triage", soreness="present", fever="absent"),
        answer("faq"),
    ]
    found = figures.of_assertion(ALL, answers)
    assert found["switched_off"] == [1, 3]
    assert found["negation_recall"] == [1, 1]
    assert found["negation_precision"] == [1, 2]


def test_the_meaning_of_the_whole_message_tells_the_status_of_what_is_not_named() -> None:
    case = Case("what if my leg goes", ("faq:when_to_call",), (("paralysis", "hypothetical"),), ("hypothetical",))
    assert figures.of_assertion([case], [answer("faq", "ask_hypothetical")])["hypothetical_recall"] == [1, 1]
    assert figures.of_assertion([case], [answer("triage", "ask_hypothetical", paralysis="present")])["hypothetical_recall"] == [0, 1]


def test_a_code_with_several_statuses_is_read_with_the_strongest() -> None:
    found = [{"code": "leg_weakness", "status": status} for status in ("absent", "historical")]
    read = Answer({"type": "chat", "understood": {"meaning": "", "findings": found}}, 0.1)
    case = Case("weak since polio", ("chat",), (("leg_weakness", "historical"),), ("history",))
    assert figures.of_assertion([case], [read])["historical_recall"] == [1, 1]


def test_calibration_puts_each_answer_in_its_band() -> None:
    bands = figures.of_calibration([QUESTION, QUESTION], [answer("chat", confidence=0.2), answer("chat", confidence=1.0)])
    assert [band["right"][1] for band in bands] == [1, 0, 0, 0, 1]


def test_a_patient_is_judged_by_the_end_of_the_interview() -> None:
    patient = Patient("my leg", {}, ("emergency",), ())
    interview = [answer("question"), Answer({"type": "triage", "disposition": "call_doctor"}, 0.1)]
    found = figures.of_patients([patient], [interview])
    assert found["under_triaged"] == [1, 1]
    assert found["questions_median"] == 1


def test_the_capability_score_rewards_hard_cases() -> None:
    scores = figures.capability_scores({"a": [True, True], "b": [False, True]})
    assert scores == {"a": 62.5, "b": 37.5}


def test_every_outcome_finding_and_topic_is_covered_in_the_test_part() -> None:
    outcomes = {outcome for case in cases("test") for outcome in case.accepted}
    assert set(figures.LEVELS) | {"ask", "not_in_leaflet", "chat", "out_of_scope"} <= outcomes
    assert len({outcome for outcome in outcomes if outcome.startswith("faq:")}) == 27
    assert len({code for case in cases("test") for code, _ in case.findings}) == 25


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_large_enough(part: str) -> None:
    messages, simulated = (250, 20) if part == "validation" else (400, 40)
    assert len(cases(part)) >= messages
    assert len(patients(part)) >= simulated


def test_the_regressions_may_be_empty_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation.cases, "FOLDER", tmp_path)
    assert (cases(REGRESSIONS), patients(REGRESSIONS)) == ([], [])
    with pytest.raises(FileNotFoundError):
        cases("test")
    found = figures.of_messages([], [])
    assert (found["accuracy"], found["under_triage"], found["over_triage"]) == ([0, 0], [0, 0], [0, 0])
