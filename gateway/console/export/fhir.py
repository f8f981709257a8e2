"""Cases as a bundle of FHIR R4.

Every reference points to an entry of the same bundle. Each resource is checked as it is made by a library that has R4B, which is as R4 in
what is used here; tests validate bundles by the definitions of R4 itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fhir.resources.R4B.bundle import Bundle

from gateway.console.export.content import Content, Stamp
from gateway.console.export.fhir_case import case, device
from gateway.console.export.fhir_check import Questionnaires
from gateway.console.export.resources import Identities, Resource, full_url, text_of

MEDIA_TYPE = "application/fhir+json"


def bundle(contents: Sequence[Content], stamp: Stamp) -> Bundle:
    """All cases and where they come from.

    Raises:
        ValidationError: of pydantic; a resource is not as FHIR wants it.
    """
    ids = Identities(stamp.namespace)
    questionnaires = Questionnaires(contents, ids)
    cases = [resource for content in contents for resource in case(content, ids, questionnaires)]
    resources = [device(ids), *questionnaires.resources(), *cases, _provenance(contents, ids, stamp)]
    entries = [{"fullUrl": full_url(resource["id"]), "resource": resource} for resource in resources]
    found: Bundle = Bundle.model_validate(
        {"resourceType": "Bundle", "type": "collection", "timestamp": stamp.at.isoformat(timespec="seconds"), "entry": entries}
    )
    return found


def write(contents: Sequence[Content], stamp: Stamp, indent: int | None = None) -> bytes:
    """The file; raises as `bundle` does."""
    text: str = bundle(contents, stamp).model_dump_json(indent=indent)
    return text.encode()


def _provenance(contents: Iterable[Content], ids: Identities, stamp: Stamp) -> Resource:
    return ids.new(
        "Provenance",
        target=[ids.to("Task", content.name) for content in contents],
        recorded=stamp.at.isoformat(timespec="seconds"),
        activity={"text": f"export {stamp.profile}"},
        reason=[{"text": stamp.reason}],
        agent=[{"who": {"display": stamp.by}}],
        extension=[*text_of("audit-head", str(stamp.head)), *text_of("time-zone", stamp.time_zone)],
    )
