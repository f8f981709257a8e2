"""The replay: a candidate's dispositions against today's, before it is released."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import gateway.__main__
from aftercare.protocol import load_protocol
from gateway.console.cases.replay import LESS, Replay, newest
from gateway.console.pages import replay as pages
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, HARMLESS, MASTER_KEY_TEXT, RED_FLAG, ROOT, Clock, Door, stored

POPPED, WEAK = "I felt a sudden pop in my back", "My legs feel weak"


@pytest.fixture
def candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the protocol that the page can choose, because it is named as the one in force."""
    folder = tmp_path / "vertebroplasty"
    shutil.copytree(ROOT / "protocols" / "vertebroplasty", folder)
    monkeypatch.setenv("AFTERCARE_PROTOCOL", str(folder))
    return folder


def _edit(folder: Path, rule: str, old: str, new: str) -> None:
    """Change a rule of a protocol folder."""
    file = folder / "rules.yml"
    head, tail = file.read_text().split(f"  - id: {rule}\n")
    assert old in tail
    file.write_text(f"{head}  - id: {rule}\n{tail.replace(old, new, 1)}")


def _soreness_needs_a_doctor(folder: Path) -> None:
    _edit(folder, "soreness", "disposition: self_care\n    advice: rest_and_ice", "disposition: call_doctor\n    advice: call_clinic")


def _both_can_wait(folder: Path) -> None:
    """Sudden pain and a weak leg together are no emergency any more."""
    _edit(folder, "pain_with_leg_sign", "disposition: emergency\n    advice: go_to_er", "disposition: call_doctor\n    advice: call_clinic")


def test_a_rule_that_is_milder_makes_a_case_less_urgent(door: Door, services: ConsoleServices, candidate: Path) -> None:
    red, sore = door.patient(), door.patient()
    red.say(f"{POPPED}. {WEAK}")
    sore.say(HARMLESS)
    _both_can_wait(candidate)
    report = Replay(door.records, services.library, load_protocol(candidate)).run([case_of(door, red), case_of(door, sore)])
    assert [change.case for change in report.different] == [case_of(door, red)]
    (change,) = report.different
    assert (change.verdict, change.got, change.before.tier) == (LESS, 3, 3)
    assert change.after.tier == 0, "the candidate asks first"
    assert report.count(LESS) == 1
    assert sum(report.matrix.values()) == 2


def test_the_whole_conversation_is_replayed_in_its_order(door: Door, services: ConsoleServices, candidate: Path) -> None:
    patient = door.patient()
    for words in (POPPED, WEAK):
        patient.say(words)
    _both_can_wait(candidate)
    (change,) = Replay(door.records, services.library, load_protocol(candidate)).run([case_of(door, patient)]).changes
    assert (change.got, change.before.tier) == (3, 3), "both together are the emergency"
    assert "sudden_pain" in change.before.rules & change.after.rules


def test_an_interview_that_was_broken_off_is_replayed_as_that(door: Door, services: ConsoleServices, clock: Clock, candidate: Path) -> None:
    patient = door.patient()
    assert patient.say("My legs feel weak")["type"] == "question"
    clock.travel(minutes=11)
    door.portal.call(door.services.answering.follow_up)
    report = Replay(door.records, services.library, load_protocol(candidate)).run([case_of(door, patient)])
    assert report.different == []
    assert report.matrix == {(3, 3): 1}


def test_rows_of_the_danger_check_that_were_tapped_are_replayed(door: Door, services: ConsoleServices, candidate: Path) -> None:
    tapped, denied = door.patient(), door.patient()
    tapped.answer_to(stored(tapped.tick(tapped.say(HARMLESS)["check"], {"Numb between the legs": "yes"})))
    denied.settled(HARMLESS)
    report = Replay(door.records, services.library, load_protocol(candidate)).run([case_of(door, tapped), case_of(door, denied)])
    assert report.different == []
    assert report.matrix == {(3, 3): 1, (1, 1): 1}


def test_a_danger_check_that_was_left_is_replayed_as_that(door: Door, services: ConsoleServices, clock: Clock, candidate: Path) -> None:
    before, behind = door.patient(), door.patient()
    before.say(HARMLESS)
    behind.say("I have a fever of 101")
    clock.travel(minutes=11)
    door.portal.call(door.services.answering.follow_up)
    report = Replay(door.records, services.library, load_protocol(candidate)).run([case_of(door, before), case_of(door, behind)])
    assert report.different == []
    assert report.matrix == {(0, 0): 1, (2, 2): 1}


def test_purged_conversations_are_counted_as_left_out(door: Door, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    purge(door.records.engine, door.clock() + timedelta(hours=1), dry_run=False)
    report = Replay(door.records, services.library, services.library.default).run([case_of(door, patient)])
    assert (report.changes, report.purged) == ((), (case_of(door, patient),))


def test_the_newest_come_first_and_old_ones_are_left_out(door: Door) -> None:
    patients = [door.patient() for _ in range(3)]
    for patient in patients:
        patient.say(HARMLESS)
        door.clock.travel(minutes=10)
    numbers = [case_of(door, patient) for patient in reversed(patients)]
    assert newest(door.records.engine, door.clock() - timedelta(minutes=25)) == numbers[:2]
    assert newest(door.records.engine, door.clock() - timedelta(days=1), 1) == numbers[:1]


def test_the_page_shows_what_differs_and_sees_an_edit_at_once(door: Door, services: ConsoleServices, lead: Person, candidate: Path) -> None:
    patient = door.patient()
    patient.say(HARMLESS)
    assert "<option selected>vertebroplasty</option>" in lead.get("/replay").text
    first = lead.post("/replay", candidate="vertebroplasty", days="7", cases="")
    assert first.status_code == 200, first.text
    assert "Nothing differs" in first.text
    _soreness_needs_a_doctor(candidate)
    second = lead.post("/replay", candidate="vertebroplasty", days="7", cases="")
    assert "1 more urgent" in second.text
    assert f"/console/cases/{case_of(door, patient)}" in second.text
    assert "classifier" in second.text
    assert services.audit_log.verify().problem == ""


def test_the_page_takes_names_of_folders_and_never_a_path(door: Door, lead: Person, candidate: Path) -> None:
    door.patient().say(HARMLESS)
    for name in (str(candidate), "../protocols/vertebroplasty", "lexicon", ""):
        assert lead.post("/replay", candidate=name, days="7").status_code == 422


def test_a_candidate_with_mistakes_is_told_line_by_line(door: Door, lead: Person, candidate: Path) -> None:
    (candidate / "rules.yml").write_text("rules: [{id: nonsense, disposition: whenever}]\n")
    page = lead.post("/replay", candidate="vertebroplasty", days="7", cases="")
    assert page.status_code == 422
    assert "rules.yml" in page.text
    (candidate / "rules.yml").unlink()
    assert lead.post("/replay", candidate="vertebroplasty", days="7", cases="").status_code == 422


@pytest.mark.parametrize(("days", "cases"), [("0", ""), ("x", ""), ("", ""), ("7", "1, two"), ("9999", "")])
def test_a_wrong_choice_is_told_and_kept(lead: Person, days: str, cases: str) -> None:
    page = lead.post("/replay", candidate="vertebroplasty", days=days, cases=cases)
    assert page.status_code == 422
    assert f'value="{cases}"' in page.text


def test_one_replay_runs_at_a_time(lead: Person) -> None:
    with pages._one_at_a_time:
        assert lead.post("/replay", candidate="vertebroplasty", days="7", cases="").status_code == 409
    assert lead.post("/replay", candidate="vertebroplasty", days="7", cases="").status_code == 200


def test_only_a_lead_replays(nurse: Person, auditor: Person, admin: Person) -> None:
    for person in (nurse, auditor, admin):
        assert person.get("/replay").status_code == 403
        assert person.post("/replay", candidate="vertebroplasty", days="7").status_code == 403


def _command(monkeypatch: pytest.MonkeyPatch, url: str, *arguments: str) -> int:
    environment = {"AFTERCARE_RECORDS": url, "AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AFTERCARE_PROTOCOL", raising=False)
    monkeypatch.setattr(sys, "argv", ["gateway", "replay", *arguments])
    return gateway.__main__.main()


def test_the_command_fails_when_a_case_becomes_less_urgent(
    door: Door,
    services: ConsoleServices,
    candidate: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sqlite_url: str,
) -> None:
    red, sore = door.patient(), door.patient()
    red.say(f"{POPPED}. {WEAK}")
    sore.say(HARMLESS)
    number = case_of(door, red)
    assert _command(monkeypatch, sqlite_url, "--protocol", str(candidate)) == 0
    assert "0 less urgent" in capsys.readouterr().out
    _both_can_wait(candidate)
    assert _command(monkeypatch, sqlite_url, "--protocol", str(candidate), "--cases", f"{number}") == 1
    told = capsys.readouterr().out
    assert f"Case {number}: less urgent" in told
    assert "Emergency -> No advice" in told
    assert CANARY not in told
    assert _command(monkeypatch, sqlite_url, "--protocol", str(candidate), "--cases", str(case_of(door, sore))) == 0
    assert _command(monkeypatch, sqlite_url, "--protocol", str(candidate), "--cases", "all") == 1
    assert services.audit_log.verify().problem == ""


def test_the_command_tells_what_is_wrong_with_a_candidate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sqlite_url: str
) -> None:
    assert _command(monkeypatch, sqlite_url, "--protocol", str(tmp_path / "nowhere")) == 1
    assert "leaflet.yml" in capsys.readouterr().err
