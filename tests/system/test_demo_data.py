"""Demo data comes from the running bot, in the past, and only where it belongs."""

from __future__ import annotations

import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.console.audit.log import AuditLog
from gateway.console.identity.staff import StaffBook
from gateway.records.database import connect
from gateway.records.store import Event, Records, utc_now
from gateway.records.tables import case_act, conversation, triage_case
from gateway.settings import Settings, from_environment
from scripts import demo_patients
from scripts.common import ROOT, TOOLS_PYTHON
from scripts.stack import Stack

NUMBER = 6
CLINIC = """
mode: clinic
name: A real clinic
phone: 212-664-7665
after_hours_phone: 212-664-7666
hours: Monday to Friday, 8 am to 5 pm
emergency_number: "911"
crisis_line: "988"
time_zone: America/New_York
opening: {monday: ["08:00-17:00"]}
"""


def make(stack: Stack, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOLS_PYTHON, "-m", "scripts.demo_data", *arguments], cwd=ROOT, env=stack.environment() | more,
        capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip


@pytest.fixture(scope="module")
def settings(stack: Stack) -> Settings:
    return from_environment(stack.environment(), demo=True)


@pytest.fixture(scope="module")
def records(settings: Settings) -> Records:
    return Records(connect(settings.records_url), settings.keyring)


ROWS = [{"fact": fact, "id": f"id of {fact}"} for fact in ("chest_pain", "saddle_numbness", "chills")]
CARD = {"type": "question", "check": {"waits": True}}


@pytest.mark.parametrize("waits", [True, False])
def test_the_danger_check_is_answered_by_rows_mostly_in_words_sometimes_and_left(waits: bool) -> None:
    chance = random.Random(7)
    person = demo_patients.Person("self_care", "it is sore", {"danger_check": "None of these"}, {}, ("thank you",), "patient")
    said = [
        demo_patients.Replies(person, chance).to({"type": "faq", "check": {"waits": waits}}, {"about": "danger_check", "rows": ROWS})
        for _ in range(400)
    ]
    by_rows = [each["rows"] for each in said if each and "rows" in each]
    by_words = [each for each in said if each == {"text": "None of these"}]
    left = [each for each in said if each == (None if waits else {"text": "thank you"})]
    assert len(by_rows) + len(by_words) + len(left) == len(said)
    assert len(by_rows) > max(len(by_words), len(left)) > 0
    assert all(set(each.values()) == {"no"} and len(each) == len(ROWS) for each in by_rows)


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_a_danger_sign_is_told_when_it_is_asked(answer: str) -> None:
    chance = random.Random(7)
    person = demo_patients.Person("emergency", "it is sore", {"danger_check": "None of these"}, {"saddle_numbness": answer}, (), "patient")
    said = [demo_patients.Replies(person, chance).to(CARD, {"about": "danger_check", "rows": ROWS}) for _ in range(200)]
    told = [each for each in said if each is not None]
    assert {str(each) for each in told} == {
        str({"rows": {"id of chest_pain": "no", "id of saddle_numbness": answer}}),
        str({"text": "number 2"}),
    }


def names(records: Records) -> set[str]:
    with records.engine.connect() as connection:
        return set(connection.scalars(select(conversation.c.id)))


@pytest.fixture(scope="module")
def made(stack: Stack, records: Records) -> dict[str, list[Event]]:
    """The demo's conversations."""
    before = names(records)
    done = make(stack, str(NUMBER))
    assert done.returncode == 0, done.stderr
    return {name: records.events(name) for name in names(records) - before}


def test_each_conversation_was_answered_in_the_last_day(made: dict[str, list[Event]]) -> None:
    assert len(made) == NUMBER
    now = datetime.now(UTC)
    for events in made.values():
        messages = {event.seq for event in events if event.kind == "message"}
        assert messages
        assert {event.reply_to for event in events if event.kind == "answer"} - {None} == messages
        assert all(now - timedelta(hours=25) < event.at < now for event in events)
    starts = sorted(events[0].at for events in made.values())
    assert starts[-1] - starts[0] > timedelta(minutes=10)


def test_the_bot_itself_answered(made: dict[str, list[Event]]) -> None:
    answers = [event for events in made.values() for event in events if event.kind == "answer"]
    by_rasa = [event for event in answers if event.facts["by"] == "rasa"]
    assert len(by_rasa) > len(answers) / 2
    assert all(event.facts["model"] for event in by_rasa)


def test_each_has_its_case(made: dict[str, list[Event]], records: Records) -> None:
    with records.engine.connect() as connection:
        assert made.keys() <= set(connection.scalars(select(triage_case.c.conversation_id)))


def test_the_demo_nurses_can_not_log_in(made: dict[str, list[Event]], records: Records) -> None:
    book = StaffBook(records.engine, records.keyring, utc_now)
    for name in ("demo-lead", "demo-nurse"):
        person = book.named(name)
        assert person is not None
        assert person.disabled
        assert not person.ready


def test_what_they_did_stands_in_the_past_and_in_an_audit_that_holds(
    made: dict[str, list[Event]], records: Records, settings: Settings
) -> None:
    with records.engine.connect() as connection:
        acts = [at for at, by in connection.execute(select(case_act.c.at, case_act.c.staff_id)) if by is not None]
    assert all(at < datetime.now(UTC) for at in acts)
    verdict = AuditLog(records.engine, settings.audit_key, utc_now).verify()
    assert verdict.problem == ""
    assert verdict.entries >= len(acts)


def test_records_in_use_are_not_filled_again(made: dict[str, list[Event]], stack: Stack, records: Records) -> None:
    before = names(records)
    done = make(stack, "--if-empty")
    assert (done.returncode, done.stdout) == (0, "")
    assert names(records) == before


def test_a_real_clinic_gets_none(stack: Stack, records: Records, tmp_path: Path, made: dict[str, list[Event]]) -> None:
    file = tmp_path / "clinic.yml"
    file.write_text(CLINIC, encoding="utf-8")
    before = names(records)
    done = make(stack, str(NUMBER), AFTERCARE_CLINIC=str(file))
    assert done.returncode == 1
    assert "for the demo clinic only" in done.stderr
    assert names(records) == before
