"""Cases as a FHIR R4B bundle; the resources have the shape that they have in R4. The library checks every one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from gateway.console.export.content import CheckStep, Content, Line, Stamp

MEDIA_TYPE = "application/fhir+json"
_OURS = "urn:aftercare"
_TASK = {"open": "requested", "acknowledged": "in-progress", "closed": "completed"}
_PRIORITY = {3: "stat", 2: "urgent"}
_SURE = {"present": True, "absent": False}
Resource = dict[str, Any]


def bundle(contents: Sequence[Content], stamp: Stamp) -> Bundle:
    """All cases and where they come from.

    Raises:
        ValidationError: of pydantic; a resource is not as FHIR wants it.
    """
    cases = [resource for content in contents for resource in _case(content)]
    entries = [{"fullUrl": f"{_OURS}:{r['resourceType'].lower()}:{r['id']}", "resource": r} for r in [*cases, _provenance(contents, stamp)]]
    found: Bundle = Bundle.model_validate(
        {"resourceType": "Bundle", "type": "collection", "timestamp": stamp.at.isoformat(timespec="seconds"), "entry": entries}
    )
    return found


def write(contents: Sequence[Content], stamp: Stamp, indent: int | None = None) -> bytes:
    """The file; raises as `bundle` does."""
    text: str = bundle(contents, stamp).model_dump_json(indent=indent)
    return text.encode()


def _case(content: Content) -> Iterator[Resource]:
    name = f"case-{content.name}"
    patient = {"reference": f"Patient/{name}"}
    yield {"resourceType": "Patient", "id": name}
    yield {
        "resourceType": "Task",
        "id": name,
        "status": _TASK[content.state],
        "intent": "order",
        "priority": _PRIORITY.get(content.tier, "routine"),
        "code": {"coding": [{"system": f"{_OURS}:tier", "code": str(content.tier)}], "text": content.tier_name},
        "businessStatus": {"text": content.state},
        "for": patient,
        **_given(
            identifier=[{"system": f"{_OURS}:conversation", "value": content.conversation}] if content.conversation else None,
            owner={"display": content.acknowledged_by} if content.acknowledged_by else None,
            lastModified=content.acknowledged_at or None,
            statusReason={"text": content.outcome} if content.outcome else None,
            extension=[
                _text("protocol", content.protocol),
                _text("language", content.language),
                *(_number("days-since-procedure", content.days_since_procedure) or []),
            ],
        ),
    }
    for line in content.lines:
        yield _communication(name, patient, line)
    if content.check:
        yield _check(name, patient, content)
    for number, (code, label, status, because) in enumerate(content.findings, 1):
        value = {"valueBoolean": _SURE[status]} if status in _SURE else {"valueCodeableConcept": {"text": status}}
        yield {
            "resourceType": "Observation",
            "id": f"{name}-finding-{number}",
            "status": "preliminary",
            "code": {"coding": [{"system": f"{_OURS}:finding", "code": code}], "text": label},
            "subject": patient,
            **({"method": {"text": because}} if because else {}),
            **value,
        }


def _check(name: str, patient: Resource, content: Content) -> Resource:
    """The danger check: an item a row with its last answer, if it has one; each step is an extension of the item."""
    rows = [list(steps) for _, steps in groupby(content.check, key=lambda step: step.fact)]
    done = all(steps[-1].how for steps in rows)
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"{name}-danger-check",
        "status": "completed" if done else "in-progress",
        "subject": patient,
        "source": patient,
        "item": [_row(steps) for steps in rows],
        **_given(extension=[_text("danger-check", content.check_standing)] if content.check_standing else None),
    }


def _row(steps: Sequence[CheckStep]) -> Resource:
    last = steps[-1]
    answer = {"valueCoding": {"system": f"{_OURS}:row-answer", "code": last.state}}
    return {
        "linkId": last.fact,
        "text": last.text,
        "extension": [_step(step) for step in steps],
        **_given(answer=[answer] if last.how else None),
    }


def _step(step: CheckStep) -> Resource:
    parts = [_text("state", step.state), *([_text("how", step.how)] if step.how else []), *([_text("at", step.at)] if step.at else [])]
    return {"url": f"{_OURS}:row-step", "extension": [*parts, *(_number("minutes-since-opening", step.minutes) or [])]}


def _text(name: str, value: str) -> Resource:
    return {"url": f"{_OURS}:{name}", "valueString": value}


def _communication(name: str, patient: Resource, line: Line) -> Resource:
    from_patient = line.who == "patient"
    ours = {"display": "Aftercare"}
    return {
        "resourceType": "Communication",
        "id": f"{name}-message-{line.seq}",
        "status": "completed" if from_patient or line.delivered else "in-progress",
        "subject": patient,
        "sender": patient if from_patient else ours,
        "recipient": [ours if from_patient else patient],
        **_given(
            sent=line.at or None,
            payload=[{"contentString": line.words}] if line.words and line.words.strip() else None,
            topic={"text": line.disposition} if line.disposition else None,
            reasonCode=[{"text": rule} for rule in line.rules] or None,
            extension=_number("minutes-since-opening", line.minutes),
        ),
    }


def _provenance(contents: Iterable[Content], stamp: Stamp) -> Resource:
    return {
        "resourceType": "Provenance",
        "id": "export",
        "target": [{"reference": f"Task/case-{content.name}"} for content in contents],
        "recorded": stamp.at.isoformat(timespec="seconds"),
        "activity": {"text": f"export {stamp.profile}"},
        "reason": [{"text": stamp.reason}],
        "agent": [{"who": {"display": stamp.by}}],
        "extension": [_text("audit-head", str(stamp.head)), _text("time-zone", stamp.time_zone)],
    }


def _number(name: str, value: int | None) -> list[Resource] | None:
    return None if value is None else [{"url": f"{_OURS}:{name}", "valueInteger": value}]


def _given(**values: Any) -> Resource:
    return {name: value for name, value in values.items() if value is not None}
