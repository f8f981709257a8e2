"""The danger check at the console: row by row with times, unfinished chats in a list of their own, figures, files and replay."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import insert, select

from aftercare.protocol import load_protocol
from gateway.console.cases.case_view import CaseView, CaseViews
from gateway.console.cases.checks import End, How, Step, courses, ending
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.cases.replay import Replay
from gateway.console.insights.figures import Book
from gateway.console.redaction.mask import Mask
from gateway.console.services import ConsoleServices
from gateway.dialogue.rows import RowState
from gateway.records.database import writing
from gateway.records.tables import case_finding, notice, triage_case
from gateway.records.tier import Rank
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import ROOT, Door, Json, Patient, is_emergency, stored

SORE = "The needle site is sore"
FEVER = "I have a fever of 101.5 F"
VAGUE = "My legs feel weak"
NUMB = "Numb between the legs or where you sit?"
CHEST = "Chest pain or pressure?"
_CLOCK = r"\d\d:\d\d:\d\d E[SD]T"
_NOON = datetime(2030, 5, 10, 12, tzinfo=UTC)


def follow_up(door: Door) -> None:
    door.portal.call(door.services.answering.follow_up)


def leave(door: Door) -> None:
    """Let the patients who were asked something leave. Whoever is logged in at the console is locked out by then."""
    door.clock.travel(minutes=10, seconds=1)
    follow_up(door)


def view_of(services: ConsoleServices, number: int) -> CaseView:
    view = CaseViews(services.records, services.library, services.policy).read(number)
    assert view is not None
    return view


def page_of(person: Person, number: int, path: str = "") -> str:
    """A case's page without its tags, on one line."""
    page = person.get(f"/cases/{number}{path}")
    assert page.status_code == 200, page.text
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page.text)).split())


def row_of(page: str, text: str) -> str:
    """The line of a row in the table of the danger check."""
    return page.partition("What became of it")[2].partition(text)[2].partition("?")[0]


# What the record says, without a gateway


@dataclass(frozen=True)
class _Event:
    seq: int
    kind: str
    minute: float
    facts: dict[str, Any] = field(default_factory=dict)
    reply_to: int | None = None
    disposition: str | None = None

    @property
    def at(self) -> datetime:
        return _NOON + timedelta(minutes=self.minute)


def _asked(standing: str = "before") -> list[_Event]:
    rows = {"chest_pain": "asked", "breathing": "asked"}
    return [_Event(2, "message", 0), _Event(3, "answer", 1, {"rows": rows, "check": standing}, 2)]


def test_a_row_says_when_it_was_asked_and_answered_by_tap_or_by_words() -> None:
    tap = _Event(4, "message", 2, {"rows": {"chest_pain": "unsure"}})
    answer = _Event(5, "answer", 2.5, {"rows": {"chest_pain": "not_sure", "breathing": "asked"}}, 4)
    words = [_Event(6, "message", 3), _Event(7, "answer", 3.5, {"rows": {"chest_pain": "not_sure", "breathing": "no"}}, 6)]
    found = courses([*_asked(), tap, answer, *words])
    assert found["chest_pain"] == (Step(RowState.ASKED, _NOON + timedelta(minutes=1), 3), Step(RowState.NOT_SURE, tap.at, 4, How.TAP))
    assert found["breathing"][1] == Step(RowState.NO, _NOON + timedelta(minutes=3), 6, How.WORDS)


def test_an_answer_that_was_taken_back_stands_beside_the_second_asking() -> None:
    yes = [_Event(4, "message", 2, {"rows": {"chest_pain": "yes"}}), _Event(5, "answer", 2, {"rows": {"chest_pain": "yes"}}, 4)]
    again = [_Event(6, "message", 3), _Event(7, "answer", 3, {"rows": {"chest_pain": "asked"}, "check": "before"}, 6)]
    steps = courses([*_asked(), *yes, *again])["chest_pain"]
    assert [step.state for step in steps] == ["asked", "yes", "asked"]


_DENIED = [
    _Event(4, "message", 4, {"rows": {"chest_pain": "no", "breathing": "no"}}),
    _Event(5, "answer", 5, {"rows": {"chest_pain": "no", "breathing": "no"}}, 4, "self_care"),
]
_YES = [
    _Event(4, "message", 2, {"rows": {"chest_pain": "yes"}}),
    _Event(5, "answer", 3, {"rows": {"chest_pain": "yes", "breathing": "left"}}, 4, "emergency"),
]
_TOLD = _Event(4, "answer", 11, {"rows": {"chest_pain": "left", "breathing": "left"}, "check": "unfinished"})


@pytest.mark.parametrize(
    ("events", "end", "minutes"),
    [
        ([*_asked(), *_DENIED], End.FINISHED, 3),
        ([*_asked("behind"), *_YES], End.FINISHED, 1),
        (_asked(), End.WAITING, 0),
        (_asked("behind"), End.WAITING, 0),
        (_asked(""), End.PASSED_OVER, 0),
        ([*_asked(), _TOLD], End.LEFT_BEFORE, 0),
        ([*_asked("behind"), _Event(4, "left", 11, {"rows": {"chest_pain": "left", "breathing": "left"}})], End.LEFT_BEHIND, 0),
    ],
)
def test_how_a_check_ended_and_how_long_it_took(events: list[_Event], end: End, minutes: float) -> None:
    assert ending(events) == (end, timedelta(minutes=minutes))


def test_a_check_that_was_left_and_finished_later_is_finished() -> None:
    later = [_Event(8, "message", 20), _Event(9, "answer", 21, {"rows": {"chest_pain": "no", "breathing": "no"}}, 8)]
    assert ending([*_asked(), _TOLD, *later]) == (End.FINISHED, timedelta(minutes=19))
    assert ending([_Event(2, "message", 0), _Event(3, "answer", 1, {}, 2, "emergency")]) is None


@pytest.mark.parametrize("mask", [Mask.limited(), Mask.deidentified()])
def test_no_mask_hides_a_row(mask: Mask) -> None:
    for row in load_protocol().danger_check.rows:
        assert mask(f"{row.text} Not sure") == f"{row.text} Not sure"


# The case


def test_a_tapped_yes_is_shown_as_question_and_answer(door: Door, services: ConsoleServices, nurse: Person) -> None:
    patient = door.patient()
    asked = patient.say(SORE)
    patient.answer_to(stored(patient.tick(asked["check"], {CHEST[:10]: "no"})))
    again = patient.events()[-1]
    seq = stored(patient.tick(again["check"], {NUMB[:12]: "yes"}))
    assert is_emergency(patient.answer_to(seq))
    number = case_of(door, patient)
    (complaint, *_) = view_of(services, number).complaints
    assert (complaint.rows, complaint.words) == ((f"{NUMB} Yes",), "")
    soreness = next(each for each in view_of(services, number).complaints if each.rule == "soreness")
    assert (soreness.rows, soreness.words) == ((), "needle site is sore")
    page = page_of(nurse, number)
    assert f"What alarmed, in the patient's words {NUMB} Yes Emergency" in page
    assert re.search(rf"^No asked {_CLOCK}, no {_CLOCK} by tap", row_of(page, CHEST))
    assert re.search(rf"^Yes asked {_CLOCK}, yes {_CLOCK} by tap", row_of(page, NUMB))
    assert re.search(rf"^Shown but left asked {_CLOCK}, left {_CLOCK}", row_of(page, "Swelling of the face, mouth or throat?"))
    assert f"Patient tapped {NUMB} Yes" in page
    paper = page_of(nurse, number, "/print")
    assert f"Yes: {NUMB} (" in paper
    assert "Shown but left: " in paper


def test_words_that_answer_rows_are_shown_with_the_rows(door: Door, services: ConsoleServices, nurse: Person) -> None:
    patient = door.patient()
    asked = patient.say(SORE)
    position = next(number for number, row in enumerate(asked["check"]["rows"], 1) if row["text"] == NUMB)
    assert is_emergency(patient.say(f"number {position}"))
    number = case_of(door, patient)
    (complaint, *_) = view_of(services, number).complaints
    assert (complaint.rows, complaint.words) == ((f"{NUMB} Yes",), f"number {position}")
    assert re.search(rf"yes {_CLOCK} by words", row_of(page_of(nurse, number), NUMB))


def test_a_bare_no_is_shown_with_what_it_denies(door: Door, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(SORE)
    patient.say("none of these")
    chest = next(known for known in view_of(services, case_of(door, patient)).findings if known.code == "chest_pain")
    assert (chest.status, chest.question, chest.evidence) == ("absent", CHEST, "none of these")


# Left


def test_an_unfinished_chat_has_a_list_of_its_own_and_alarms_nobody(door: Door, services: ConsoleServices, hire: Hire) -> None:
    patient, fever = door.patient(), door.patient()
    patient.say(SORE)
    fever.say(FEVER)
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    assert queue.counts().unfinished == 0
    leave(door)
    number = case_of(door, patient)
    assert [row.id for row in queue.page(Filter()).rows] == [case_of(door, fever)]
    assert [row.id for row in queue.page(Filter(view="unfinished")).rows] == [number]
    assert (queue.counts().unfinished, queue.reds()) == (1, [])
    nurse = hire()
    work = nurse.get("/").text
    assert work.index(f'id="case-{case_of(door, fever)}"') < work.index("1</strong> unfinished chat</a>")
    assert f'id="case-{number}"' not in work
    own = nurse.get("/", params={"view": "unfinished"}).text
    assert f'id="case-{number}"' in own
    assert "Danger check unfinished" in own
    assert "left the danger check before an answer" in page_of(nurse, number)
    with door.records.engine.connect() as connection:
        assert connection.execute(select(notice)).all() == []
    door.clock.travel(hours=25)
    assert queue.counts().unfinished == 0
    assert [row.id for row in queue.page(Filter(view="unfinished")).rows] == [number]


def test_a_check_left_behind_call_your_doctor_is_said_on_the_case(door: Door, services: ConsoleServices, hire: Hire) -> None:
    patient = door.patient()
    patient.say(FEVER)
    number = case_of(door, patient)
    assert "The danger check waits for the patient's answers." in page_of(hire("lead"), number)
    leave(door)
    nurse = hire()
    page = page_of(nurse, number)
    assert "The danger check behind the answer was left. 8 of 8 rows have no answer" in page
    assert "Danger check left behind the answer" in nurse.get("/").text
    assert {row.last.state for row in view_of(services, number).check} == {RowState.LEFT}
    with door.records.engine.connect() as connection:
        assert connection.scalar(select(triage_case.c.rank).where(triage_case.c.id == number)) == Rank.CALL


# Assumed


@pytest.fixture
def assumed(door: Door, patient: Patient) -> int:
    """The case of somebody who left a question about a red flag."""
    asked = patient.say(VAGUE)
    assert asked["type"] == "question", asked
    leave(door)
    return case_of(door, patient)


def test_what_was_only_assumed_says_so_everywhere(services: ConsoleServices, assumed: int, nurse: Person) -> None:
    found = [known for known in view_of(services, assumed).findings if known.status == "assumed"]
    assert found
    label = found[0].label.capitalize()
    assert f"Assumed: not answered{label}" in page_of(nurse, assumed)
    assert "Left the last question unanswered: Is either leg getting" in page_of(nurse, assumed)
    assert f"{found[0].code} assumed: not answered" in _table(nurse)[0]["findings"]


def test_a_code_that_was_only_assumed_says_so_in_the_queue_and_is_found(
    door: Door, services: ConsoleServices, assumed: int, nurse: Person
) -> None:
    with writing(door.records.engine) as connection:
        connection.execute(insert(case_finding).values(case_id=assumed, code="chest_pain", status="assumed"))
    row = Queue(services.records.engine, services.policy, services.records.clock).one(assumed)
    assert row is not None
    assert (row.findings, row.assumed) == (("leg_weakness",), ("chest_pain",))
    assert "(assumed: not answered)" in nurse.get("/").text
    assert f'id="case-{assumed}"' in nurse.get("/", params={"finding": "chest_pain"}).text


def test_what_was_assumed_and_then_told_is_present(services: ConsoleServices, assumed: int, patient: Patient) -> None:
    patient.say("Yes, the weakness in both legs is getting worse by the hour")
    assert "assumed" not in {known.status for known in view_of(services, assumed).findings}


# Figures


def test_the_figures_count_each_end_and_each_row(door: Door, services: ConsoleServices, hire: Hire) -> None:
    finished, red, left, behind, passed = (door.patient() for _ in range(5))
    finished.tick_all(finished.say(SORE))
    red.answer_to(stored(red.tick(red.say(SORE)["check"], {NUMB[:12]: "yes"})))
    left.say(SORE)
    behind.say(FEVER)
    passed.say("What if I get chest pain?")
    leave(door)
    found = Book(services.records, services.policy, services.clinic).read(7, words=False).checks
    assert dict(found.ends) == {End.FINISHED: 2, End.LEFT_BEFORE: 1, End.LEFT_BEHIND: 1, End.PASSED_OVER: 1}
    assert found.median is not None
    assert found.median < timedelta(minutes=1)
    first = found.rows[0]
    assert (first.fact, first.shown, first.yes, first.not_sure) == ("saddle_numbness", 5, 1, 0)
    page = hire("lead").get("/figures").text
    assert re.search(r"Left before an answer \(unfinished\)</th><td>1 \(20 %\)", page)
    assert re.search(rf"{re.escape(NUMB)}</th><td>5</td><td>1 \(20 %\)", page)


# Files and replay


def _table(person: Person, **fields: str) -> list[dict[str, str]]:
    form = {"days": "7", "profile": "deidentified", "format": "csv", "reason": "quality"} | fields
    response = person.post("/export", **form)
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.fixture
def denied_some(door: Door, patient: Patient) -> Json:
    answer = patient.answer_to(stored(patient.tick(patient.say(SORE)["check"], {CHEST[:10]: "no"})))
    leave(door)
    return answer


def test_a_table_has_each_row_with_its_steps(denied_some: Json, nurse: Person, lead: Person) -> None:
    row = _table(nurse)[0]
    assert row["danger_check"] == "unfinished"
    assert row["danger_check_rows"].startswith(
        "chest_pain asked after 0 min; chest_pain no by tap after 0 min; breathing asked after 0 min"
    )
    assert "breathing left after 10 min" in row["danger_check_rows"]
    full = _table(lead, profile="full")
    assert re.search(r"chest_pain no by tap at \d{4}-\d\d-\d\dT", full[0]["danger_check_rows"])
    assert f"{CHEST} No" in [each["words"] for each in full]


def test_a_bundle_has_the_check_as_answers_to_a_questionnaire(denied_some: Json, nurse: Person) -> None:
    form = {"days": "7", "profile": "limited", "format": "fhir", "reason": "quality"}
    text = nurse.post("/export", **form).text
    Bundle.model_validate_json(text)
    (check,) = [each["resource"] for each in json.loads(text)["entry"] if each["resource"]["resourceType"] == "QuestionnaireResponse"]
    assert check["status"] == "stopped"
    first, second = check["item"][:2]
    assert (first["linkId"], first["text"], first["answer"][0]["valueCoding"]["code"]) == ("chest_pain", CHEST, "no")
    assert "answer" not in second
    assert check["extension"][0]["valueString"] == "unfinished"


def test_a_candidate_without_a_row_is_replayed_all_the_same(
    door: Door, services: ConsoleServices, patient: Patient, tmp_path: Path
) -> None:
    patient.tick_all(patient.say(SORE))
    folder = tmp_path / "vertebroplasty"
    shutil.copytree(ROOT / "protocols" / "vertebroplasty", folder)
    file = folder / "danger_check.yml"
    head, _, tail = file.read_text().partition("  - use: pain_severity\n")
    assert tail
    file.write_text(head)
    report = Replay(door.records, services.library, load_protocol(folder)).run([case_of(door, patient)])
    assert (report.changes[0].before.tier, report.changes[0].after.tier) == (1, 1)
