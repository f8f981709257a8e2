"""Breaking the glass: one person reads one case for a while, and it is plain to see."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from gateway.console.services import ConsoleServices
from gateway.records.tables import audit, break_glass
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, RED_FLAG, Door


@pytest.fixture
def number(door: Door) -> int:
    patient = door.patient()
    patient.say(RED_FLAG)
    return case_of(door, patient)


@pytest.fixture(params=["auditor", "admin"])
def reader(request: pytest.FixtureRequest) -> Person:
    person: Person = request.getfixturevalue(request.param)
    return person


def test_a_case_is_closed_behind_the_glass(reader: Person, number: int, services: ConsoleServices) -> None:
    for path in ("", "/print"):
        page = reader.get(f"/cases/{number}{path}")
        assert page.status_code == 403
        assert CANARY not in page.text
        assert f'action="/console/cases/{number}/break-glass"' in page.text
    with services.records.engine.connect() as connection:
        assert not connection.execute(select(audit).where(audit.c.act == "view_case")).all()


def test_with_a_reason_it_opens_for_a_while(door: Door, reader: Person, number: int, services: ConsoleServices) -> None:
    for wrong in ("", "curiosity"):
        refused = reader.post(f"/cases/{number}/break-glass", reason=wrong)
        assert refused.status_code == 422
        assert "Choose a reason." in refused.text
    assert reader.get(f"/cases/{number}").status_code == 403
    answer = reader.post(f"/cases/{number}/break-glass", reason="quality")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/cases/{number}")
    page = reader.get(f"/cases/{number}")
    assert page.status_code == 200
    assert RED_FLAG in page.text
    assert "You broke the glass" in page.text
    assert reader.get(f"/cases/{number}/print").status_code == 200
    with services.records.engine.connect() as connection:
        (broken,) = connection.execute(select(break_glass)).all()
        (note,) = connection.execute(select(audit).where(audit.c.act == "break_glass")).all()
        (view,) = connection.execute(select(audit).where(audit.c.act == "view_case")).all()
        (print_,) = connection.execute(select(audit).where(audit.c.act == "print_case")).all()
    assert (broken.staff_id, broken.case_id, broken.reason) == (reader.id, number, "quality")
    assert broken.until - broken.at == services.policy.break_glass
    assert (note.staff_id, note.case_id, note.detail["reason"]) == (reader.id, number, "quality")
    assert view.detail == print_.detail == {"break_glass": True}
    door.clock.travel(minutes=14)
    reader.post("/unlock", password="correct horse battery")
    assert reader.get(f"/cases/{number}").status_code == 200
    door.clock.travel(minutes=2)
    assert reader.get(f"/cases/{number}").status_code == 403


def test_only_this_case_and_only_this_person(door: Door, auditor: Person, admin: Person, number: int) -> None:
    other = door.patient()
    other.say(RED_FLAG)
    auditor.post(f"/cases/{number}/break-glass", reason="legal")
    assert auditor.get(f"/cases/{case_of(door, other)}").status_code == 403
    assert admin.get(f"/cases/{number}").status_code == 403
    assert auditor.get("/queue").status_code == 403


def test_who_broke_the_glass_reads_and_does_nothing(reader: Person, number: int) -> None:
    reader.post(f"/cases/{number}/break-glass", reason="legal")
    page = reader.get(f"/cases/{number}").text
    assert not re.search(rf'action="/console/cases/{number}/', page)
    assert 'data-key="a"' not in page
    for act in ("acknowledge", "note", "close", "disagree", "reveal"):
        assert reader.post(f"/cases/{number}/{act}", seen=99, text="x", outcome="reached").status_code == 403, act


def test_the_nurses_see_who_broke_the_glass_and_have_no_glass(nurse: Person, auditor: Person, number: int) -> None:
    auditor.post(f"/cases/{number}/break-glass", reason="legal")
    assert re.search(r"Auditor Example broke the glass to read it: Legal duty, until", nurse.get(f"/cases/{number}").text)
    assert nurse.post(f"/cases/{number}/break-glass", reason="legal").status_code == 403
