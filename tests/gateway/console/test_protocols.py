"""Two protocols at one console: each case is read by its own, and what is bound to one that is gone says so."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gateway.__main__
from aftercare.protocol import Protocol, load_protocol
from gateway.console.cases.case_view import CaseViews
from gateway.console.cases.disagreements import Disagreements
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.cases.replay import Replay, UnmatchedError
from gateway.console.insights.regressions import OTHER, Regressions
from gateway.console.services import ConsoleServices
from tests.gateway.console.people import Person, case_of, hired, services_of
from tests.gateway.support import (
    HARMLESS,
    MASTER_KEY_TEXT,
    RED_FLAG,
    ROOT,
    SECOND,
    SECOND_CLINIC,
    SECOND_KEY,
    Door,
    Patient,
    reviews_of,
    stored,
)


@pytest.fixture
def two_services(two: Door) -> ConsoleServices:
    return services_of(two)


@pytest.fixture
def ann(two: Door) -> Person:
    return hired(two, "Ann Example", "lead")


@pytest.fixture
def cases(two: Door) -> tuple[int, int]:
    """An emergency by the first protocol, and one by the second."""
    patients = two.patient(), two.patient(SECOND_KEY)
    for patient in patients:
        patient.say(RED_FLAG)
    first, second = (case_of(two, patient) for patient in patients)
    return first, second


def test_the_page_reads_a_case_by_its_own_protocol(ann: Person, cases: tuple[int, int]) -> None:
    first, second = (ann.get(f"/cases/{number}").text for number in cases)
    assert "<dd>vertebroplasty, en</dd>" in first
    assert f"<dd>{SECOND}, en</dd>" in second
    for own in (f"<dd>{SECOND}, en</dd>", "Second chest pain", "second_chest_pain", "the second cement", "present: second chest pain"):
        assert own in second
        assert own not in first
    assert "The protocol of today has no such rule" not in second
    assert "no longer in force" not in first + second


def test_the_page_has_the_rows_of_its_own_protocol(two: Door, ann: Person) -> None:
    patient = two.patient(SECOND_KEY)
    patient.answer_to(stored(patient.tick(patient.say(HARMLESS)["check"], {"Second chest pain": "yes"})))
    page = ann.get(f"/cases/{case_of(two, patient)}").text
    assert "<q>Second chest pain or pressure? Yes</q>" in page


def test_the_page_for_printing_is_of_its_own_clinic(ann: Person, cases: tuple[int, int]) -> None:
    first, second = (ann.get(f"/cases/{number}/print").text for number in cases)
    assert SECOND_CLINIC in second
    assert f"Protocol: {SECOND}, en." in second
    assert SECOND_CLINIC not in first
    assert "Protocol: vertebroplasty, en." in first


def _tags(page: str, number: int) -> str:
    """What the queue's line of a case says."""
    found = re.search(rf'<a id="case-{number}".*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_the_queue_names_the_protocol_where_there_are_several(ann: Person, cases: tuple[int, int]) -> None:
    page = ann.get("/").text
    first, second = (_tags(page, number) for number in cases)
    assert '<span class="tag">vertebroplasty, en</span>' in first
    assert f'<span class="tag">{SECOND}, en</span>' in second
    assert '<span class="tag">second chest pain</span>' in second
    assert '<span class="tag">chest pain</span>' in first
    assert '<select name="protocol">' in page
    assert "<option >second_chest_pain</option>" in page


def test_the_queue_of_one_protocol_stays_narrow(door: Door, nurse: Person) -> None:
    door.patient().say(RED_FLAG)
    page = nurse.get("/").text
    assert "vertebroplasty" not in page
    assert 'name="protocol"' not in page


def test_the_queue_is_filtered_by_protocol(two_services: ConsoleServices, ann: Person, cases: tuple[int, int]) -> None:
    page = ann.get("/", params={"protocol": SECOND}).text
    assert [f'id="case-{number}"' in page for number in cases] == [False, True]
    assert f"<option selected>{SECOND}</option>" in page
    assert f"protocol={SECOND}" in page, "the live part goes on with it"
    queue = Queue(two_services.records.engine, two_services.policy, two_services.records.clock)
    found = {name: [row.id for row in queue.page(Filter(protocol=name)).rows] for name in ("vertebroplasty", SECOND, "lost")}
    assert found == {"vertebroplasty": [cases[0]], SECOND: [cases[1]], "lost": []}


def test_a_protocol_that_is_no_name_is_no_filter() -> None:
    assert Filter.parse({"protocol": "'; DROP TABLE event"}) == Filter()
    assert Filter.parse({"protocol": SECOND}).as_query() == {"protocol": SECOND}


def test_a_search_names_findings_by_their_own_protocol(ann: Person, cases: tuple[int, int]) -> None:
    page = ann.post("/search", words="chest").text
    assert page.count('<span class="tag">chest pain</span>') == 1
    assert page.count('<span class="tag">second chest pain</span>') == 1


@pytest.mark.parametrize("profile", ["full", "limited", "deidentified"])
def test_an_export_says_what_a_conversation_is_bound_to(profile: str, ann: Person, cases: tuple[int, int]) -> None:
    form = {"days": "7", "profile": profile, "reason": "quality"}
    table = list(csv.DictReader(io.StringIO(ann.post("/export", **form, format="csv").content.decode("utf-8-sig"))))
    assert {(row["protocol"], row["language"]) for row in table if "second_chest_pain" in row["rules"]} == {(SECOND, "en")}
    assert {(row["protocol"], row["language"]) for row in table} == {("vertebroplasty", "en"), (SECOND, "en")}
    bundle = json.loads(ann.post("/export", **form, format="fhir").text)
    resources = [each["resource"] for each in bundle["entry"]]
    said = [
        {part["url"]: part["valueString"] for part in each["extension"] if "valueString" in part}
        for each in resources
        if each["resourceType"] == "Task"
    ]
    assert sorted(each["urn:aftercare:protocol"] for each in said) == [SECOND, "vertebroplasty"]
    assert {each["urn:aftercare:language"] for each in said} == {"en"}
    assert {each["code"]["text"] for each in resources if each["resourceType"] == "Observation"} == {"chest pain", "second chest pain"}


# The replay.


@pytest.fixture
def candidate(second_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A candidate for the second protocol's place, in which sudden pain and a weak leg together may wait, as the environment names it."""
    folder = tmp_path / SECOND
    shutil.copytree(second_folder, folder)
    file = folder / "rules.yml"
    head, tail = file.read_text().split("  - id: pain_with_leg_sign\n")
    milder = "disposition: emergency\n    advice: go_to_er", "disposition: call_doctor\n    advice: call_clinic"
    assert milder[0] in tail
    file.write_text(f"{head}  - id: pain_with_leg_sign\n{tail.replace(*milder, 1)}")
    monkeypatch.setenv("AFTERCARE_PROTOCOL", f"{ROOT / 'protocols' / 'vertebroplasty'},{folder}")
    return folder


@pytest.fixture
def worsened(two: Door) -> tuple[int, int]:
    """The case of a conversation by the first protocol, and of one by the second."""
    patients = two.patient(), two.patient(SECOND_KEY)
    for patient in patients:
        patient.say("I felt a sudden pop in my back. My legs feel weak")
    first, second = (case_of(two, patient) for patient in patients)
    return first, second


def test_a_candidate_takes_the_place_of_its_own_protocol_alone(
    two: Door, two_services: ConsoleServices, candidate: Path, worsened: tuple[int, int]
) -> None:
    report = Replay(two.records, two_services.library, load_protocol(candidate)).run(worsened)
    assert report.others == 1
    (change,) = report.changes
    assert (change.case, change.before.tier, change.after.tier) == (worsened[1], 3, 0)
    assert report.before.startswith(f"{SECOND} ")
    assert report.audited["others"] == 1


def test_each_conversation_is_replayed_by_its_own_protocol(
    two: Door, two_services: ConsoleServices, protocol: Protocol, second_protocol: Protocol, cases: tuple[int, int]
) -> None:
    for number, unchanged, rule in zip(cases, (protocol, second_protocol), ("chest_pain", "second_chest_pain"), strict=True):
        (change,) = Replay(two.records, two_services.library, unchanged).run(cases).changes
        assert (change.case, change.differs) == (number, False)
        assert rule in change.before.rules


def test_a_candidate_for_no_place_is_refused(
    two: Door, two_services: ConsoleServices, door: Door, services: ConsoleServices, second_protocol: Protocol
) -> None:
    with pytest.raises(UnmatchedError, match="vertebroplasty en"):
        Replay(door.records, services.library, second_protocol)


def test_the_page_offers_every_protocol_in_force(ann: Person, candidate: Path, worsened: tuple[int, int]) -> None:
    assert f">{SECOND}</option>" in ann.get("/replay").text
    page = ann.post("/replay", candidate=SECOND, days="7", cases="").text
    assert "1 less urgent" in page
    assert "1 left out: it is bound to another protocol" in page
    assert f"/console/cases/{worsened[1]}" in page
    assert f"/console/cases/{worsened[0]}" not in page


def test_the_page_says_that_a_candidate_is_for_no_place(lead: Person, candidate: Path) -> None:
    """This gateway has the first protocol alone."""
    answer = lead.post("/replay", candidate=SECOND, days="7", cases="")
    assert answer.status_code == 422
    assert "would take the place of no protocol" in answer.text


def _command(monkeypatch: pytest.MonkeyPatch, url: str, *arguments: str, protocols: str = "") -> int:
    with monkeypatch.context() as patch:
        for name, value in {"RECORDS": url, "MASTER_KEY": MASTER_KEY_TEXT, "PROTOCOL": protocols}.items():
            patch.setenv(f"AFTERCARE_{name}", value)
        patch.setattr(sys, "argv", ["gateway", *arguments])
        return gateway.__main__.main()


def test_the_command_replays_the_candidates_own_conversations(
    worsened: tuple[int, int], candidate: Path, second_folder: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    both = f"{ROOT / 'protocols' / 'vertebroplasty'},{second_folder}"
    assert _command(monkeypatch, sqlite_url, "replay", "--protocol", str(candidate), protocols=both) == 1
    told = capsys.readouterr().out
    assert f"Case {worsened[1]}: less urgent" in told
    assert "1 more were left out: they are bound to another protocol" in told
    assert _command(monkeypatch, sqlite_url, "replay", "--protocol", str(candidate)) == 1
    assert "In force are: vertebroplasty en" in capsys.readouterr().err


# Disagreements.


def _agreed(two: Door, services: ConsoleServices, ann: Person, key: str) -> int:
    patient, other = two.patient(key), hired(two, f"Reviewer of {key}", "lead")
    answer = patient.say(HARMLESS)
    add = Disagreements(services.records, services.audit_log).add
    number = add(case_of(two, patient), ann.id, answer["seq"], "under_triaged", ("call_doctor",), "see the site")
    reviews_of(services.records, services.audit_log).review(number, other.id, "accepted")
    return number


def test_cases_are_written_of_one_protocols_conversations(two: Door, two_services: ConsoleServices, ann: Person, tmp_path: Path) -> None:
    numbers = {key: _agreed(two, two_services, ann, key) for key in ("demo", SECOND_KEY)}
    protocols = [two_services.library.bound(name) for name in ("vertebroplasty", SECOND)]
    done = [Regressions(two_services.records, two_services.audit_log, each).write(tmp_path / f"{each.id}.jsonl") for each in protocols]
    assert [each.numbers for each in done] == [(numbers["demo"],), (numbers[SECOND_KEY],)]
    assert done[0].left == {OTHER: 1}


def test_the_command_writes_cases_of_the_protocol_that_it_names(
    two: Door, two_services: ConsoleServices, ann: Person, second_folder: Path, sqlite_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _agreed(two, two_services, ann, SECOND_KEY)
    both, file = f"{ROOT / 'protocols' / 'vertebroplasty'},{second_folder}", tmp_path / "cases.jsonl"
    for name, said in (("vertebroplasty", OTHER), (SECOND, "1 written")):
        assert _command(monkeypatch, sqlite_url, "regressions", "--write", str(file), "--protocol", name, protocols=both) == 0
        assert said in capsys.readouterr().out
    assert _command(monkeypatch, sqlite_url, "regressions", "--write", str(file), "--protocol", "lost", protocols=both) == 1
    assert f"in force are: vertebroplasty, {SECOND}" in capsys.readouterr().err


# A protocol that is no longer in force.


@pytest.fixture
def gone(two: Door, cases: tuple[int, int], open_door: Callable[..., Door]) -> tuple[Person, int]:
    """Somebody at the console of a gateway with the first protocol alone, and the case of the second one."""
    return hired(open_door(), "Bea Example", "lead"), cases[1]


def test_the_pages_say_that_the_protocol_is_no_longer_in_force(gone: tuple[Person, int]) -> None:
    person, number = gone
    for page in (person.get(f"/cases/{number}").text, person.get(f"/cases/{number}/print").text):
        assert f"bound to the protocol {SECOND} in the language en, which is no longer in force" in page
        assert "vertebroplasty (en) answers it" in page
    assert "The protocol of today has no such rule" in person.get(f"/cases/{number}").text
    assert f'<span class="tag warn">{SECOND}, en: no longer in force</span>' in _tags(person.get("/").text, number)
    assert f"{SECOND} (no longer in force)" in person.get("/", params={"protocol": SECOND}).text


def test_a_rule_of_a_protocol_that_is_gone_is_not_explained_by_one_of_the_same_name(two: Door, open_door: Callable[..., Door]) -> None:
    patient = two.patient(SECOND_KEY)
    patient.say("I have a fever of 101")
    number = case_of(two, patient)
    for door, basis in ((two, "leaflet"), (open_door(), "")):
        services = services_of(door)
        view = CaseViews(services.records, services.library, services.policy).read(number)
        assert view is not None
        assert {each.rule: each.basis for each in view.complaints}["fever"] == basis


def test_a_disagreement_names_a_topic_of_the_cases_protocol(ann: Person, two_services: ConsoleServices, cases: tuple[int, int]) -> None:
    seen: dict[str, Any] = {"seq": "3", "kind": "misunderstood", "reason": "it asked"}
    assert ann.post(f"/cases/{cases[1]}/disagree", **seen, topic="cement").status_code == 303
    view = CaseViews(two_services.records, two_services.library, two_services.policy).read(cases[1])
    assert view is not None
    assert view.disagreements[0].accepted == ("faq:cement",)


def test_no_case_has_no_disagreement(ann: Person) -> None:
    answer = ann.post("/cases/999999/disagree", seq="3", kind="misunderstood", reason="it asked", topic="cement")
    assert answer.status_code == 404


def test_an_embed_key_without_a_protocol_is_the_defaults(two: Door) -> None:
    patient: Patient = two.patient("spine", "https://spine.example")
    assert two.records.bound(two.name(patient)) == ("vertebroplasty", "en")
