"""What was asked for: the bars of one part, each with what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.rates import Rate

Results = Mapping[str, Any]

ANSWERS = {
    "dangerous_taken_as_no": "dangerous answers taken as No",
    "unsure_taken_as_no": "'not sure', refused and cannot tell taken as No",
    "no_taken_as_yes": "No taken as Yes",
    "aside_taken_as_answer": "asides taken as Yes or No",
    "other_taken_as_no": "reports of something else taken as No",
    "unclear_taken_as_no": "unclear answers taken as No",
    "yes_understood": "Yes understood",
    "no_understood": "No understood",
    "unsure_understood": "'not sure' understood",
    "aside_understood": "asides understood",
    "asked_again": "not understood, asked again",
}
ANSWER_BARS = {
    "dangerous_taken_as_no": 0.0,
    "unsure_taken_as_no": 0.0,
    "no_taken_as_yes": 0.02,
    "aside_taken_as_answer": 0.0,
    "asked_again": 0.2,
}


@dataclass(frozen=True)
class Bar:
    """What was asked for: a share or a number, and whether more or less of it is better."""

    name: str
    found: Rate | float
    wanted: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side of the bar."""
        value = self.found.share if isinstance(self.found, Rate) else self.found
        return value >= self.wanted if self.at_least else value <= self.wanted


def bars(results: Results) -> list[Bar]:
    """The bars of one part's single messages, each with what was found."""
    ours, assertion = results["systems"]["Aftercare"], results["assertion"]
    by, alarms = ours["by_outcome"], results["alarms"]
    return [
        _share("emergencies answered `emergency`", 0.97, ours, "emergency_sensitivity"),
        _share("emergencies answered so or asked about", 0.99, ours, "emergency_seen"),
        _share("emergencies answered with self-care, an FAQ or nothing", 0.0, ours, "emergency_missed", at_least=False),
        _share("false emergencies among the rest", 0.005, ours, "false_emergency", at_least=False),
        _share("false emergencies where nothing is reported", 0.01, alarms, "nothing_emergency", at_least=False),
        _share("needless dispositions where nothing is reported", 0.02, alarms, "nothing_raised", at_least=False),
        _share("needless questions, the danger check apart", 0.05, alarms, "needless_questions", at_least=False),
        _share("the sign named right in a true emergency", 0.97, alarms, "sign_right"),
        _share("call-your-doctor in the end", 0.96, ours, "doctor_in_the_end"),
        _share("self-care messages right", 0.95, by, "self_care"),
        _share("FAQ topic right", 0.96, by, "faq"),
        _share("silent where the leaflet is silent", 0.95, ours, "abstention"),
        _share("chat and out of scope right", 0.97, ours, "talk"),
        _share("under-triage", 0.01, ours, "under_triage", at_least=False),
        _share("over-triage", 0.05, ours, "over_triage", at_least=False),
        _share("everyday requests that raise a disposition", 0.002, results, "everyday_raised", at_least=False),
        Bar("negation F1", assertion["negation_f1"], 0.97, at_least=True),
        _share("other person recall", 0.85, assertion, "other_person_recall"),
        _share("hypothetical recall", 0.85, assertion, "hypothetical_recall"),
        _share("history recall", 0.80, assertion, "historical_recall"),
        _share("present symptoms switched off", 0.01, assertion, "switched_off", at_least=False),
        Bar("CPU of an NLU turn, ms, median", results["cpu_ms"]["p50"], 30, at_least=False),
    ]


def bars_of_conversations(results: Results) -> list[Bar]:
    """The bars of one part's patients, dialogues, answers and changes, each with what was found."""
    words, rows, changed = results["patients"]["words"], results["patients"]["rows"], results["changes"]
    bars = [
        _share("danger signs behind a harmless opening found, by rows", 0.95, rows, "hidden_found"),
        _share("danger signs behind a harmless opening found, by words", 0.90, words, "hidden_found"),
        *(
            bar
            for way, played in (("rows", rows), ("words", words))
            for bar in (
                _share(f"emergencies that end below call-your-doctor, by {way}", 0.0, played, "emergencies_below_doctor", at_least=False),
                _share(f"benign patients over-triaged, by {way}", 0.02, played, "benign_over_triaged", at_least=False),
                Bar(f"questions a patient sees, median, by {way}", float(played["questions_median"]), 1, at_least=False),
                Bar(f"questions that nine of ten see at most, by {way}", float(played["questions_p90"]), 3, at_least=False),
            )
        ),
        _share("unchanged by a change that means nothing", 0.99, changed, "unchanged"),
        _share("emergencies that such a change loses", 0.0, changed, "lost", at_least=False),
        *bars_of_answers(results["answers"]),
    ]
    if "dialogues" in results:
        bars.append(_share("whole dialogues right", 0.95, results["dialogues"], "right"))
    card = results["answers"].get("card")
    if card:
        bars.append(_share("danger check in words: dangerous rows taken as No", 0.0, card, "dangerous_taken_as_no", at_least=False))
        bars.append(_share("danger check in words: asides that settle something", 0.0, card, "asides_settle", at_least=False))
    return bars


def _share(name: str, wanted: float, source: Mapping[str, Any], key: str, *, at_least: bool = True) -> Bar:
    return Bar(name, Rate(*source[key]), wanted, at_least)


def bars_of_answers(answers: Results) -> list[Bar]:
    """The bars of one part's answers."""
    return [Bar(ANSWERS[key], Rate(*answers[key]), wanted, at_least=False) for key, wanted in ANSWER_BARS.items()]
