"""Times at the console are the clinic's: what is shown, what is counted, and what goes out, at midnight and when the clock changes."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from gateway.console import times
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog, Wanted
from gateway.console.cases.case_view import CaseViews
from gateway.console.insights.figures import Book
from gateway.console.insights.speed import shift_of
from gateway.console.policy import read_policy
from gateway.console.services import ConsoleServices
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import BOUND, HARMLESS, MASTER_KEY, RED_FLAG, Clock, Door, clinic_in

_NIGHT = datetime(2030, 5, 14, 3, 30, tzinfo=UTC)
_NEW_YORK = clinic_in("America/New_York")


class _Set(Clock):
    """A clock that stands at a moment, half past eleven at night in New York, until it is set or travels."""

    at = _NIGHT

    def __call__(self) -> datetime:
        return self.at + self._ahead


@pytest.fixture
def clock() -> _Set:
    return _Set()


@pytest.fixture
def records(engine: Engine, clock: _Set) -> Records:
    return Records(engine, Keyring([MASTER_KEY]), clock)


def _began(records: Records, clock: _Set, *moments: str) -> None:
    """A conversation at each of some moments in UTC."""
    for moment in moments:
        clock.at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        session = records.session(records.start("demo", {"blocks": [], "buttons": [], "sources": []}, "patient", bound=BOUND))
        assert session is not None
        records.add_message(session.conversation, f"message-{moment}", "hello")


def _days(records: Records, zone: str, days: int) -> list[tuple[str, int]]:
    volume = Book(records, read_policy(), clinic_in(zone)).read(days, words=False).volume
    return [(day.day.isoformat(), day.all) for day in volume]


@pytest.mark.parametrize(
    ("at", "moment", "clock_time"),
    [
        ("2026-03-08T06:59:59", "2026-03-08 01:59 EST", "01:59:59 EST"),
        ("2026-03-08T07:00:00", "2026-03-08 03:00 EDT", "03:00:00 EDT"),
        ("2026-11-01T05:30:00", "2026-11-01 01:30 EDT", "01:30:00 EDT"),
        ("2026-11-01T06:30:00", "2026-11-01 01:30 EST", "01:30:00 EST"),
        ("2026-05-14T03:59:00", "2026-05-13 23:59 EDT", "23:59:00 EDT"),
    ],
)
def test_a_moment_is_shown_in_the_clinics_time_with_its_zone(at: str, moment: str, clock_time: str) -> None:
    found = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (times.moment(_NEW_YORK, found), times.clock_time(_NEW_YORK, found)) == (moment, clock_time)
    assert times.moment(_NEW_YORK, None) == times.clock_time(_NEW_YORK, None) == ""


def test_no_page_shows_a_time_in_utc(door: Door, services: ConsoleServices, lead: Person, nurse: Person, hire: Hire) -> None:
    red, later = door.patient(), door.patient()
    red.say(RED_FLAG)
    later.say(HARMLESS)
    number, calm = case_of(door, red), case_of(door, later)
    lead.post(f"/cases/{number}/acknowledge", seen=99)
    lead.post(f"/cases/{calm}/snooze", seen=99, minutes=60, reason="asleep")
    lead.post("/handover", **{f"comment-{number}": "look again"})
    pages = (
        "/",
        "/?view=all",
        f"/cases/{number}",
        f"/cases/{calm}",
        f"/cases/{number}/print",
        "/handover",
        "/handover/1",
        "/notices",
        "/figures",
        "/audit",
    )
    for page in pages:
        text = re.sub(r"<[^>]*>", " ", lead.get(page).text)
        assert "UTC" not in text, page
        assert "+00:00" not in text, page
        assert set(re.findall(r"2030-05-14.*", text)) <= {*re.findall(r"2030-05-14 00:30 EDT.*", text)}, page
    assert "2030-05-13 23:30 EDT" in lead.get(f"/cases/{number}").text
    assert "snoozed it until 2030-05-14 00:30 EDT: asleep" in lead.get(f"/cases/{calm}").text
    assert "2030-05-14 00:30 EDT" in lead.get("/handover/1").text
    second = nurse.post(f"/cases/{number}/acknowledge", seen=99)
    assert "Lead Example acknowledged this case at 23:30:00 EDT." in second.text


def test_the_live_part_carries_what_its_clock_goes_by(lead: Person) -> None:
    assert '<time datetime="2030-05-14T03:30:00+00:00" data-offset="-14400" data-zone="EDT">23:30:00 EDT</time>' in lead.get("/queue").text
    winter = datetime(2030, 12, 1, tzinfo=UTC)
    assert (times.offset_seconds(_NEW_YORK, winter), times.abbreviation(_NEW_YORK, winter)) == (-18_000, "EST")


@pytest.mark.parametrize(
    ("moments", "zone", "days"),
    [
        (
            ("2026-03-08T04:59:59", "2026-03-08T05:00:00", "2026-03-09T03:59:59", "2026-03-09T04:00:00"),
            "America/New_York",
            [("2026-03-07", 1), ("2026-03-08", 2), ("2026-03-09", 1)],
        ),
        (
            ("2026-11-01T03:59:59", "2026-11-01T04:00:00", "2026-11-02T04:59:59", "2026-11-02T05:00:00"),
            "America/New_York",
            [("2026-10-31", 1), ("2026-11-01", 2), ("2026-11-02", 1)],
        ),
        (
            ("2026-05-10T18:29:59", "2026-05-10T18:30:00", "2026-05-11T18:29:59"),
            "Asia/Kolkata",
            [("2026-05-09", 0), ("2026-05-10", 1), ("2026-05-11", 2)],
        ),
    ],
)
def test_conversations_are_counted_by_the_clinics_days(
    records: Records, clock: _Set, moments: tuple[str, ...], zone: str, days: list[tuple[str, int]]
) -> None:
    _began(records, clock, *moments)
    assert _days(records, zone, 3) == days


@pytest.mark.parametrize("span", [7, 30, 90])
def test_each_span_of_days_begins_at_the_clinics_midnight(records: Records, clock: _Set, span: int) -> None:
    begins = _NEW_YORK.moment(date(2026, 3, 20) - timedelta(days=span - 1))
    moments = (begins - timedelta(seconds=1), begins, datetime(2026, 3, 20, 15, tzinfo=UTC))
    _began(records, clock, *(moment.replace(tzinfo=None).isoformat() for moment in moments))
    counts = [number for _, number in _days(records, "America/New_York", span)]
    assert counts == [1, *[0] * (span - 2), 1]


@pytest.mark.parametrize(("month", "hours"), [(1, {12: "day", 20: "evening", 4: "night"}), (7, {11: "day", 19: "evening", 3: "night"})])
def test_shifts_are_the_clinics(month: int, hours: dict[int, str]) -> None:
    for hour, shift in hours.items():
        begins = datetime(2026, month, 15, hour, tzinfo=UTC)
        assert shift_of(_NEW_YORK.local(begins)) == shift
        assert shift_of(_NEW_YORK.local(begins - timedelta(seconds=1))) != shift


def test_a_day_of_the_audit_is_the_clinics(engine: Engine, clock: _Set) -> None:
    audit_log = AuditLog(engine, bytes(32), clock)
    for moment in ("2026-11-01T03:59:59", "2026-11-01T04:00:00", "2026-11-02T04:59:59", "2026-11-02T05:00:00"):
        clock.at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        audit_log.record(AuditAct.LOGIN)
    wanted = Wanted.parse({"day": "2026-11-01"}, _NEW_YORK.zone)
    assert [entry.seq for entry in audit_log.read(wanted).entries] == [3, 2]
    assert wanted.as_query() == {"day": "2026-11-01"}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-13-01", "yesterday"])
def test_a_day_that_can_not_be_looked_for_is_left_out(lead: Person, day: str) -> None:
    assert Wanted.parse({"day": day}, _NEW_YORK.zone).day is None
    assert lead.get("/audit", params={"day": day}).status_code == 200


def test_days_since_the_procedure_are_counted_to_the_clinics_day(door: Door, services: ConsoleServices, clock: _Set) -> None:
    patient = door.patient()
    patient.say("My back hurts a bit more, they did it 3 days ago")
    views = CaseViews(services.records, services.library, services.policy)
    number = case_of(door, patient)
    view = views.read(number)
    assert view is not None
    day = (services.clinic.day(view.row.last_at) - timedelta(days=view.days_since_procedure or 0)).isoformat()
    assert services.clinic.day(view.row.last_at) == date(2030, 5, 13)
    words = services.records.events(view.conversation)[-1].words
    assert words is not None
    assert day == words["conversation"]["procedure_day"]


@pytest.mark.parametrize(("profile", "at"), [("full", "2030-05-13T23:30:00-04:00"), ("limited", "2030-05-13")])
def test_an_export_has_the_clinics_time_and_names_its_zone(door: Door, lead: Person, profile: str, at: str) -> None:
    patient = door.patient()
    patient.say(HARMLESS)
    fields = {"days": "7", "profile": profile, "format": "csv", "reason": "quality", "token": "a" * 32}
    response = lead.post("/export", **fields)
    assert response.status_code == 200, response.text
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert {row["at"] for row in rows} == {at}
    assert {(row["exported_at"], row["time_zone"]) for row in rows} == {("2030-05-13T23:30:00-04:00", "America/New_York")}
