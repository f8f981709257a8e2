"""The clinic's time: its days, its hours, and that nothing else than the injected clock is asked for the time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aftercare.assistant import Assistant
from aftercare.clock import moment_of
from aftercare.conversation import Conversation
from aftercare.protocol import Protocol
from aftercare.protocol.clinic import Clinic
from aftercare.protocol.opening import Opening

_FOLDERS = ("aftercare", "actions", "gateway/console", "gateway/dialogue", "rasa_ext", "readers", "vault")
# The one place where the core reads the system's clock, and the keys of days, which are UTC on purpose.
_ALLOWED = {"aftercare/clock.py", "rasa_ext/envelopes.py"}
_SYSTEM_CLOCK = re.compile(r"\b(?:date\.today|datetime\.(?:now|today|utcnow)|time\.time|time\.localtime)\(|fromtimestamp\(")
_OPEN = {"monday": ["08:00-12:00", "13:00-17:00"], "friday": ["22:00-24:00"], "saturday": ["00:00-06:00"], "sunday": ["01:00-04:00"]}


def _at(written: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(written).replace(tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    opening = Opening.parse({**_OPEN, "holidays": ["2026-05-25"]})
    return Clinic("demo", {"phone": "555-0100", "after_hours_phone": "555-0199"}, ZoneInfo("America/New_York"), opening)


def _asks_the_system(root: Path) -> set[str]:
    files = (file for folder in _FOLDERS for file in (root / folder).rglob("*.py"))
    return {file.relative_to(root).as_posix() for file in files if _SYSTEM_CLOCK.search(file.read_text(encoding="utf-8"))}


def test_only_the_injected_clock_is_asked_for_the_time(root: Path) -> None:
    assert _asks_the_system(root) == _ALLOWED


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-01-15T04:59:59", date(2026, 1, 14)),
        ("2026-01-15T05:00:00", date(2026, 1, 15)),
        ("2026-07-15T03:59:59", date(2026, 7, 14)),
        ("2026-07-15T04:00:00", date(2026, 7, 15)),
        ("2026-03-08T04:59:59", date(2026, 3, 7)),
        ("2026-03-09T03:59:59", date(2026, 3, 8)),
        ("2026-03-09T04:00:00", date(2026, 3, 9)),
        ("2026-11-01T03:59:59", date(2026, 10, 31)),
        ("2026-11-02T04:59:59", date(2026, 11, 1)),
        ("2026-11-02T05:00:00", date(2026, 11, 2)),
    ],
)
def test_the_clinics_day_ends_at_its_own_midnight(clinic: Clinic, at: str, day: date) -> None:
    assert clinic.day(_at(at)) == day


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 7), 24), (date(2026, 3, 8), 23), (date(2026, 10, 31), 24), (date(2026, 11, 1), 25)]
)
def test_days_on_which_the_clock_changes_are_shorter_or_longer(clinic: Clinic, day: date, hours: int) -> None:
    begins, ends = clinic.moment(day), clinic.moment(day + timedelta(days=1))
    assert ends - begins == timedelta(hours=hours)
    assert (clinic.day(begins), clinic.day(ends - timedelta(microseconds=1))) == (day, day)
    assert begins.utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("day", "clock", "at"),
    [
        (date(2026, 3, 8), time(2, 30), "2026-03-08T07:30:00"),
        (date(2026, 11, 1), time(1, 30), "2026-11-01T05:30:00"),
        (date(2026, 7, 1), time(8), "2026-07-01T12:00:00"),
    ],
)
def test_a_time_of_the_clinic_is_one_moment(clinic: Clinic, day: date, clock: time, at: str) -> None:
    assert clinic.moment(day, clock) == _at(at)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-05-18T11:59:59", False),
        ("2026-05-18T12:00:00", True),
        ("2026-05-18T15:59:59", True),
        ("2026-05-18T16:00:00", False),
        ("2026-05-18T17:00:00", True),
        ("2026-05-18T20:59:59", True),
        ("2026-05-18T21:00:00", False),
        ("2026-05-19T14:00:00", False),
        ("2026-05-23T03:59:59", True),
        ("2026-05-23T04:00:00", True),
        ("2026-05-23T10:00:00", False),
        ("2026-01-05T12:59:59", False),
        ("2026-01-05T13:00:00", True),
        ("2026-05-25T14:00:00", False),
        ("2026-03-08T06:59:59", True),
        ("2026-03-08T07:00:00", True),
        ("2026-03-08T08:00:00", False),
        ("2026-11-01T04:59:59", False),
        ("2026-11-01T05:00:00", True),
        ("2026-11-01T06:00:00", True),
        ("2026-11-01T09:00:00", False),
    ],
)
def test_the_clinic_is_open_by_its_own_clock(clinic: Clinic, at: str, is_open: bool) -> None:
    assert clinic.is_open(_at(at)) is is_open
    assert clinic.to_call(_at(at)) == ("phone" if is_open else "after_hours_phone")


def test_a_holiday_is_the_clinics_day_not_that_of_utc(clinic: Clinic) -> None:
    assert clinic.is_open(_at("2026-05-18T13:00:00"))
    night = Clinic(
        "demo", {}, clinic.zone, Opening.parse({"sunday": ["00:00-24:00"], "monday": ["00:00-24:00"], "holidays": ["2026-05-25"]})
    )
    assert night.is_open(_at("2026-05-25T03:59:59"))
    assert not night.is_open(_at("2026-05-25T04:00:00"))


def test_the_demo_clinic_has_hours_and_a_zone(protocol: Protocol) -> None:
    assert protocol.clinic.zone.key == "America/New_York"
    assert protocol.clinic.is_open(_at("2026-05-18T14:00:00"))
    assert not protocol.clinic.is_open(_at("2026-12-25T15:00:00")), "a holiday"
    assert "opening" not in protocol.clinic.details


@pytest.mark.parametrize(
    ("at", "text", "procedure"),
    [
        ("2026-03-03T04:30:00", "my back hurts, they did it yesterday", "2026-03-01"),
        ("2026-03-03T05:30:00", "my back hurts, they did it yesterday", "2026-03-02"),
        ("2026-07-15T03:30:00", "my back hurts, the procedure was 3 days ago", "2026-07-11"),
        ("2026-03-03T04:30:00", "my back hurts, the procedure was on Sunday", "2026-03-01"),
    ],
)
def test_days_since_the_procedure_are_counted_from_the_clinics_day(protocol: Protocol, at: str, text: str, procedure: str) -> None:
    assistant = Assistant(protocol, lambda: _at(at))
    after, _ = assistant.respond(Conversation(), assistant.read(text, assistant.today()), assistant.today())
    assert after.procedure_day == procedure


def test_the_moment_of_a_message_travels_with_it() -> None:
    clock: Callable[[], datetime] = lambda: _at("2026-03-03T05:00:00")  # noqa: E731
    assert moment_of({"at": "2026-03-03T04:59:59+00:00"}, clock) == _at("2026-03-03T04:59:59")
    assert moment_of({"answers": {}}, clock) == moment_of(None, clock) == clock()
