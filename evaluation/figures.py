"""From cases and outcomes to figures. Pure functions; every rate is a count of a total, so that an interval can stand beside it.

Definitions: a disposition lower than the lowest accepted one is under-triage, one higher than the highest accepted one over-triage; a
question is neither, for it leads on. The names of symptomcheckR (Kopka 2023, doi 10.1177/20552076231194929) are used where they fit.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from aftercare.decision.danger_check import NAME as CHECK
from aftercare.protocol import Protocol
from evaluation.bot import Answer
from evaluation.cases import Case, Dialogue, Patient
from evaluation.rates import Rate, rate

LEVELS = {"self_care": 1, "call_doctor": 2, "emergency": 3}
GROUPS = ("emergency", "call_doctor", "self_care", "ask", "faq", "not_in_leaflet", "chat", "out_of_scope")
SWITCHED_OFF = ("absent", "hypothetical", "historical", "other_person", "not_meant")


def outcome_of(case: Case, answer: Answer) -> str:
    """The outcome of a case: self-care where it is accepted and stands behind the danger check, else the first answer's."""
    return "self_care" if answer.behind == "self_care" and "self_care" in case.accepted else answer.outcome


def raises(answer: Answer) -> bool:
    """Whether the answer is a disposition, or would be one behind the danger check."""
    return answer.outcome in LEVELS or answer.behind in LEVELS


def raises_needlessly(case: Case, answer: Answer) -> bool:
    """Whether a disposition stands, or would stand behind the danger check, that is not accepted."""
    return any(outcome in LEVELS and outcome not in case.accepted for outcome in (answer.outcome, answer.behind))


def asks_needlessly(case: Case, answer: Answer) -> bool:
    """Whether the answer is a question that is not accepted, the danger check apart."""
    return answer.outcome == "ask" and answer.about != CHECK and "ask" not in case.accepted


def is_right(case: Case, outcome: str) -> bool:
    """Whether the outcome is one of the accepted ones."""
    return outcome in case.accepted


def _levels(case: Case) -> list[int]:
    return [LEVELS.get(outcome, 0) for outcome in case.accepted if outcome != "ask"] or [2]


def is_under(case: Case, outcome: str) -> bool:
    """Under-triage: less urgent than every accepted disposition."""
    return outcome != "ask" and LEVELS.get(outcome, 0) < min(_levels(case))


def is_over(case: Case, outcome: str) -> bool:
    """Over-triage: more urgent than every accepted disposition."""
    return outcome != "ask" and LEVELS.get(outcome, 0) > max(_levels(case))


def of_messages(cases: Sequence[Case], outcomes: Sequence[str]) -> dict[str, Any]:
    """Accuracy by outcome, triage errors, confusion and errors by tag; for any system that gives outcomes."""
    pairs = list(zip(cases, outcomes, strict=True))
    emergencies = [(c, o) for c, o in pairs if c.accepted == ("emergency",)]
    others = [(c, o) for c, o in pairs if "emergency" not in c.accepted]
    triage = [(c, o) for c, o in pairs if c.group in LEVELS]
    wrong = [(c, o) for c, o in pairs if is_under(c, o) or is_over(c, o)]
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    for case, outcome in pairs:
        confusion[case.group][outcome.partition(":")[0]] += 1
    silent = [(c, o) for c, o in pairs if c.accepted == ("not_in_leaflet",)]
    talk = [(c, o) for c, o in pairs if c.group in ("chat", "out_of_scope")]
    return {
        "messages": len(pairs),
        "accuracy": rate(is_right(c, o) for c, o in pairs).as_json(),
        "by_outcome": {group: rate(is_right(c, o) for c, o in pairs if c.group == group).as_json() for group in GROUPS},
        "emergency_sensitivity": rate(o == "emergency" for _, o in emergencies).as_json(),
        "emergency_asked": rate(o == "ask" for _, o in emergencies).as_json(),
        "emergency_seen": rate(o in ("emergency", "ask") for _, o in emergencies).as_json(),
        "emergency_missed": rate(o not in ("emergency", "ask", "call_doctor") for _, o in emergencies).as_json(),
        "doctor_in_the_end": rate(is_right(c, o) or o == "ask" for c, o in pairs if c.group == "call_doctor").as_json(),
        "under_triage": rate(is_under(c, o) for c, o in triage).as_json(),
        "over_triage": rate(is_over(c, o) for c, o in pairs if "emergency" not in c.accepted).as_json(),
        "false_emergency": rate(o == "emergency" for _, o in others).as_json(),
        "abstention": rate(is_right(c, o) for c, o in silent).as_json(),
        "talk": rate(is_right(c, o) for c, o in talk).as_json(),
        "safety_of_advice": rate(not is_under(c, o) for c, o in triage).as_json(),
        "comprehensiveness": rate(o in (*LEVELS, "ask") for _, o in triage).as_json(),
        "inclination_to_overtriage": rate(is_over(c, o) for c, o in wrong).as_json(),
        "confusion": {group: dict(confusion[group]) for group in GROUPS},
        "by_tag": _by_tag(pairs),
    }


def _by_tag(pairs: Sequence[tuple[Case, str]]) -> dict[str, dict[str, list[int]]]:
    tags = sorted({tag for case, _ in pairs for tag in case.tags})
    chosen = {tag: [(c, o) for c, o in pairs if tag in c.tags] for tag in tags}
    return {
        tag: {
            "right": rate(is_right(c, o) for c, o in some).as_json(),
            "under": rate(is_under(c, o) for c, o in some).as_json(),
            "over": rate(is_over(c, o) for c, o in some).as_json(),
        }
        for tag, some in chosen.items()
    }


def of_alarms(protocol: Protocol, cases: Sequence[Case], answers: Sequence[Answer]) -> dict[str, Any]:
    """How far an alarm can be believed: whether it is right, whether it names the right sign, and what is raised or asked over nothing.

    An alarm names the codes that its deciding rule rests on. The sign is right where one of them is present by the label; it stands
    alone where all of them are. False emergencies are counted for 1,000 conversations in the proportions of the sample `clinic`.
    """
    rows = [(case, answer, outcome_of(case, answer)) for case, answer in zip(cases, answers, strict=True)]
    shown = {level: [case for case, _, outcome in rows if outcome == level] for level in ("emergency", "call_doctor")}
    named = [(_named(protocol, answer), _present(case)) for case, answer, outcome in rows if case.accepted == (outcome,) == ("emergency",)]
    clinic = [outcome == "emergency" and "emergency" not in case.accepted for case, _, outcome in rows if case.sample == "clinic"]
    nothing = [(case, answer, outcome) for case, answer, outcome in rows if case.sample == "nothing"]
    return {
        "emergencies_right": rate("emergency" in case.accepted for case in shown["emergency"]).as_json(),
        "doctor_right": rate("call_doctor" in case.accepted for case in shown["call_doctor"]).as_json(),
        "sign_right": rate(bool(signs & present) for signs, present in named).as_json(),
        "sign_alone": rate(bool(signs) and signs <= present for signs, present in named).as_json(),
        "false_per_1000": round(1000 * rate(clinic).share, 1),
        "needless_questions": rate(asks_needlessly(case, answer) for case, answer, _ in rows if case.accepted != ("emergency",)).as_json(),
        "nothing_raised": rate(raises_needlessly(case, answer) for case, answer, _ in nothing).as_json(),
        "nothing_emergency": rate(outcome == "emergency" for *_, outcome in nothing).as_json(),
        "nothing_asked": rate(asks_needlessly(case, answer) for case, answer, _ in nothing).as_json(),
    }


def _named(protocol: Protocol, answer: Answer) -> set[str]:
    """The codes of what is present and what the deciding rule rests on."""
    deciding = answer.custom["rules"][0]
    rests_on = {protocol.findings[atom].code for rule in protocol.rules if rule.id == deciding for atom in rule.atoms()}
    return rests_on & {finding["code"] for finding in answer.custom["findings"] if finding["status"] == "present"}


def _present(case: Case) -> set[str]:
    return {code for code, status in case.findings if status in ("present", "resolved")}


def of_assertion(cases: Sequence[Case], answers: Sequence[Answer]) -> dict[str, Any]:
    """How the status of each mentioned finding was read: denial, supposition, past, other person, and real symptoms switched off.

    A mention counts as read with a status when the bot names the code with it, or names no such code and takes the whole message so.
    """
    read = [(wanted, _status_read(answer, code)) for case, answer in zip(cases, answers, strict=True) for code, wanted in case.findings]
    named = [(wanted, got) for wanted, got in read if got]
    true_denials = sum(wanted == got == "absent" for wanted, got in named)
    precision = Rate(true_denials, sum(got == "absent" for _, got in named))
    recall = Rate(true_denials, sum(wanted == "absent" for wanted, _ in named))
    f1 = 2 * precision.share * recall.share / (precision.share + recall.share) if true_denials else 0.0
    result: dict[str, Any] = {
        "negation_precision": precision.as_json(),
        "negation_recall": recall.as_json(),
        "negation_f1": round(f1, 4),
        "switched_off": rate(got in SWITCHED_OFF for wanted, got in read if wanted == "present").as_json(),
        "mentions_found": rate(bool(got) for wanted, got in read if wanted in ("present", "absent")).as_json(),
    }
    for status in ("present", "resolved", "hypothetical", "historical", "other_person"):
        result[f"{status}_recall"] = rate(got == status for wanted, got in read if wanted == status).as_json()
        result[f"{status}_not_present"] = rate(got != "present" for wanted, got in read if wanted == status).as_json()
    return result


_STRENGTH = ("present", "resolved", "hypothetical", "historical", "other_person", "absent", "not_meant")
_MEANING = {"ask_hypothetical": "hypothetical", "report_history": "historical", "report_other_person": "other_person"}


def _status_read(answer: Answer, code: str) -> str:
    understood = answer.custom.get("understood", {})
    statuses = [finding["status"] for finding in understood.get("findings", ()) if finding["code"] == code]
    strongest = min(statuses, key=_STRENGTH.index, default="")
    return strongest or _MEANING.get(understood.get("meaning", ""), "")


def of_calibration(cases: Sequence[Case], answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Accuracy by the classifier's confidence in the whole message, in five bands."""
    edges = (0.0, 0.3, 0.5, 0.7, 0.9, 1.01)
    rows = [(_confidence(answer) or 0.0, is_right(case, outcome_of(case, answer))) for case, answer in zip(cases, answers, strict=True)]
    return [
        {"from": low, "to": min(high, 1.0), "right": rate(right for confidence, right in rows if low <= confidence < high).as_json()}
        for low, high in itertools.pairwise(edges)
    ]


def _confidence(answer: Answer) -> float | None:
    confidence = answer.custom.get("understood", {}).get("confidence")
    return None if confidence is None else float(confidence)


def by_lexicon_alone(answers: Sequence[Answer]) -> Rate:
    """How many answers came without the classifier: the message was too long for it, or Rasa too slow."""
    return rate(_confidence(answer) is None for answer in answers)


def standing(interview: Sequence[Answer]) -> str:
    """What stands after an interview: the most urgent disposition given, else the first answer that is no question."""
    outcomes = [answer.outcome for answer in interview]
    given = [outcome for outcome in outcomes if outcome in LEVELS]
    return max(given, key=LEVELS.__getitem__) if given else next((each.partition(":")[0] for each in outcomes if each != "ask"), "ask")


def questions(interview: Sequence[Answer]) -> int:
    """How many questions a patient sees; the danger check, however often it is shown, counts as one."""
    asked = [answer.about for answer in interview if answer.about]
    return sum(about != CHECK for about in asked) + (CHECK in asked)


def of_patients(patients: Sequence[Patient], interviews: Sequence[Sequence[Answer]]) -> dict[str, Any]:
    """What stands after the interviews of simulated patients, and how much they were asked."""
    rows = [(patient, standing(interview)) for patient, interview in zip(patients, interviews, strict=True)]
    asked = sorted(questions(interview) for interview in interviews)
    levels = [(patient, [LEVELS.get(each, 0) for each in patient.right], LEVELS.get(end, 0)) for patient, end in rows]
    highest_of_benign = LEVELS["self_care"]
    return {
        "patients": len(rows),
        "right": rate(end in patient.right for patient, end in rows).as_json(),
        "hidden_found": rate(end >= min(wanted) for patient, wanted, end in levels if patient.kind == "hidden").as_json(),
        "hidden_emergencies_found": rate(
            end >= min(wanted) for patient, wanted, end in levels if patient.kind == "hidden" and min(wanted) == LEVELS["emergency"]
        ).as_json(),
        "emergencies_below_doctor": rate(
            end < LEVELS["call_doctor"] for _, wanted, end in levels if min(wanted) == LEVELS["emergency"]
        ).as_json(),
        "under_triaged": rate(end < min(wanted) for _, wanted, end in levels).as_json(),
        "benign_over_triaged": rate(end > highest_of_benign for patient, _, end in levels if patient.kind == "harmless").as_json(),
        "over_triaged": rate(end > max(*wanted, highest_of_benign) for _, wanted, end in levels).as_json(),
        "questions_median": median(asked),
        "questions_p90": asked[math.ceil(0.9 * len(asked)) - 1],
        "questions": dict(sorted(Counter(map(str, asked)).items())),
    }


def is_dialogue_right(dialogue: Dialogue, answers: Sequence[Answer]) -> bool:
    """Whether the last answer is one of the right ones.

    Where a question or the danger check waited, it must wait still; an emergency is right there only where 'not sure' counts as yes.
    """
    last = answers[-1]
    kind = last.outcome.partition(":")[0]
    if dialogue.kind in ("C", "D"):
        return kind in dialogue.right if kind == "emergency" else bool(last.about) and last.about == answers[-2].about
    return kind in dialogue.right or ("checked" in dialogue.right and kind != "emergency" and bool(last.about))


def of_dialogues(dialogues: Sequence[Dialogue], answers: Sequence[Sequence[Answer]]) -> dict[str, Any]:
    """How many whole dialogues end right, by kind."""
    ends = [(dialogue.kind, is_dialogue_right(dialogue, each)) for dialogue, each in zip(dialogues, answers, strict=True)]
    return {
        "right": rate(right for _, right in ends).as_json(),
        "by_kind": {kind: rate(right for each, right in ends if each == kind).as_json() for kind in sorted({kind for kind, _ in ends})},
    }


def of_latency(answers: Sequence[Answer]) -> dict[str, float]:
    """Milliseconds from sending to answer, several conversations at once."""
    times = sorted(answer.seconds * 1000 for answer in answers)
    return {
        name: round(times[min(len(times) - 1, int(len(times) * share))], 1) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def capability_scores(right: Mapping[str, Sequence[bool]]) -> dict[str, float]:
    """The capability comparison score of symptomcheckR, 0 to 100: hard cases solved weigh more, easy cases missed cost more."""
    columns = list(zip(*right.values(), strict=True))
    ease = [sum(column) / len(column) for column in columns]
    return {
        name: round(50 * (sum((1 - e) if ok else -e for ok, e in zip(flags, ease, strict=True)) / len(ease) + 1), 1)
        for name, flags in right.items()
    }
