from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from aftercare.assistant import Assistant
from aftercare.protocol import Protocol, load_protocol
from aftercare.protocol.check import check
from aftercare.protocol.compose import CLINICAL, PROTOCOLS, Sources, compose
from aftercare.protocol.files import read
from aftercare.protocol.load import known_folders
from aftercare.understanding.reading import Opinion, Reading
from evaluation.bot import Answer
from evaluation.cases import Case, Patient, cases, pairs, patients
from evaluation.tuning import record
from evaluation.tuning.command import entries_of
from evaluation.tuning.offline import Limits, Offline
from evaluation.tuning.record import Entry, edited_by_hand
from evaluation.tuning.sweep import Figures, Sweep, grid
from evaluation.tuning.trials import Trial, Verdict, of_answer, of_message, of_patient, texts, trials

pytestmark = pytest.mark.slow

FOLDER = PROTOCOLS / "vertebroplasty"
MODEL = "0123456789ab"
EMERGENCY = ("emergency",)
SMALL_TALK = ("chat", "ask")


def messages(protocol: Protocol, limits: Limits, given: dict[str, tuple[float, tuple[str, ...]]]) -> Sweep:
    """A sweep of messages that only the classifier understands: how sure it is of chest pain in each, and what is accepted."""
    readings = [
        Reading(text, opinions=(Opinion(0, len(text), (("report_chest_pain", sure), ("chitchat", 1 - sure))),))
        for text, (sure, _) in given.items()
    ]
    judges: list[Trial] = [_judge(Case(text, accepted, (), ())) for text, (_, accepted) in given.items()]
    return Sweep(Offline(protocol, readings, limits), judges)


def _judge(case: Case) -> Trial:
    return lambda bot: of_message(case, bot.first(case.text))


@pytest.fixture
def limits(protocol: Protocol) -> Limits:
    return Limits({**protocol.thresholds, "red_flag_certain": 0.45, "red_flag_suspect": 0.25})


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copy(CLINICAL / record.FILE, tmp_path / record.FILE))


def test_the_better_value_is_chosen_and_written(protocol: Protocol, limits: Limits, copied: Path) -> None:
    given = {
        "blorb the fnord and wibble": (0.40, EMERGENCY),
        "the wibble of a fnord": (0.38, EMERGENCY),
        "fnord after fnord after fnord": (0.30, SMALL_TALK),
    }
    sweep = messages(protocol, limits, given)
    (change,) = sweep.run(["red_flag_certain"])
    assert (change.old, change.new) == (0.45, 0.37)
    assert (change.before.asked, change.after.asked, change.after.over) == (2, 0, 0)
    before = copied.read_text(encoding="utf-8")
    entries = entries_of(sweep, limits, ["red_flag_certain"], origin="tune", model=MODEL)
    record.write(copied, entries)
    old, new = before.splitlines(), copied.read_text(encoding="utf-8").splitlines()
    changed = [line for was, line in zip(old, new, strict=True) if was != line]
    day = entries["red_flag_certain"].day
    assert changed[:2] == ["  value: 0.37", "  from: tune"]
    assert changed[2:] == [
        f"  figures: {{value: 0.37, n: 3, lost: 0, asked: 0, doctor_lost: 0, over: 0, needless: 0, wrong: 0, "
        f'date: {day}, model: "{MODEL}"}}'
    ]
    assert edited_by_hand(copied) == []


def test_a_probability_without_provenance_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "clinical"
    shutil.copytree(CLINICAL, folder)
    file = folder / record.FILE
    file.write_text(re.sub(r"^  from: .*\n", "", file.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE), encoding="utf-8")
    (problem,) = check(FOLDER, compose(Sources(FOLDER, FOLDER / "clinic.yml", "en", clinical=folder)))
    assert "red_flag_certain: 'from' is missing" in problem


def test_what_was_written_is_what_a_protocol_takes(tmp_path: Path, protocol: Protocol) -> None:
    folder = tmp_path / "clinical"
    shutil.copytree(CLINICAL, folder)
    figures = Figures(n=9, lost=0, asked=1, doctor_lost=0, over=2, needless=0, wrong=0)
    record.write(folder / record.FILE, {"abstain": Entry(0.6, "tune", figures, "2026-01-31", MODEL)})
    content = compose(Sources(FOLDER, FOLDER / "clinic.yml", "en", clinical=folder))
    assert check(FOLDER, content) == []
    assert content["thresholds"]["abstain"]["value"] == 0.6


def test_a_value_that_gains_nothing_stays(protocol: Protocol, limits: Limits) -> None:
    sweep = messages(
        protocol, limits, {"blorb the fnord and wibble": (0.80, EMERGENCY), "fnord after fnord after fnord": (0.1, SMALL_TALK)}
    )
    assert sweep.run(["red_flag_certain", "red_flag_suspect"]) == []
    assert set(sweep.around("red_flag_certain")) == {0.45, *grid(0.45)}


def test_no_emergency_is_lost_for_others_that_are_found(protocol: Protocol) -> None:
    """Above 0.9 the first two are found, and the third is lost."""

    def judge(number: int) -> Trial:
        def of(bot: Offline) -> Verdict:
            high = bot.limits["confident"] > 0.9
            return (Verdict.LOST if high else Verdict.ASKED) if number == 2 else (Verdict.RIGHT if high else Verdict.ASKED)

        return of

    limits = Limits({**protocol.thresholds, "confident": 0.9})
    assert Sweep(Offline(protocol, [], limits), [judge(number) for number in range(3)]).run(["confident"]) == []
    (change,) = Sweep(Offline(protocol, [], limits), [judge(number) for number in range(2)]).run(["confident"])
    assert change.new == 0.93


def test_conversations_that_do_not_consult_a_value_are_not_counted_for_it(protocol: Protocol, limits: Limits) -> None:
    sweep = messages(protocol, limits, {"blorb the fnord and wibble": (0.80, EMERGENCY)})
    assert sweep.figures("red_flag_certain").n == sweep.total.n == 1
    assert sweep.figures("answer_no").n == 0


@pytest.mark.parametrize("value", [0.03, 0.05, 0.45, 0.9, 0.97, 0.99])
def test_the_grid_lies_around_the_value_and_between_0_and_1(value: float) -> None:
    around = grid(value)
    assert value not in around
    assert len(around) == len(set(around)) >= 3
    assert all(0 < each < 1 for each in around)
    assert [abs(each - value) for each in around] == sorted(abs(each - value) for each in around)


@pytest.mark.parametrize(
    ("accepted", "outcome", "verdict"),
    [
        ("emergency", "emergency", Verdict.RIGHT),
        ("emergency", "ask", Verdict.ASKED),
        ("emergency", "call_doctor", Verdict.LOST),
        ("emergency", "chat", Verdict.LOST),
        ("call_doctor", "self_care", Verdict.DOCTOR_LOST),
        ("call_doctor", "emergency", Verdict.OVER),
        ("call_doctor", "ask", Verdict.NEEDLESS),
        ("ask", "chat", Verdict.DOCTOR_LOST),
        ("chat", "call_doctor", Verdict.OVER),
        ("chat", "ask", Verdict.NEEDLESS),
        ("chat", "not_in_leaflet", Verdict.WRONG),
        ("self_care", "chat", Verdict.WRONG),
    ],
)
def test_what_becomes_of_a_message(accepted: str, outcome: str, verdict: Verdict) -> None:
    assert of_message(Case("words", (accepted,), (), ()), answer(outcome)) is verdict


@pytest.mark.parametrize(
    ("right", "end", "verdict"),
    [
        ("emergency", "emergency", Verdict.RIGHT),
        ("emergency", "call_doctor", Verdict.LOST),
        ("call_doctor", "self_care", Verdict.DOCTOR_LOST),
        ("self_care", "call_doctor", Verdict.OVER),
        ("chat", "not_in_leaflet", Verdict.WRONG),
    ],
)
def test_what_becomes_of_a_patient(right: str, end: str, verdict: Verdict) -> None:
    patient = Patient("words", {}, (right,), {}, "", "", "")
    assert of_patient(patient, [answer(end)]) is verdict


@pytest.mark.parametrize(
    ("label", "taken", "verdict"),
    [
        ("yes", "yes", Verdict.RIGHT),
        ("yes", "unsure", Verdict.RIGHT),
        ("yes", "no", Verdict.LOST),
        ("unsure", "no", Verdict.LOST),
        ("unsure", "", Verdict.ASKED),
        ("no", "no", Verdict.RIGHT),
        ("no", "yes", Verdict.OVER),
        ("no", "", Verdict.NEEDLESS),
        ("aside", "no", Verdict.DOCTOR_LOST),
        ("aside", "yes", Verdict.OVER),
        ("other", "no", Verdict.DOCTOR_LOST),
        ("other", "", Verdict.RIGHT),
        ("unclear", "aside", Verdict.RIGHT),
    ],
)
def test_what_becomes_of_an_answer(label: str, taken: str, verdict: Verdict) -> None:
    assert of_answer(label, taken) is verdict


def answer(outcome: str) -> Answer:
    kind = {"ask": "question"}.get(outcome, "triage" if outcome in ("emergency", "call_doctor", "self_care") else outcome)
    return Answer({"type": kind, "disposition": outcome}, 0.0)


def test_every_conversation_of_validation_can_be_decided(protocol: Protocol, assistant: Assistant) -> None:
    """By the lexicon alone, here: all that may be typed is among what is read."""
    readings = [replace(assistant.read(text, assistant.today()), text=text) for text in texts("validation", protocol)]
    total = Sweep(Offline(protocol, readings, Limits(protocol.thresholds)), trials("validation")).total
    played = patients("validation")
    assert total.n == len(cases("validation")) + len(pairs("validation")) + len(played) + len([each for each in played if each.rows])


@pytest.mark.parametrize("file", sorted({file for folder in known_folders().values() for file in record.files(folder)}), ids=str)
def test_no_probability_was_edited_by_hand(file: Path) -> None:
    assert edited_by_hand(file) == []


def test_a_value_edited_by_hand_is_noticed(copied: Path) -> None:
    text = copied.read_text(encoding="utf-8")
    copied.write_text(re.sub(r"^abstain:\n  value: .*$", "abstain:\n  value: 0.36", text, flags=re.MULTILINE), encoding="utf-8")
    (noticed,) = edited_by_hand(copied)
    assert re.match(r".*thresholds\.yml:\d+: abstain is 0\.36, but was measured as 0\.\d+; run `python -m evaluation tune`", noticed)


def test_every_probability_is_one_that_can_be_tuned(protocol: Protocol) -> None:
    held = [name for file in record.files(FOLDER) for name in record.probabilities(read(file))]
    assert set(protocol.thresholds) - set(held) == {"broken_off_minutes"}
    assert all(0 < protocol.thresholds[name] < 1 for name in held)


def test_an_entry_that_is_not_there_is_not_written(copied: Path) -> None:
    before = copied.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="holds 0 entries no_such_name"):
        record.write(copied, {"no_such_name": Entry(0.5, "tune", Figures.of([]), "2026-01-31", MODEL)})
    assert copied.read_text(encoding="utf-8") == before


def test_thresholds_are_plain_values(protocol: Protocol) -> None:
    assert all(isinstance(value, int | float) for value in load_protocol(FOLDER).thresholds.values())
