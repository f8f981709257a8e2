"""From an accepted disagreement to a case of the evaluation: masked, checked, written once."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from sqlalchemy import Engine

import gateway.__main__
from aftercare.protocol import load_protocol
from evaluation.cases import definitions
from gateway.console.audit.log import AuditLog
from gateway.console.cases.disagreements import Disagreements
from gateway.console.cases.reviews import agreement
from gateway.console.identity.staff import StaffBook
from gateway.console.insights import regressions
from gateway.console.insights.regressions import LATER, PURGED, THERE, Regressions, RegressionsError, Written
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from gateway.records.sealing import Keyring
from gateway.records.store import Records, utc_now
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import BOUND, HARMLESS, MASTER_KEY, MASTER_KEY_TEXT, ROOT, Door, Patient, reviews_of

SORE = "Lead Example said to write. My name is Agatha Quimby, dob 3/14/1950, 212-664-7665. The needle site is sore, 99.1, no fever"
_SCHEMA = definitions(load_protocol(ROOT / "protocols" / "vertebroplasty"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "regressions.jsonl"


def agreed(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, text: str = SORE, kind: str = "under_triaged",
    accepted: tuple[str, ...] = ("call_doctor",), *, verdict: str = "accepted", patient: Patient | None = None,
) -> int:  # fmt: skip
    """The number of a disagreement that was reviewed."""
    patient = patient or door.patient()
    answer = patient.say(text)
    number = Disagreements(services.records, services.audit_log).add(
        case_of(door, patient), nurse.id, answer["seq"], kind, accepted, "see the site", topics=["no_such_topic"]
    )
    reviews_of(services.records, services.audit_log).review(number, lead.id, verdict)
    return number


def write(services: ConsoleServices, file: Path) -> Written:
    return Regressions(services.records, services.audit_log, services.library.default).write(file)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_an_accepted_disagreement_becomes_a_case_without_who_the_patient_is(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path
) -> None:
    number = agreed(door, services, nurse, lead)
    assert write(services, out).numbers == (number,)
    (case,) = lines(out)
    assert not list(Draft7Validator({"$ref": "#/definitions/case", "definitions": _SCHEMA}).iter_errors(case))
    assert "The needle site is sore, 99.1, no fever" in case["text"]
    assert not [each for each in ("Agatha", "Quimby", "3/14/1950", "664", "Example") if each in case["text"]]
    assert case["accepted"] == ["call_doctor"]
    assert {"code": "fever", "status": "absent"} in case["findings"]
    assert case["tags"] == ["plain"]


def test_each_is_written_once_and_stands_behind_what_was_there(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path
) -> None:
    agreed(door, services, nurse, lead)
    write(services, out)
    first = out.read_text(encoding="utf-8")
    agreed(door, services, nurse, lead, "my back is a bit sore today")
    assert len(write(services, out).numbers) == 1
    assert out.read_text(encoding="utf-8").startswith(first)
    assert write(services, out) == Written((), {})
    assert len(lines(out)) == 2
    assert not [file for file in out.parent.iterdir() if file.name.startswith(".regressions")]


def test_what_is_rejected_or_waits_is_not_written(door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path) -> None:
    agreed(door, services, nurse, lead, verdict="rejected")
    patient = door.patient()
    answer = patient.say(HARMLESS)
    Disagreements(services.records, services.audit_log).add(
        case_of(door, patient), nurse.id, answer["seq"], "under_triaged", ("emergency",), "why"
    )
    assert write(services, out) == Written((), {})
    assert not out.exists()


def test_later_messages_and_purged_ones_are_left_out_and_counted(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path
) -> None:
    patient = door.patient()
    patient.say(HARMLESS)
    agreed(door, services, nurse, lead, "my leg is sore too", accepted=("emergency",), patient=patient)
    assert write(services, out) == Written((), {LATER: 1})
    purge(services.records.engine, door.clock().replace(year=door.clock().year + 1), dry_run=False)
    assert write(services, out) == Written((), {PURGED: 1})


def test_a_message_that_stands_in_the_file_is_not_added_again(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path
) -> None:
    agreed(door, services, nurse, lead, HARMLESS)
    agreed(door, services, nurse, lead, HARMLESS)
    agreed(door, services, nurse, lead, HARMLESS, accepted=("emergency",))
    assert write(services, out).left == {THERE: 2}
    assert write(services, out).left == {THERE: 1}
    assert len(lines(out)) == 1


def test_a_wrong_finding_leaves_the_findings_open_and_the_outcome_as_it_was(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path
) -> None:
    agreed(door, services, nurse, lead, "I have chest pain", kind="wrong_finding", accepted=())
    agreed(door, services, nurse, lead, "how long does it take?", kind="wrong_finding", accepted=())
    agreed(door, services, nurse, lead, "what about the thing", kind="misunderstood", accepted=())
    done = write(services, out)
    assert [case["findings"] for case in lines(out)] == [[], []]
    assert lines(out)[0]["accepted"] == ["emergency"]
    assert list(done.left) == [regressions.NO_OUTCOME]


def test_what_has_no_shape_of_a_case_is_not_written(door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path) -> None:
    agreed(door, services, nurse, lead, kind="misunderstood", accepted=("faq:no_such_topic",))
    done = write(services, out)
    assert done.numbers == ()
    assert list(done.left) == ["it has no shape of a case (accepted/0)"]


def test_nothing_counts_as_written_when_the_file_could_not_be(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = agreed(door, services, nurse, lead)

    def broken(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", broken)
        with pytest.raises(RegressionsError):
            write(services, out)
    assert list(out.parent.glob(".regressions*")) == []
    assert write(services, out).numbers == (number,)


def test_a_file_that_is_no_list_of_cases_is_left_alone(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path
) -> None:
    agreed(door, services, nurse, lead)
    out.write_text("not a case\n", encoding="utf-8")
    with pytest.raises(RegressionsError):
        write(services, out)
    assert out.read_text(encoding="utf-8") == "not a case\n"


def test_the_command_tells_how_many_and_no_words(
    door: Door,
    services: ConsoleServices,
    nurse: Person,
    lead: Person,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    agreed(door, services, nurse, lead)
    patient = door.patient()
    patient.say(HARMLESS)
    agreed(door, services, nurse, lead, "my leg is sore too", patient=patient)
    monkeypatch.setenv("AFTERCARE_RECORDS", door.settings.records_url)
    monkeypatch.setenv("AFTERCARE_MASTER_KEY", MASTER_KEY_TEXT)
    monkeypatch.setattr(sys, "argv", ["gateway", "regressions", "--write", str(out)])
    assert gateway.__main__.main() == 0
    printed = capsys.readouterr().out
    assert "1 written to" in printed
    assert f"1 left out: {LATER}" in printed
    assert "sore" not in printed
    assert len(lines(out)) == 1
    assert not services.audit_log.verify().problem
    out.write_text("not a case\n", encoding="utf-8")
    assert gateway.__main__.main() == 1
    assert "not a case" not in capsys.readouterr().err


def test_review_and_case_on_either_database(engine: Engine, out: Path) -> None:
    records, audit_log = Records(engine, Keyring([MASTER_KEY])), AuditLog(engine, bytes(32), utc_now)
    book = StaffBook(engine, records.keyring, utc_now)
    author, reviewer = (book.invite(name, "nurse")[0].id for name in ("Anna", "Bert"))
    session = records.session(records.start("demo", {"blocks": []}, "patient", bound=BOUND))
    assert session is not None
    message = records.add(session.conversation, "message", {}, words={"text": "it is sore, says Anna"}, client_id="first-one")
    facts = {"type": "triage", "rules": [], "codes": [], "protocol": {}, "kept": True}
    words = {"blocks": [], "buttons": [], "understood": {"findings": [{"code": "soreness", "status": "present"}]}, "conversation": {}}
    answer = records.add_answer(session.conversation, message.seq, facts, words, "self_care")
    assert answer is not None
    number = Disagreements(records, audit_log).add(1, author, answer.seq, "under_triaged", ("call_doctor",), "why")
    assert [each.id for each in reviews_of(records, audit_log).waiting()] == [number]
    reviews_of(records, audit_log).review(number, reviewer, "accepted")
    assert agreement(engine).accepted == 1
    assert Regressions(records, audit_log, load_protocol()).write(out).numbers == (number,)
    assert Regressions(records, audit_log, load_protocol()).write(out).numbers == ()
    assert lines(out)[0]["text"] == "it is sore, says [name]"
    assert not audit_log.verify().problem


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_no_patient_ends_a_line_of_the_file(
    door: Door, services: ConsoleServices, nurse: Person, lead: Person, out: Path, end: str
) -> None:
    agreed(door, services, nurse, lead, f"The needle site is sore{end}no fever", "misunderstood", ("chat",))
    assert len(write(services, out).numbers) == 1
    (case,) = lines(out)
    assert case["text"] == f"The needle site is sore{end}no fever"
    agreed(door, services, nurse, lead, "The needle site is a bit sore today")
    assert len(write(services, out).numbers) == 1
    assert len(lines(out)) == 2
