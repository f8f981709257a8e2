"""The sections of docs/evaluation.md on conversations: patients, dialogues, changed messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.tables import cell, counts, table

Results = Mapping[str, Any]

KINDS = {
    "A": "a sign claimed behind an answer that supposed it",
    "B denied": "labels and answers, the sign denied",
    "B confirmed": "labels and answers, the sign confirmed",
    "C": "an aside or a question back while something waits",
    "D": "not sure, refused, cannot tell",
    "E": "a yes-word beside what can not be done",
    "F": "saddle feeling told as different",
    "G": "not understood, then 'none of these'",
    "H": "denials behind advice that stands",
    "I": "relief of the treated pain",
    "J": "no A, then B",
    "J2": "a denied list without 'or'",
    "K": "a changed person with chills or fever",
    "L": "sees or does what is not real",
    "M": "lost walking told by comparison",
    "N": "the colour of the skin",
    "O": "word forms",
    "P": "both legs",
    "P2": "one side, in an answer",
    "Q": "a wish to die that is denied or past",
    "R": "nothing reported, again and again",
    "S": "part of another word",
    "T": "nerve pain down the leg",
}
PATIENTS = {
    "patients": "patients",
    "right": "right at the end",
    "hidden_found": "danger signs behind a harmless opening found",
    "hidden_emergencies_found": "of these, emergencies",
    "emergencies_below_doctor": "emergencies that end below call-your-doctor",
    "under_triaged": "under-triaged at the end",
    "benign_over_triaged": "benign patients over-triaged",
    "over_triaged": "over-triaged at the end",
    "questions_median": "questions, median",
    "questions_p90": "questions, nine of ten see at most",
}


def patients(parts: Mapping[str, Results]) -> Iterator[str]:
    """The simulated patients of each part."""
    yield "## Simulated patients"
    yield ""
    yield "Each is played to the end: by rows (the danger check is tapped) and by words (everything is typed). Those who were written"
    yield "before the check was have no rows and are played by words alone."
    yield ""
    columns = [(f"{part}, by {way}", results[way]) for part, results in parts.items() for way in ("rows", "words")]
    rows = [[name, *(cell(played[key]) for _, played in columns)] for key, name in PATIENTS.items()]
    rows.append(["patients by number of questions", *(counts(played["questions"]) for _, played in columns)])
    yield from table(["", *(name for name, _ in columns)], rows)
    yield ""


def dialogues(parts: Mapping[str, Results]) -> Iterator[str]:
    """The whole dialogues of each part that has some."""
    if not parts:
        return
    yield "## Whole dialogues"
    yield ""
    yield "Whether the last answer is right, by kind."
    yield ""
    kinds = list(next(iter(parts.values()))["by_kind"])
    rows = [["all", *(cell(results["right"]) for results in parts.values())]]
    rows += [[f"{kind}: {KINDS[kind]}", *(cell(results["by_kind"].get(kind, [0, 0])) for results in parts.values())] for kind in kinds]
    yield from table(["kind", *parts], rows)
    yield ""


def changes(parts: Mapping[str, Results]) -> Iterator[str]:
    """The changed messages of each part."""
    yield "## Changes that mean nothing"
    yield ""
    yield "Every message that is nothing but an emergency, changed: how often the answer stays the same."
    yield ""
    rows = [["all", *(cell(results["unchanged"]) for results in parts.values())]]
    names = next(iter(parts.values()))["by_change"]
    rows += [[name, *(cell(results["by_change"][name]) for results in parts.values())] for name in names]
    rows.append(["emergencies that are neither answered so nor asked about any more", *(cell(r["lost"]) for r in parts.values())])
    yield from table(["change", *parts], rows)
    yield ""
