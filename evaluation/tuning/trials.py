"""What the probabilities are judged by: the conversations of one part, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial

from aftercare.decision.answers import heard
from aftercare.protocol import Protocol
from evaluation import figures, interview
from evaluation.bot import Answer
from evaluation.cases import Case, Pair, Patient, cases, pairs, patients
from evaluation.tuning.offline import Offline

_DOCTOR, _EMERGENCY = figures.LEVELS["call_doctor"], figures.LEVELS["emergency"]
_DANGEROUS = ("yes", "unsure")


class Verdict(Enum):
    """What became of a conversation.

    An emergency is `lost` where it is neither told nor asked about, a dangerous answer where it is taken as No. `asked` are an emergency
    that is asked about and a dangerous answer that is asked again. `doctor_lost` is what the doctor should hear of and does not, and what
    is no answer and is taken as No. `over` is more urgent than accepted, or No taken as Yes; `needless` a question that is not accepted, or
    a harmless answer that is asked again; `wrong` whatever else is not accepted.
    """

    RIGHT = "right"
    LOST = "lost"
    ASKED = "asked"
    DOCTOR_LOST = "doctor_lost"
    OVER = "over"
    NEEDLESS = "needless"
    WRONG = "wrong"


Trial = Callable[[Offline], Verdict]


def of_message(case: Case, answer: Answer) -> Verdict:
    """What became of a first message."""
    outcome = figures.outcome_of(case, answer)
    if figures.is_right(case, outcome):
        return Verdict.RIGHT
    lowest = min(figures.LEVELS.get(each, 0) for each in case.accepted)
    if lowest == _EMERGENCY:
        return Verdict.ASKED if outcome == "ask" else Verdict.LOST
    if figures.is_under(case, outcome) and (lowest == _DOCTOR or case.accepted == ("ask",)):
        return Verdict.DOCTOR_LOST
    if figures.is_over(case, outcome):
        return Verdict.OVER
    return Verdict.NEEDLESS if outcome == "ask" else Verdict.WRONG


def of_patient(patient: Patient, answers: list[Answer]) -> Verdict:
    """What became of a simulated patient in the end."""
    end = figures.standing(answers)
    if end in patient.right:
        return Verdict.RIGHT
    wanted, found = [figures.LEVELS.get(each, 0) for each in patient.right], figures.LEVELS.get(end, 0)
    if found < min(wanted):
        return {_EMERGENCY: Verdict.LOST, _DOCTOR: Verdict.DOCTOR_LOST}.get(min(wanted), Verdict.WRONG)
    return Verdict.OVER if found > max(*wanted, figures.LEVELS["self_care"]) else Verdict.WRONG


def of_answer(label: str, taken: str) -> Verdict:
    """What became of an answer to a question, by what it is and what it is taken for; both may be unclear."""
    if taken == label or (label in _DANGEROUS and taken in _DANGEROUS) or (label in ("other", "unclear") and taken != "no"):
        return Verdict.RIGHT
    if label in _DANGEROUS:
        return Verdict.LOST if taken == "no" else Verdict.ASKED
    if taken == "no":
        return Verdict.DOCTOR_LOST
    return Verdict.OVER if taken in _DANGEROUS else Verdict.NEEDLESS


def trials(part: str) -> list[Trial]:
    """The conversations of a part: its messages, its patients by words and by rows, its answers to one question."""
    played = patients(part)
    return [
        *(partial(_message, case) for case in cases(part)),
        *(partial(_by_words, patient) for patient in played),
        *(partial(_by_rows, patient) for patient in played if patient.rows),
        *(partial(_answer, pair) for pair in pairs(part)),
    ]


def texts(part: str, protocol: Protocol) -> list[str]:
    """Every message that can be typed in them."""
    rows = len(protocol.danger_check.rows)
    said = [case.text for case in cases(part)] + [pair.text for pair in pairs(part)] + interview.short_words(rows)
    for patient in patients(part):
        said += [patient.opening, patient.none, patient.others, *patient.facts.values()]
    return list(dict.fromkeys(said))


def _message(case: Case, bot: Offline) -> Verdict:
    return of_message(case, bot.first(case.text))


def _by_words(patient: Patient, bot: Offline) -> Verdict:
    return of_patient(patient, interview.by_words(bot, patient))


def _by_rows(patient: Patient, bot: Offline) -> Verdict:
    return of_patient(patient, interview.by_rows(bot, patient))


def _answer(pair: Pair, bot: Offline) -> Verdict:
    return of_answer(pair.label, heard(bot.protocol, pair.question, bot.reading(pair.text)).value)
