from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import evaluation.cases
from evaluation import figures
from evaluation.bot import Answer
from evaluation.cases import PARTS, REGRESSIONS, WITH_DIALOGUES, Case, Dialogue, Patient, card_answers, cases, dialogues, patients
from evaluation.rates import Rate

pytestmark = pytest.mark.slow

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


def patient(kind: str, *right: str) -> Patient:
    return Patient("my leg", {}, right, {}, "", "", kind)


def advice(disposition: str, **more: str) -> Answer:
    return Answer({"type": "triage", "disposition": disposition, **more}, 0.1)


def test_what_stands_is_the_most_urgent_advice_else_the_first_answer() -> None:
    assert figures.standing([answer("question"), advice("call_doctor"), answer("chat")]) == "call_doctor"
    assert figures.standing([advice("emergency"), advice("call_doctor")]) == "emergency"
    assert figures.standing([answer("question"), Answer({"type": "faq", "topic": "ice"}, 0.1), answer("chat")]) == "faq"
    assert figures.standing([answer("question")]) == "ask"


def test_patients_are_judged_by_what_stands_in_the_end() -> None:
    patients = [patient("hidden", "emergency"), patient("hidden", "emergency"), patient("harmless", "chat"), patient("harmless", "faq")]
    ends = [[answer("question"), advice("call_doctor")], [advice("emergency")], [advice("call_doctor")], [advice("self_care")]]
    found = figures.of_patients(patients, ends)
    assert found["hidden_found"] == found["hidden_emergencies_found"] == [1, 2]
    assert found["under_triaged"] == [1, 4]
    assert found["emergencies_below_doctor"] == [0, 2]
    assert found["benign_over_triaged"] == [1, 2]
    assert figures.of_patients(patients[:1], [[answer("chat")]])["emergencies_below_doctor"] == [1, 1]


def test_the_danger_check_is_one_question_however_often_it_is_shown() -> None:
    check, single = (Answer({"type": "question", "about": about}, 0.1) for about in ("danger_check", "walking"))
    assert figures.questions([check, check, single, single, advice("call_doctor", about="danger_check"), answer("chat")]) == 3
    found = figures.of_patients([patient("plain", "chat")] * 10, [[single] * number for number in range(1, 11)])
    assert (found["questions_median"], found["questions_p90"]) == (5.5, 9)


@pytest.mark.parametrize(
    ("kind", "right", "before", "last", "is_right"),
    [
        ("A", ["emergency"], answer("chat"), advice("emergency"), True),
        ("A", ["emergency"], answer("chat"), answer("chat"), False),
        ("F", ["faq"], answer("chat"), Answer({"type": "faq", "topic": "ice"}, 0.1), True),
        ("F", ["checked"], answer("chat"), advice("call_doctor", about="danger_check"), True),
        ("F", ["checked"], answer("chat"), answer("chat"), False),
        ("C", ["checked"], Answer({"type": "question", "about": "walking"}, 0.1), Answer({"type": "chat", "about": "walking"}, 0.1), True),
        ("C", ["checked"], Answer({"type": "question", "about": "walking"}, 0.1), Answer({"type": "chat", "about": "chills"}, 0.1), False),
        ("C", ["ask"], answer("chat"), answer("question"), False),
        ("D", ["ask"], Answer({"type": "question", "about": "walking"}, 0.1), advice("emergency"), False),
        ("D", ["emergency"], Answer({"type": "question", "about": "walking"}, 0.1), advice("emergency"), True),
    ],
)
def test_a_dialogue_is_judged_by_its_last_answer(kind: str, right: list[str], before: Answer, last: Answer, is_right: bool) -> None:
    assert figures.is_dialogue_right(Dialogue(kind, ("one", "two"), tuple(right)), [before, last]) is is_right


def test_self_care_behind_the_danger_check_is_right_where_it_is_accepted() -> None:
    checked = Answer({"type": "question", "about": "danger_check"}, 0.1, behind="self_care")
    assert figures.outcome_of(HOME, checked) == "self_care"
    assert figures.outcome_of(EMERGENCY, checked) == "ask"
    assert figures.outcome_of(HOME, Answer(checked.custom, 0.1, behind="call_doctor")) == "ask"
    assert figures.raises(checked)
    assert not figures.raises(answer("chat"))


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
    messages, simulated = (250, 40) if part == "validation" else (400, 80)
    assert len(cases(part)) >= messages
    assert len(patients(part)) >= simulated
    kinds = Counter(patient.kind for patient in patients(part))
    assert min(kinds[kind] for kind in ("hidden", "harmless", "plain")) >= (6 if part == "validation" else 13)


@pytest.mark.parametrize("part", WITH_DIALOGUES)
def test_the_dialogues_and_the_answers_to_the_whole_check_are_enough(part: str) -> None:
    assert len(dialogues(part)) >= 125
    assert len({dialogue.kind[0] for dialogue in dialogues(part)}) == 20
    assert len(card_answers(part)) >= 80


def test_the_regressions_may_be_empty_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation.cases, "FOLDER", tmp_path)
    assert (cases(REGRESSIONS), patients(REGRESSIONS)) == ([], [])
    with pytest.raises(FileNotFoundError):
        cases("test")
    found = figures.of_messages([], [])
    assert (found["accuracy"], found["under_triage"], found["over_triage"]) == ([0, 0], [0, 0], [0, 0])
