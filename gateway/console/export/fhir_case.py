"""A case in FHIR: whose it is, what is to be done, what was said, and what is known of each finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from gateway.console.cases.statuses import NOT_SURE
from gateway.console.export.content import DENIED, STATUS_WORDS, Content, Finding, Line, When
from gateway.console.export.fhir_check import Questionnaires
from gateway.console.export.resources import OURS, Identities, Resource, concept, minutes_of, moment_of, number_of, step_of, text_of
from gateway.records.cases import ASSUMED, PRESENT
from gateway.records.signals import CLOSED
from gateway.records.tier import Tier

_HL7 = "http://terminology.hl7.org/CodeSystem"
_TASK = {"open": "requested", "acknowledged": "in-progress", "closed": "completed"}
_PRIORITY = {Tier.EMERGENCY: "stat", Tier.CALL_DOCTOR: "urgent"}
_SURE = {PRESENT: True, DENIED: False}
_ABSENT = {ASSUMED: ("unknown", "Unknown"), NOT_SURE: ("asked-unknown", "Asked But Unknown")}
_NOTES = {
    ASSUMED: "Nobody said this. A question had no answer that was understood, and the advice takes it as present.",
    NOT_SURE: "The patient was not sure, and the advice takes it as present.",
}
_SURVEY = {"coding": [{"system": f"{_HL7}/observation-category", "code": "survey", "display": "Survey"}]}
_SAFETY = {"coding": [{"system": f"{_HL7}/flag-category", "code": "safety", "display": "Safety"}]}


def device(ids: Identities) -> Resource:
    """The software that answered the patients and read their words."""
    return ids.new("Device", deviceName=[{"name": "Aftercare", "type": "user-friendly-name"}], type={"text": "Rule-based software"})


def case(content: Content, ids: Identities, questionnaires: Questionnaires) -> Iterator[Resource]:
    """The resources of a case, the patient first."""
    patient, writer, software = ids.to("Patient", content.name), _writer(content, ids), ids.to("Device", display="Aftercare")
    yield ids.new("Patient", content.name)
    if writer != patient:
        yield ids.new("RelatedPerson", content.name, patient=patient, relationship=[{"text": "Writes for the patient"}])
    yield _task(content, ids, patient)
    if content.callback:
        asked = content.callback
        yield callback_task(content, ids, asked.requested, asked.due, "completed" if asked.kept else "requested")
    if content.tier == Tier.EMERGENCY and content.state != CLOSED:
        yield _flag(content, ids, patient, software)
    for line in content.lines:
        yield _communication(content, ids, line, (writer, software))
    yield from questionnaires.response(content, patient=patient, source=writer, author=software)
    for finding in content.findings:
        yield _observation(content, ids, patient, software, finding)


def _writer(content: Content, ids: Identities) -> Resource:
    """Who writes: the patient, or somebody who helps."""
    return ids.to("RelatedPerson" if content.writer == "helper" else "Patient", content.name)


def _identifier(content: Content) -> list[Resource]:
    conversation = [{"system": f"{OURS}:conversation", "value": content.conversation}] if content.conversation else []
    return [{"system": f"{OURS}:case", "value": content.name}, *conversation]


def _task(content: Content, ids: Identities, patient: Resource) -> Resource:
    changed = content.closed or content.acknowledged
    return ids.new(
        "Task",
        content.name,
        identifier=_identifier(content),
        status=_TASK[content.state],
        intent="order",
        priority=_PRIORITY.get(Tier(content.tier), "routine"),
        code=concept("tier", str(content.tier), content.tier_name),
        businessStatus={"text": content.state},
        authoredOn=moment_of(content.opened),
        lastModified=moment_of(changed),
        owner={"display": content.acknowledged_by} if content.acknowledged_by else None,
        statusReason={"text": content.outcome} if content.outcome else None,
        note=[{"authorString": note.by, "time": note.when.at, "text": note.words} for note in content.notes],
        extension=[
            *text_of("protocol", content.protocol),
            *text_of("language", content.language),
            *number_of("days-since-procedure", content.days_since_procedure),
            *number_of("minutes-to-acknowledge", content.minutes_to_acknowledge),
            *number_of("minutes-to-close", content.minutes_to_close),
        ],
        **{"for": patient},
    )


def callback_task(
    content: Content, ids: Identities, requested_at: When, due_at: When | None, status: Literal["requested", "completed"]
) -> Resource:
    """That the patient asked to be called back, and by when that is due.

    Args:
        content: the case.
        ids: the identities of the bundle's resources.
        requested_at: when the patient asked.
        due_at: until when the call is due; None where nothing was promised.
        status: whether it still waits.
    """
    due = moment_of(due_at)
    return ids.new(
        "Task",
        content.name,
        "callback",
        partOf=[ids.to("Task", content.name)],
        status=status,
        intent="order",
        code=concept("task", "callback", "Call the patient back"),
        authoredOn=moment_of(requested_at),
        requester=_writer(content, ids),
        restriction={"period": {"end": due}} if due else None,
        extension=[*minutes_of(requested_at), *minutes_of(due_at, "due-minutes-since-opening")],
        **{"for": ids.to("Patient", content.name)},
    )


def _flag(content: Content, ids: Identities, patient: Resource, software: Resource) -> Resource:
    """Says as long as an emergency is not closed that there is one."""
    start = moment_of(content.fired)
    return ids.new(
        "Flag",
        content.name,
        identifier=_identifier(content),
        status="active",
        category=[_SAFETY],
        code=concept("tier", str(content.tier), content.tier_name),
        subject=patient,
        period={"start": start} if start else None,
        author=software,
        extension=[*(each for rule in content.rules for each in text_of("rule", rule)), *minutes_of(content.fired)],
    )


def _communication(content: Content, ids: Identities, line: Line, sides: tuple[Resource, Resource]) -> Resource:
    """A message or an answer; `sides` are who writes and what answers."""
    from_patient = line.who == "patient"
    sender, recipient = sides if from_patient else reversed(sides)
    return ids.new(
        "Communication",
        content.name,
        line.seq,
        status="completed" if from_patient or line.delivered else "in-progress",
        subject=ids.to("Patient", content.name),
        about=[ids.to("Task", content.name)],
        sender=sender,
        recipient=[recipient],
        sent=moment_of(line.when),
        payload=[{"contentString": line.words}] if line.words and line.words.strip() else None,
        topic={"text": line.disposition} if line.disposition else None,
        reasonCode=[{"text": rule} for rule in line.rules],
        extension=minutes_of(line.when),
    )


def _observation(content: Content, ids: Identities, patient: Resource, software: Resource, finding: Finding) -> Resource:
    """A finding as it stands in the end. What it was before is an extension, so that who reads values alone does not take it for one."""
    message = None if finding.seq is None else ids.to("Communication", content.name, finding.seq)
    return ids.new(
        "Observation",
        content.name,
        finding.id,
        status="preliminary",
        category=[_SURVEY],
        code=concept("finding", finding.id, finding.label),
        subject=patient,
        device=software,
        effectiveDateTime=moment_of(finding.since),
        method={"text": finding.because} if finding.because else None,
        derivedFrom=[ids.to("QuestionnaireResponse", content.name)] if finding.from_check else None,
        note=[{"text": _NOTES[finding.status]}] if finding.status in _NOTES else None,
        extension=[
            *([{"url": f"{OURS}:message", "valueReference": message}] if message else []),
            *minutes_of(finding.since),
            *(step_of("earlier-status", when, status=STATUS_WORDS.get(status, status)) for status, when in finding.earlier),
        ],
        **_value(finding),
    )


def _value(finding: Finding) -> dict[str, Any]:
    """What is known: yes, no, another status, or, where nobody said it, that there is no value."""
    if finding.status in _SURE:
        return {"valueBoolean": _SURE[finding.status]}
    if finding.status in _ABSENT:
        code, display = _ABSENT[finding.status]
        coding = {"system": f"{_HL7}/data-absent-reason", "code": code, "display": display}
        return {"dataAbsentReason": {"coding": [coding], "text": finding.status_words}}
    return {"valueCodeableConcept": concept("assertion-status", finding.status, finding.status_words)}
