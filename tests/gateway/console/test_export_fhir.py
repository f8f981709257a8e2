"""Bundles of FHIR R4: valid by R4's own definitions, no reference leads out of them, and they say no more than what was said."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest

from gateway.console.cases.acts import Acts
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.export.content import When
from gateway.console.export.cut import Cut
from gateway.console.export.fhir_case import callback_task
from gateway.console.export.findings import findings_of as findings_of_view
from gateway.console.export.resources import Identities
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.console.test_checks import CHEST, FEVER, NUMB, SORE, VAGUE, leave, view_of
from tests.gateway.support import CANARY, RED_FLAG, Door, Json, new_id, stored
from tests.r4.validation import problems_of, references_of, resources_of

PROFILES = ("full", "limited", "deidentified")
NOTE = "Her daughter Agatha Quimby drives her"
MISTAKE = "I tapped that by mistake"


def bundle_of(person: Person, profile: str = "full", **fields: str) -> Json:
    form = {"days": "7", "profile": profile, "format": "fhir", "reason": "quality", **fields}
    response = person.post("/export", **form)
    assert response.status_code == 200, response.text
    bundle: Json = json.loads(response.content)
    return bundle


def of_one(person: Person, number: int, profile: str = "full") -> Json:
    return bundle_of(person, profile, cases=str(number))


def findings_of(bundle: Json) -> dict[str, Json]:
    """The findings of a bundle of one case, each under its code."""
    found = resources_of(bundle, "Observation")
    codes = [each["code"]["coding"][0]["code"] for each in found]
    assert len(set(codes)) == len(codes)
    return dict(zip(codes, found, strict=True))


def extensions(resource: Json, name: str) -> list[Any]:
    """The values of a resource's extensions of this name; those of the parts of one that has parts."""
    found = [each for each in resource.get("extension", ()) if each["url"] == f"urn:aftercare:{name}"]
    return [_value(each) if "extension" not in each else {part["url"]: _value(part) for part in each["extension"]} for each in found]


def _value(part: Json) -> Any:
    return next(value for name, value in part.items() if name.startswith("value"))


@pytest.fixture
def left(door: Door) -> dict[str, int]:
    """The cases of patients who left a question, the danger check before an answer, and the one behind an answer."""
    weak, sore, fever = door.patient(), door.patient(), door.patient()
    assert weak.say(VAGUE)["type"] == "question"
    sore.answer_to(stored(sore.tick(sore.say(SORE)["check"], {CHEST: "no"})))
    fever.say(FEVER)
    leave(door)
    return {"weak": case_of(door, weak), "sore": case_of(door, sore), "fever": case_of(door, fever)}


def close(person: Person, number: int) -> None:
    for path, fields in (("acknowledge", {}), ("close", {"outcome": "reached"})):
        assert person.post(f"/cases/{number}/{path}", seen=99, **fields).status_code == 303


@pytest.fixture
def every(door: Door, left: dict[str, int], hire: Hire) -> dict[str, int]:
    """A case of each kind that makes a difference to a bundle."""
    red, closed, calm, unsure = (door.patient() for _ in range(4))
    helped = door.patient(writer="helper")
    for patient in (red, closed):
        patient.say(RED_FLAG)
    calm.settled(SORE)
    unsure.answer_to(stored(unsure.tick(unsure.say(SORE)["check"], {NUMB: "unsure"})))
    helped.say("She has chest pain, no fever, what if she faints?")
    lead = hire("lead", "Lead Writer")
    number = case_of(door, red)
    assert lead.post(f"/cases/{number}/acknowledge", seen=99).status_code == 303
    assert lead.post(f"/cases/{number}/note", text=NOTE).status_code == 303
    close(lead, case_of(door, closed))
    own = {"red": red, "closed": closed, "calm": calm, "unsure": unsure, "helped": helped}
    return left | {name: case_of(door, patient) for name, patient in own.items()}


@pytest.fixture
def lead(left: dict[str, int], hire: Hire) -> Person:
    return hire("lead")


# R4


KINDS = {
    "Communication", "Device", "Flag", "Observation", "Patient", "Provenance", "Questionnaire", "QuestionnaireResponse", "RelatedPerson",
    "Task",
}  # fmt: skip


def test_bundles_of_each_profile_are_r4_and_each_reference_points_into_them(every: dict[str, int], lead: Person) -> None:
    bundles = [bundle_of(lead, profile) for profile in PROFILES]
    for bundle in bundles:
        assert {resource["resourceType"] for resource in resources_of(bundle)} == KINDS
        assert len(resources_of(bundle, "Patient")) == len(every)
        assert len(references_of(bundle)) > 250
    assert problems_of(bundles) == [[]] * len(PROFILES)


def _first(kind: str, change: Callable[[Json], Any]) -> Callable[[Json], Any]:
    return lambda bundle: change(resources_of(bundle, kind)[0])


BROKEN: dict[str, tuple[Callable[[Json], Any], str]] = {
    "an element that is required is missing": (_first("Task", lambda task: task.pop("intent")), "Missing required property"),
    "an element of R5": (_first("Observation", lambda each: each.update(triggeredBy=[])), 'Invalid additional property "triggeredBy"'),
    "a status that R4 has not": (_first("Flag", lambda flag: flag.update(status="open")), "'open' is not one of"),
    "a code that HL7 has not": (
        _first("Flag", lambda flag: flag["category"][0]["coding"][0].update(code="danger")),
        "no code of this system",
    ),
    "a time that is none": (_first("Task", lambda task: task.update(authoredOn="2030-05-10 08:00")), "Invalid dateTime format"),
    "an invariant": (_first("Observation", lambda each: each.update(valueBoolean=True, dataAbsentReason={"text": "?"})), "obs-6"),
    "a reference that leads out": (
        _first("Flag", lambda flag: flag["subject"].update(reference="Patient/case-1")),
        "no entry of this bundle",
    ),
    "a reference to another kind": (_first("Flag", lambda flag: flag.update(subject=flag["author"])), "Invalid reference"),
    "an entry that is there twice": (lambda bundle: bundle["entry"].append(bundle["entry"][0]), "more than one entry"),
    "an address that is another's": (lambda bundle: bundle["entry"][0].update(fullUrl="urn:uuid:0"), "not the identity of its resource"),
    "another version of the questionnaire": (
        _first("Questionnaire", lambda each: each.update(version="another")),
        "no questionnaire of this bundle",
    ),
}


def test_the_validator_finds_what_is_broken(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.answer_to(stored(patient.tick(patient.say(SORE)["check"], {NUMB: "unsure"})))
    whole, broken = of_one(lead, case_of(door, patient)), dict[str, Json]()
    for name, (change, _) in BROKEN.items():
        broken[name] = copy.deepcopy(whole)
        change(broken[name])
    unbroken, *all_found = problems_of([whole, *broken.values()])
    assert unbroken == []
    for (name, (_, problem)), found in zip(BROKEN.items(), all_found, strict=True):
        assert any(problem in each for each in found), (name, found)


def test_identities_are_those_of_one_export(door: Door, lead: Person) -> None:
    door.patient().say(RED_FLAG)
    token = "a" * 32
    first, again, other = bundle_of(lead, token=token), bundle_of(lead, token=token), bundle_of(lead, token="b" * 32)
    urls = [{entry["fullUrl"] for entry in bundle["entry"]} for bundle in (first, again, other)]
    assert urls[0] == urls[1]
    assert not urls[0] & urls[2]


# The danger check


def test_a_response_answers_the_questionnaire_of_its_bundle(every: dict[str, int], lead: Person) -> None:
    for profile in PROFILES:
        bundle = bundle_of(lead, profile)
        (form,) = resources_of(bundle, "Questionnaire")
        responses = resources_of(bundle, "QuestionnaireResponse")
        assert sorted(response["status"] for response in responses) == ["completed", "stopped", "stopped", "stopped"]
        for response in responses:
            assert response["questionnaire"] == f"{form['url']}|{form['version']}"
            _must_answer(form, response)


def _must_answer(form: Json, response: Json) -> None:
    """Each item is one of the form, in its order, with its text, and answered with one of its options, if it is."""
    rows = {item["linkId"]: item for item in form["item"]}
    order, asked = list(rows), [item["linkId"] for item in response["item"]]
    assert asked == sorted(set(asked), key=order.index)
    for item in response["item"]:
        row = rows[item["linkId"]]
        assert item["text"] == row["text"]
        assert all(answer in row["answerOption"] for answer in item.get("answer", ()))
    answered = [len(item.get("answer", ())) for item in response["item"]]
    assert response["status"] != "completed" or set(answered) == {1}


def test_the_rows_of_the_questionnaire_are_those_of_the_protocol(left: dict[str, int], lead: Person, services: ConsoleServices) -> None:
    (form,) = resources_of(of_one(lead, left["fever"]), "Questionnaire")
    protocol = services.library.default
    assert [(item["linkId"], item["text"]) for item in form["item"]] == [(row.fact, row.text) for row in protocol.danger_check.rows]
    assert form["version"] == protocol.version
    assert [option["valueCoding"]["display"] for option in form["item"][0]["answerOption"]] == ["Yes", "No", "Not sure"]


def test_of_a_version_that_is_not_in_force_only_the_rows_that_were_shown_are_known(
    left: dict[str, int], lead: Person, services: ConsoleServices
) -> None:
    object.__setattr__(services.library.default, "version", "newer")
    (form,) = resources_of(of_one(lead, left["fever"]), "Questionnaire")
    (response,) = resources_of(of_one(lead, left["fever"]), "QuestionnaireResponse")
    assert form["version"] != "newer"
    assert [item["linkId"] for item in form["item"]] == [item["linkId"] for item in response["item"]]


def test_a_check_that_waits_is_in_progress(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.say(SORE)
    (response,) = resources_of(of_one(lead, case_of(door, patient)), "QuestionnaireResponse")
    assert response["status"] == "in-progress"
    assert "authored" not in response


# Findings


def test_what_was_denied_is_told_as_denied_and_nothing_else_is(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.say("My left leg feels weak but not both legs, and it is not getting worse. No fever. They did it yesterday.")
    found = findings_of(of_one(lead, case_of(door, patient)))
    assert {code: each["valueBoolean"] for code, each in found.items()} == {
        "leg_weakness": True, "both_legs": False, "legs_worsening": False, "fever": False,
    }  # fmt: skip


@pytest.mark.parametrize("status", ["present", "assumed"])
def test_what_is_there_wins_over_the_denial_of_what_its_code_is_named_after(
    status: str, left: dict[str, int], services: ConsoleServices
) -> None:
    view = view_of(services, left["weak"])
    known = {each.finding: each for each in view.findings}
    denied = replace(known["leg_weakness"], status="absent")
    told = replace(known["legs_worsening"], status=status)
    other = replace(denied, finding="leg_numbness", code="leg_numbness")
    found = findings_of_view(replace(view, findings=(told, denied, other)), lambda at: When(at.isoformat(), None))
    assert [(each.id, each.status) for each in found] == [("legs_worsening", status), ("leg_numbness", "absent")]


def test_what_only_follows_from_something_else_is_not_told_as_denied(left: dict[str, int], services: ConsoleServices) -> None:
    view = view_of(services, left["weak"])
    derived = replace(view.findings[0], status="absent", evidence="")
    assert findings_of_view(replace(view, findings=(derived,)), lambda at: When(at.isoformat(), None)) == ()


def test_what_was_only_assumed_has_no_value_and_says_so(left: dict[str, int], lead: Person) -> None:
    found = findings_of(of_one(lead, left["weak"]))
    assumed = found["legs_worsening"]
    assert not [name for name in assumed if name.startswith("value")]
    assert assumed["dataAbsentReason"]["text"] == "assumed: not answered"
    assert "Nobody said this" in assumed["note"][0]["text"]
    assert found["leg_weakness"]["valueBoolean"] is True


def test_what_was_assumed_stays_so_whatever_else_is_said(door: Door, hire: Hire) -> None:
    patient = door.patient()
    patient.say(VAGUE)
    leave(door)
    number, lead = case_of(door, patient), hire("lead")
    before = findings_of(of_one(lead, number))["legs_worsening"]
    door.clock.travel(minutes=1)
    patient.say("thank you")
    after = findings_of(of_one(lead, number))["legs_worsening"]
    assert before["dataAbsentReason"] == after["dataAbsentReason"]
    assert before["effectiveDateTime"] == after["effectiveDateTime"]
    assert extensions(after, "earlier-status") == []


def test_what_was_assumed_and_then_said_is_there(door: Door, hire: Hire) -> None:
    patient = door.patient()
    patient.say(VAGUE)
    leave(door)
    patient.say("Yes, the weakness in both legs is getting worse by the hour")
    worse = findings_of(of_one(hire("lead"), case_of(door, patient)))["legs_worsening"]
    assert worse["valueBoolean"] is True
    assert [each["urn:aftercare:status"] for each in extensions(worse, "earlier-status")] == ["assumed: not answered"]


def test_who_was_not_sure_is_not_told_as_somebody_who_has_it(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.answer_to(stored(patient.tick(patient.say(SORE)["check"], {NUMB: "unsure"})))
    bundle = of_one(lead, case_of(door, patient))
    unsure = findings_of(bundle)["saddle_numbness"]
    assert not [name for name in unsure if name.startswith("value")]
    assert unsure["dataAbsentReason"]["coding"][0]["code"] == "asked-unknown"
    assert unsure["dataAbsentReason"]["text"] == "not sure: counts as present"
    patient.say("yes, I am numb between the legs")
    assert findings_of(of_one(lead, case_of(door, patient)))["saddle_numbness"]["valueBoolean"] is True


def test_earlier_statuses_stand_beside_the_last_one_with_their_times(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.answer_to(stored(patient.tick(patient.say(SORE)["check"], {CHEST: "yes"})))
    again = patient.say(MISTAKE)
    door.clock.travel(minutes=1)
    patient.tick_all(again)
    bundle = of_one(lead, case_of(door, patient), "deidentified")
    chest = findings_of(bundle)["chest_pain"]
    assert chest["valueBoolean"] is False
    assert extensions(chest, "minutes-since-opening") == [1]
    assert extensions(chest, "earlier-status") == [{"urn:aftercare:status": "present", "urn:aftercare:minutes-since-opening": 0}]
    assert extensions(findings_of(bundle)["fever"], "earlier-status") == []


@pytest.mark.parametrize(("profile", "moment"), [("full", r"\d{4}-\d\d-\d\dT[\d:]{8}-0[45]:00"), ("limited", r"\d{4}-\d\d-\d\d")])
def test_a_finding_says_since_when_and_by_which_message(profile: str, moment: str, door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.tick_all(patient.say(SORE))
    bundle = of_one(lead, case_of(door, patient), profile)
    messages = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Communication"}
    (response,) = resources_of(bundle, "QuestionnaireResponse")
    for code, finding in findings_of(bundle).items():
        (message,) = extensions(finding, "message")
        assert finding["effectiveDateTime"] == messages[message["reference"]]["sent"]
        assert re.fullmatch(moment, finding["effectiveDateTime"])
        (words,) = messages[message["reference"]]["payload"]
        tapped = code != "soreness"
        assert (CHEST in words["contentString"]) is tapped
        assert [each["reference"] for each in finding.get("derivedFrom", ())] == [f"urn:uuid:{response['id']}"] * tapped


# What is to be done


def test_an_emergency_that_is_not_closed_has_a_flag(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    (flag,) = resources_of(of_one(lead, number), "Flag")
    assert (flag["status"], flag["category"][0]["coding"][0]["code"]) == ("active", "safety")
    assert (flag["code"]["text"], extensions(flag, "rule")) == ("Emergency", ["chest_pain"])
    assert lead.post(f"/cases/{number}/acknowledge", seen=99).status_code == 303
    assert resources_of(of_one(lead, number), "Flag") != []
    assert lead.post(f"/cases/{number}/close", seen=99, outcome="reached").status_code == 303
    bundle = of_one(lead, number)
    assert not resources_of(bundle, "Flag")
    assert resources_of(bundle, "Task")[0]["status"] == "completed"


def test_what_is_no_emergency_has_no_flag(left: dict[str, int], lead: Person) -> None:
    assert not resources_of(of_one(lead, left["fever"]), "Flag")


def test_nurses_notes_go_out_in_full_alone(door: Door, lead: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    lead.post(f"/cases/{number}/note", text="Nobody answers")
    lead.post(f"/cases/{number}/note", text=NOTE)
    first = next(act.id for act in view_of(services, number).acts if act.kind == "note")
    lead.post(f"/cases/{number}/amend", note=str(first), text="Nobody answered twice")
    notes = resources_of(of_one(lead, number), "Task")[0]["note"]
    assert [(note["authorString"], note["text"]) for note in notes] == [(lead.name, "Nobody answered twice"), (lead.name, NOTE)]
    for profile in ("limited", "deidentified"):
        text = json.dumps(of_one(lead, number, profile))
        assert "drives her" not in text
        assert "answered twice" not in text


def test_who_helps_is_told_apart_from_the_patient(door: Door, lead: Person) -> None:
    patient = door.patient(writer="helper")
    patient.say("She has chest pain")
    bundle = of_one(lead, case_of(door, patient))
    (helper,) = resources_of(bundle, "RelatedPerson")
    message, answer = resources_of(bundle, "Communication")
    assert message["sender"]["reference"] == answer["recipient"][0]["reference"] == f"urn:uuid:{helper['id']}"
    assert message["subject"] == helper["patient"]


CALLBACKS: list[tuple[When, When | None, Json]] = [
    (
        When("2030-05-10T08:00:00-04:00", None),
        When("2030-05-10T12:00:00-04:00", None),
        {"authoredOn": "2030-05-10T08:00:00-04:00", "restriction": {"period": {"end": "2030-05-10T12:00:00-04:00"}}},
    ),
    (When("2030-05-10", None), When("2030-05-11", None), {"authoredOn": "2030-05-10", "restriction": {"period": {"end": "2030-05-11"}}}),
    (When("2030-05-10", None), None, {"authoredOn": "2030-05-10"}),
    (
        When("", 3),
        When("", 243),
        {
            "extension": [
                {"url": "urn:aftercare:minutes-since-opening", "valueInteger": 3},
                {"url": "urn:aftercare:due-minutes-since-opening", "valueInteger": 243},
            ]
        },
    ),
]


def test_a_callback_is_a_task_of_its_own(left: dict[str, int], services: ConsoleServices) -> None:
    (content,) = Cut("full", bytes(32), [], services.clinic).contents([view_of(services, left["fever"])])
    ids, bundles = Identities(UUID(int=1)), list[Json]()
    patient, case = ids.new("Patient", content.name), ids.new("Task", content.name, status="requested", intent="order")
    statuses: tuple[Literal["requested", "completed"], ...] = ("requested", "completed")
    for status, (requested, due, told) in itertools.product(statuses, CALLBACKS):
        task = callback_task(content, ids, requested, due, status)
        assert {name: task[name] for name in ("authoredOn", "restriction", "extension") if name in task} == told
        assert (task["status"], task["code"]["coding"][0]["code"]) == (status, "callback")
        assert [task["for"]["reference"], task["partOf"][0]["reference"]] == [f"urn:uuid:{each['id']}" for each in (patient, case)]
        entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in (patient, case, task)]
        bundles.append({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert problems_of(bundles) == [[]] * len(bundles)


def test_a_purged_case_goes_out_without_findings_notes_or_words(door: Door, lead: Person) -> None:
    patient = door.patient()
    patient.say(f"I have chest pain {CANARY}")
    patient.say("no fever")
    number = case_of(door, patient)
    lead.post(f"/cases/{number}/note", text=CANARY)
    purge(door.records.engine, door.clock() + timedelta(days=1), dry_run=False)
    bundle = of_one(lead, number)
    assert CANARY not in json.dumps(bundle)
    assert not resources_of(bundle, "Observation")
    assert problems_of([bundle]) == [[]]


def test_a_request_for_a_call_is_a_task_until_it_is_kept(door: Door, lead: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say("I have a fever of 101")
    patient.ask("POST", "/callback", json={"client_id": new_id(), "number": "(312) 555-0177", "whose": "patient"})
    number = case_of(door, patient)

    def task() -> Json:
        found = [each for each in resources_of(of_one(lead, number), "Task") if each["code"]["coding"][0]["code"] == "callback"]
        assert len(found) == 1
        body: Json = found[0]
        return body

    assert task()["status"] == "requested"
    assert "555-0177" not in str(of_one(lead, number))
    services.acts(Acts).acknowledge(number, lead.id, door.stored(patient)[-1].seq)
    services.acts(ContactActs).attempt(number, lead.id, Attempt.REACHED)
    assert task()["status"] == "completed"
