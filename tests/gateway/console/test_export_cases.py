"""The table of cases: one row a case, cut to the profile, without a word of the patient."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.console.export.csv_file import CASES
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.console.test_checks import CHEST, NUMB, SORE, VAGUE, leave
from tests.gateway.console.test_export import audited, send, table
from tests.gateway.support import CANARY, RED_FLAG, Door, stored

_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00"
_DAY = r"\d{4}-\d\d-\d\d"
_TIMES = ("opened_at", "acknowledged_at", "closed_at")


def cases(person: Person, profile: str = "full", **fields: str) -> list[dict[str, str]]:
    return table(send(person, format="cases", profile=profile, **fields))


@pytest.fixture
def closed(door: Door, lead: Person) -> int:
    """A case that was acknowledged after seven minutes and closed after nine."""
    patient = door.patient()
    patient.say(f"{RED_FLAG}, no fever")
    number = case_of(door, patient)
    door.clock.travel(minutes=7)
    assert lead.post(f"/cases/{number}/acknowledge", seen=99).status_code == 303
    door.clock.travel(minutes=2)
    assert lead.post(f"/cases/{number}/close", seen=99, outcome="reached").status_code == 303
    return number


def test_a_case_is_a_row(closed: int, door: Door, lead: Person, services: ConsoleServices) -> None:
    other = door.patient()
    other.settled(SORE)
    calm, row = cases(lead)
    assert tuple(row) == CASES.columns
    told = {
        "case": str(closed), "tier": "Emergency", "state": "closed", "acknowledged_by": lead.name, "outcome": "reached",
        "minutes_to_acknowledge": "7", "minutes_to_close": "9", "rules": "chest_pain", "findings_present": "chest_pain",
        "findings_denied": "fever", "findings_assumed": "", "findings_other": "", "protocol": "vertebroplasty", "language": "en",
        "writer": "patient",
    }  # fmt: skip
    assert {name: row[name] for name in told} == told
    assert all(re.fullmatch(_MOMENT, row[name]) for name in _TIMES)
    assert (row["time_zone"], row["audit_head"]) == ("America/New_York", str(services.audit_log.head()))
    assert (calm["case"], calm["state"], calm["closed_at"], calm["minutes_to_acknowledge"]) == (str(case_of(door, other)), "open", "", "")
    assert calm["danger_check_rows"].startswith("chest_pain no; breathing no; ")
    assert CANARY not in send(lead, format="cases", profile="full").text


@pytest.mark.parametrize(("profile", "times"), [("limited", _DAY), ("deidentified", "")])
def test_a_masked_row_knows_no_staff_and_no_time_of_day(profile: str, times: str, closed: int, lead: Person, door: Door) -> None:
    (row,) = cases(lead, profile)
    assert all(re.fullmatch(times, row[name]) for name in _TIMES)
    assert (row["acknowledged_by"], row["conversation"]) == ("", "")
    assert (row["case"] == str(closed)) is (profile == "limited")
    assert (row["minutes_to_acknowledge"], row["minutes_to_close"], row["outcome"]) == ("7", "9", "reached")


def test_what_was_assumed_or_not_sure_is_told_apart_from_what_is_there(door: Door, hire: Hire) -> None:
    weak, unsure = door.patient(), door.patient()
    weak.say(VAGUE)
    unsure.answer_to(stored(unsure.tick(unsure.say(SORE)["check"], {NUMB: "unsure"})))
    leave(door)
    first, second = cases(hire("lead"), cases=f"{case_of(door, weak)}, {case_of(door, unsure)}")
    assert first["findings_assumed"] == "legs_worsening"
    assert "legs_worsening" not in first["findings_present"]
    assert first["findings_denied"] == ""
    assert (second["findings_present"], second["findings_other"]) == ("soreness", "saddle_numbness not sure: counts as present")
    assert "saddle_numbness not_sure" in second["danger_check_rows"]


def test_the_table_of_messages_denies_no_code_that_is_there(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.say("My left leg feels weak but not both legs, and it is not getting worse. No fever.")
    (first, *_) = table(send(lead, profile="full"))
    assert first["findings"] == "leg_weakness present; fever absent"


def test_a_case_that_was_left_says_where_its_check_stands(door: Door, hire: Hire) -> None:
    patient = door.patient()
    patient.answer_to(stored(patient.tick(patient.say(SORE)["check"], {CHEST: "no"})))
    leave(door)
    (row,) = cases(hire("lead"))
    assert row["danger_check"] == "unfinished"
    assert row["danger_check_rows"].startswith("chest_pain no; breathing left; ")


def test_a_case_that_was_opened_again_is_neither_acknowledged_nor_closed(closed: int, lead: Person) -> None:
    assert lead.post(f"/cases/{closed}/reopen").status_code == 303
    (row,) = cases(lead)
    assert (row["acknowledged_at"], row["minutes_to_acknowledge"], row["closed_at"], row["minutes_to_close"]) == ("", "", "", "")


def test_a_case_that_fired_anew_since_it_was_acknowledged_has_no_minutes(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.say("thank you")
    assert lead.post(f"/cases/{case_of(door, patient)}/acknowledge", seen=99).status_code == 303
    door.clock.travel(minutes=5)
    patient.settled(SORE)
    (row,) = cases(lead)
    assert row["acknowledged_at"] != ""
    assert (row["state"], row["tier"], row["minutes_to_acknowledge"]) == ("acknowledged", "Self-care", "")


def test_of_a_purged_case_the_findings_are_not_told_as_none(closed: int, door: Door, lead: Person) -> None:
    purge(door.records.engine, door.clock() + timedelta(days=1), dry_run=False)
    (row,) = cases(lead)
    assert {row[f"findings_{name}"] for name in ("present", "denied", "assumed", "other")} == {"[purged]"}
    assert row["rules"] == "chest_pain"


def test_the_preview_shows_a_row_a_case_and_the_file_is_on_record(closed: int, door: Door, lead: Person, services: ConsoleServices) -> None:
    page = send(lead, "/export/preview", format="cases", profile="limited")
    cells = re.findall(r"<td>(.*?)</td>", page.text, re.DOTALL)
    assert (len(cells), cells[0]) == (len(CASES.columns), str(closed))
    file = send(lead, format="cases", profile="limited")
    assert re.fullmatch(r'attachment; filename="aftercare-cases-limited-\d{8}-\d{6}\.csv"', file.headers["content-disposition"])
    (entry,) = audited(services, "export")
    assert (entry.detail["format"], entry.detail["cases"], entry.case_id) == ("cases", 1, closed)
