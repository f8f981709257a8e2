"""The figures: counted right, in both databases, and with a patient's words only for who may see cases."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.event import listen

from gateway.console.audit.log import AuditLog
from gateway.console.cases.acts import Acts
from gateway.console.cases.disagreements import Disagreements
from gateway.console.cases.queue import Queue
from gateway.console.cases.waits import share
from gateway.console.identity.staff import StaffBook
from gateway.console.insights.figures import Book, Figures
from gateway.console.insights.speed import SHIFTS, shift_of
from gateway.console.policy import read_policy
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import audit
from tests.gateway.console.begun import NOON, Still, said
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, HARMLESS, MASTER_KEY, RED_FLAG, Door, clinic_in, library_in, reviews_of

_FEVER = "I have a fever of 101"


@pytest.fixture
def still() -> Still:
    return Still()


@pytest.fixture
def records(engine: Engine, still: Still) -> Records:
    """Records in either sort of database."""
    return Records(engine, Keyring([MASTER_KEY]), still)


@pytest.fixture
def someone(records: Records) -> int:
    """The number of a nurse's account."""
    person, _ = StaffBook(records.engine, records.keyring, records.clock).invite("Nurse", "nurse")
    return person.id


def _acts(records: Records) -> Acts:
    return Acts(records, read_policy(), AuditLog(records.engine, bytes(32), records.clock), library_in("UTC"))


def _read(records: Records, days: int = 7, *, words: bool = False, zone: str = "UTC") -> Figures:
    return Book(records, read_policy(), clinic_in(zone)).read(days, words=words)


def test_each_day_has_its_conversations_in_utc(records: Records, still: Still) -> None:
    for hours in (-12.5, -12.0, 11.9):
        still._ahead = timedelta(hours=hours)
        said(records, "emergency" if hours > 0 else None, ("red_flag",) if hours > 0 else ())
    figures = _read(records)
    assert [(day.day.isoformat(), day.all) for day in figures.volume[-2:]] == [("2030-05-09", 1), ("2030-05-10", 2)]
    assert len(figures.volume) == 7
    assert figures.tiers == {0: 2, 3: 1}
    still._ahead = timedelta(days=7)
    assert _read(records).cases == 0
    assert _read(records, 30).cases == 3


def test_time_to_acknowledge_by_tier_with_what_was_late_and_what_never_was(records: Records, still: Still, someone: int) -> None:
    acts = _acts(records)
    for minutes in (1, 2, 6):
        number = said(records, "emergency", ("red_flag",))
        still.travel(minutes=minutes)
        acts.acknowledge(number, someone, 99)
    said(records, "emergency", ("red_flag",))
    still.travel(minutes=6)
    said(records, "emergency", ("red_flag",))
    acts.close(said(records, "call_doctor", ("fever",)), someone, 99, "advised")
    red, call = _read(records).speed[3], _read(records).speed[2]
    assert (red.summary.acknowledged, red.summary.late, red.waiting, red.overdue) == (3, 1, 2, 1)
    assert (red.summary.median, red.summary.slowest_tenth) == (timedelta(minutes=2), timedelta(minutes=6))
    assert (call.summary.acknowledged, call.closed_unseen, red.closed_unseen) == (0, 1, 0)


def test_a_case_that_opens_again_does_not_forget_how_long_it_waited(records: Records, still: Still, someone: int) -> None:
    acts, number = _acts(records), said(records, "emergency", ("red_flag",))
    for minutes in (9, 1):
        still.travel(minutes=minutes)
        acts.acknowledge(number, someone, 99)
        acts.close(number, someone, 99, "reached")
        acts.reopen(number, someone)
    red = _read(records).speed[3]
    assert (red.summary.acknowledged, red.summary.late, red.waiting) == (2, 1, 1)
    assert red.summary.slowest_tenth == timedelta(minutes=9)


def test_the_shift_is_that_in_which_the_rule_fired(records: Records, still: Still, someone: int) -> None:
    still._ahead = timedelta(hours=2, minutes=58)
    number = said(records, "emergency", ("red_flag",))
    still.travel(minutes=4)
    _acts(records).acknowledge(number, someone, 99)
    shifts = _read(records).shifts
    assert {shift: shifts[shift].summary.acknowledged for shift in SHIFTS} == {"day": 1, "evening": 0, "night": 0}


@pytest.mark.parametrize(
    ("hour", "shift"), [(6, "night"), (7, "day"), (14, "day"), (15, "evening"), (22, "evening"), (23, "night"), (0, "night")]
)
def test_shifts_meet_without_a_gap(hour: int, shift: str) -> None:
    assert shift_of(NOON.replace(hour=hour, minute=59 if hour in (6, 14, 22) else 0)) == shift


@pytest.mark.parametrize(("part", "nearest"), [(0.5, 5), (0.9, 9), (1.0, 10)])
def test_a_share_is_the_nearest_rank(part: float, nearest: int) -> None:
    assert share([timedelta(minutes=number) for number in range(1, 11)], part) == timedelta(minutes=nearest)
    assert share([], part) is None


def test_false_alarms_are_counted_for_their_rule(records: Records, someone: int) -> None:
    other, _ = StaffBook(records.engine, records.keyring, records.clock).invite("Second", "lead")
    audit_log, acts = AuditLog(records.engine, bytes(32), records.clock), _acts(records)
    milder, accepted, rejected, idle = (said(records, "call_doctor", (rule,)) for rule in ("chills", "fever", "fever", "fever"))
    for case in (accepted, rejected):
        number = Disagreements(records, audit_log).add(case, someone, _last(records, case), "over_triaged", ("self_care",), "mild")
        reviews_of(records, audit_log).review(number, other.id, "accepted" if case == accepted else "rejected")
    acts.close(idle, someone, 99, "not_needed")
    acts.close(milder, someone, 99, "advised")
    alarms = {alarm.rule: alarm for alarm in _read(records).alarms}
    assert (alarms["fever"].fired, alarms["fever"].over_triaged, alarms["fever"].not_needed, alarms["fever"].false) == (3, 1, 1, 2)
    assert alarms["chills"].false == 0
    agreed = _read(records).agreement
    assert (agreed.reviewed, agreed.accepted) == (2, 1)


def _last(records: Records, case: int) -> int:
    return max(event.seq for event in records.events(Queue(records.engine, read_policy(), records.clock).conversation(case)))


def test_findings_that_are_present_are_counted_and_others_are_not(records: Records) -> None:
    said(records, codes=[["fever", "present"], ["chest_pain", "absent"]])
    said(records, codes=[["fever", "present"]])
    assert _read(records).findings == (("fever", 2),)


def test_answers_without_the_classifier_are_counted_by_cause(records: Records) -> None:
    said(records, by="core", cause="timeout")
    said(records, by="core", cause="timeout")
    said(records, by="card", cause="refused")
    said(records, type="out_of_scope")
    answers = _read(records).answers
    assert (answers.all, dict(answers.alone), answers.out_of_scope) == (4, {"timeout": 2, "refused": 1}, 1)


def test_what_the_leaflet_does_not_say_is_grouped_by_meaning(records: Records, still: Still) -> None:
    for text in ("Can I fly?", "May I swim, call 212-664-7665"):
        said(records, text=text, type="not_in_leaflet", meaning="ask_not_in_leaflet")
    said(records, text="What is it?", type="not_in_leaflet", meaning="ask_diagnosis")
    answers = _read(records, words=True).answers
    assert [(each.meaning, each.count) for each in answers.unanswered] == [("ask_not_in_leaflet", 2), ("ask_diagnosis", 1)]
    texts = {example.text for each in answers.unanswered for example in each.examples}
    assert {"Can I fly?", "What is it?"} < texts
    assert not any("7665" in text for text in texts)
    assert not any(each.examples for each in _read(records).answers.unanswered)
    purge(records.engine, still() + timedelta(days=1), dry_run=False)
    assert [(each.meaning, each.count, each.examples) for each in _read(records, words=True).answers.unanswered] == [("purged", 3, ())]


@pytest.mark.parametrize(("role", "sees"), [("nurse", True), ("lead", True), ("auditor", False), ("admin", False)])
def test_words_stand_on_the_page_only_for_who_may_see_cases(
    door: Door, services: ConsoleServices, hire: Hire, role: str, sees: bool
) -> None:
    case = said(services.records, text=f"Can I fly {CANARY}", type="not_in_leaflet", meaning="ask_not_in_leaflet")
    page = hire(role).get("/figures")
    assert page.status_code == 200, page.text
    assert "Ask not in leaflet" in page.text
    assert (CANARY in page.text) is sees
    assert (f"/console/cases/{case}" in page.text) is sees
    with services.records.engine.connect() as connection:
        detail = connection.execute(select(audit.c.detail).where(audit.c.act == "view_figures")).scalar_one()
    assert detail == {"days": 30, "examples": [case] if sees else []}


def test_the_page_stands_with_nothing_in_it_and_with_everything(door: Door, services: ConsoleServices, nurse: Person) -> None:
    assert "0 conversations began" in nurse.get("/figures", params={"days": "7"}).text
    red = door.patient()
    for patient, words in ((red, RED_FLAG), (door.patient(), _FEVER), (door.patient(), HARMLESS)):
        patient.say(words)
    number = case_of(door, red)
    acts = services.acts(Acts)
    acts.acknowledge(number, nurse.id, 99)
    acts.close(number, nurse.id, 99, "not_needed")
    door.rasa.act = door.rasa.down
    door.patient().say(HARMLESS)
    for days in ("7", "30", "90", "1", "x"):
        page = nurse.get("/figures", params={"days": days})
        assert page.status_code == 200, page.text
        assert "4 conversations began" in page.text
    assert CANARY not in page.text
    plots = re.findall(r"<svg.*?</svg>", page.text, re.DOTALL)
    assert len(plots) == 8
    assert all("<title" in plot and "<desc" in plot for plot in plots)
    assert page.text.count(", as a table</summary>") == len(plots)
    assert "style=" not in page.text
    assert "<style" not in page.text


def test_a_plot_escapes_what_it_is_given(services: ConsoleServices) -> None:
    plots = services.renderer._templates.get_template("plots.html").module
    for plot in ("bars", "columns"):
        drawn = str(getattr(plots, plot)("x", "<b>", "<i>", "Head", "Unit", [("<script>", 3), ("b", 0)]))
        assert "<script>" not in drawn
        assert "<b>" not in drawn
        assert "&lt;script&gt;" in drawn


def test_a_cut_is_told(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.console.insights.answers._ANSWERS_MOST", 2)
    for _ in range(3):
        said(records)
    answers = _read(records).answers
    assert (answers.all, answers.cut) == (2, True)


def test_what_is_read_by_the_clock_uses_an_index(records: Records) -> None:
    """SQLite tells how it finds rows; a search through all events or cases would be told as SCAN."""
    if records.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's words")
    plans = []

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and any(table in statement for table in (" event", "triage_case", "case_act")):
            plans.append((statement, [row[3] for row in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]))

    listen(records.engine, "before_cursor_execute", explain)
    said(records, type="not_in_leaflet")
    plans.clear()
    _read(records, words=True)
    assert plans
    scans = [(statement, plan) for statement, plan in plans if any(re.match(r"SCAN (event|triage_case|case_act)\b", each) for each in plan)]
    assert not scans, scans
