"""The second reviewer: who may review what, once, and what the figures then say."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway.console.cases.disagreements import Disagreements
from gateway.console.cases.reviews import Agreement, agreement
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from gateway.records.tables import audit, disagreement
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, HARMLESS, RED_FLAG, Door, reviews_of

SCRIPT = "<script>alert('why')</script>"
KINDS = {"under_triaged": ("emergency",), "over_triaged": ("self_care",), "wrong_finding": (), "misunderstood": ("ask",)}


def disagreed(
    door: Door, services: ConsoleServices, author: Person, kind: str = "under_triaged", reason: str = "it is worse", words: str = ""
) -> int:
    """The number of a new disagreement about the answer to a message."""
    patient = door.patient()
    answer = patient.say(words or (RED_FLAG if kind == "over_triaged" else HARMLESS))
    return Disagreements(services.records, services.audit_log).add(
        case_of(door, patient), author.id, answer["seq"], kind, KINDS[kind], reason
    )


def row(services: ConsoleServices, number: int) -> Any:
    with services.records.engine.connect() as connection:
        return connection.execute(select(disagreement).where(disagreement.c.id == number)).one()


def test_a_second_person_accepts_and_it_is_on_record(door: Door, services: ConsoleServices, nurse: Person, lead: Person) -> None:
    number = disagreed(door, services, nurse, reason=f"because {CANARY}")
    page = lead.get("/reviews")
    assert page.status_code == 200, page.text
    assert "The needle site is sore" in page.text
    assert f"because {CANARY}" in page.text
    assert "Under-triaged" in page.text
    assert lead.post(f"/reviews/{number}", verdict="accepted").status_code == 303
    found = row(services, number)
    assert (found.verdict, found.reviewer_id) == ("accepted", lead.id)
    assert found.reviewed_at is not None
    with services.records.engine.connect() as connection:
        entries = list(connection.execute(select(audit).where(audit.c.act == "review")))
    assert [(entry.staff_id, entry.case_id, entry.detail) for entry in entries] == [
        (lead.id, found.case_id, {"disagreement": number, "verdict": "accepted"})
    ]
    assert "Nothing waits" in lead.get("/reviews").text


def test_nobody_reviews_their_own(door: Door, services: ConsoleServices, nurse: Person) -> None:
    number = disagreed(door, services, nurse)
    page = nurse.get("/reviews").text
    assert "It waits for somebody else" in page
    assert 'name="verdict"' not in page
    answer = nurse.post(f"/reviews/{number}", verdict="accepted")
    assert answer.status_code == 409
    assert "Another person" in answer.text
    assert row(services, number).verdict is None


def test_a_review_counts_once(door: Door, services: ConsoleServices, nurse: Person, lead: Person, hire: Hire) -> None:
    number = disagreed(door, services, nurse)
    assert lead.post(f"/reviews/{number}", verdict="rejected").status_code == 303
    again = hire("nurse", "Third Person").post(f"/reviews/{number}", verdict="accepted")
    assert again.status_code == 409
    assert "already" in again.text
    assert row(services, number).verdict == "rejected"


@pytest.mark.parametrize(("number", "verdict", "status"), [(99, "accepted", 404), (0, "accepted", 404), (1, "perhaps", 422), (1, "", 422)])
def test_what_is_no_review_is_refused(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, number: int, verdict: str, status: int
) -> None:
    disagreed(door, services, nurse)
    assert lead.post(f"/reviews/{number}", verdict=verdict).status_code == status
    assert row(services, 1).verdict is None


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_other_roles_review_nothing(door: Door, services: ConsoleServices, nurse: Person, hire: Hire, role: str) -> None:
    number = disagreed(door, services, nurse)
    person = hire(role)
    assert person.get("/reviews").status_code == 403
    assert person.post(f"/reviews/{number}", verdict="accepted").status_code == 403
    assert row(services, number).verdict is None


def test_a_review_needs_a_form_of_ours(door: Door, services: ConsoleServices, nurse: Person, lead: Person) -> None:
    number = disagreed(door, services, nurse)
    assert lead.post(f"/reviews/{number}", csrf="other", verdict="accepted").status_code == 403
    assert row(services, number).verdict is None


def test_words_are_no_markup_and_telephone_numbers_are_hidden(door: Door, services: ConsoleServices, nurse: Person, lead: Person) -> None:
    disagreed(door, services, nurse, reason=SCRIPT, words="<b>sore</b> needle site, call 212-664-7665")
    page = lead.get("/reviews").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "&lt;b&gt;sore" in page
    assert "664-7665" not in page


def test_purged_words_are_said_to_be_gone(door: Door, services: ConsoleServices, nurse: Person, lead: Person) -> None:
    number = disagreed(door, services, nurse)
    purge(services.records.engine, door.clock().replace(year=door.clock().year + 1), dry_run=False)
    page = lead.get("/reviews")
    assert page.text.count("Words deleted") == 3
    assert lead.post(f"/reviews/{number}", verdict="rejected").status_code == 303


def test_the_figures_count_what_was_agreed_on(door: Door, services: ConsoleServices, nurse: Person, lead: Person) -> None:
    assert agreement(services.records.engine) == Agreement(0, 0, 0, 0, 0)
    assert agreement(services.records.engine).share is None
    verdicts = [("under_triaged", "accepted"), ("over_triaged", "accepted"), ("wrong_finding", "accepted"), ("under_triaged", "rejected")]
    for kind, verdict in verdicts:
        reviews_of(services.records, services.audit_log).review(disagreed(door, services, nurse, kind), lead.id, verdict)
    disagreed(door, services, nurse, "misunderstood")
    found = agreement(services.records.engine)
    assert found == Agreement(waiting=1, reviewed=4, accepted=3, under_triaged=1, over_triaged=1)
    assert found.share == 0.75
    assert "3 of them accepted (75%)" in lead.get("/reviews").text
