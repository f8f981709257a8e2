"""What the templates of a case show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.console.cases.case_view import Act, CaseView
from gateway.console.cases.contact_acts import Attempt
from gateway.console.cases.explained import Complaint
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.console.cases.rows import Row
from gateway.console.cases.transcript import Entry
from gateway.console.identity.rights import may
from gateway.console.pages.case_labels import (
    ACCEPTED_NAMES,
    ATTEMPT_NAMES,
    FOLLOWED_NAMES,
    HOW_NAMES,
    KIND_NAMES,
    ROW_NAMES,
    STATUS_NAMES,
    WHOSE_NAMES,
)
from gateway.console.redaction.mark import Mark
from gateway.console.services import ConsoleServices
from gateway.records.tier import TIERS, Tier

_EARLIER = ("resolved", "historical")
_SNOOZES = (15, 30, 60, 120, 240, 720, 1440)
_NEXT_TRIES = (5, 10, 30, 60, 120, 240, 720, 1440)
_RAISED = (Tier.CALL_DOCTOR, Tier.EMERGENCY)


@dataclass(frozen=True)
class Note:
    """A note of a nurse, each of its versions, the first one first."""

    id: int
    who: str
    versions: tuple[Act, ...]


def content_of(services: ConsoleServices, view: CaseView) -> dict[str, Any]:
    """What the templates show of a case, by the names that they have for it."""
    people = services.book.everybody()
    deciding = view.complaints[0] if view.complaints else None
    return {
        "view": view,
        "contact": view.contact,
        "tier": view.contact.tier,
        "finding_label": services.renderer.finding_labels(view.bound),
        "row": view.row,
        "deciding": deciding,
        "decided": _decided(view, deciding),
        "groups": [(status, found) for status in STATUS_NAMES if (found := [each for each in view.findings if each.status == status])],
        "earlier": [finding for finding in view.findings if finding.status in _EARLIER],
        "notes": _notes(view.acts),
        "by_hand": next((act for act in reversed(view.acts) if act.kind in ("raise", "lower")), None),
        "asked_to_lower": next((act for act in reversed(view.acts) if act.kind == "lower_asked"), None),
        "names": {person.id: person.name for person in people},
        "team": [person for person in people if not person.disabled and may(person.role, "act")],
        "waiting": next_waiting(services, view.row.id),
        "pieces": pieces,
        "head": str(services.audit_log.head()),
        **_labels(),
        **_choices(services, view),
    }


def _labels() -> dict[str, Any]:
    return {
        "statuses": STATUS_NAMES,
        "row_names": ROW_NAMES,
        "how_names": HOW_NAMES,
        "kind_names": KIND_NAMES,
        "accepted_names": ACCEPTED_NAMES,
        "attempt_names": ATTEMPT_NAMES,
        "followed_names": FOLLOWED_NAMES,
        "whose_names": WHOSE_NAMES,
        "tier_of": TIERS,
    }


def _choices(services: ConsoleServices, view: CaseView) -> dict[str, Any]:
    """What the forms offer."""
    policy, tier = services.policy, view.contact.tier
    longest = policy.acts.snooze_emergency if tier is Tier.EMERGENCY else timedelta.max
    usual = policy.acts.next_attempt
    return {
        "outcomes": policy.outcomes,
        "reasons": policy.reasons,
        "templates": policy.contact.templates,
        "hold_time": policy.contact.hold,
        "next_try": usual.get(tier, usual[Tier.CALL_DOCTOR]),
        "next_tries": [(minutes, timedelta(minutes=minutes)) for minutes in _NEXT_TRIES],
        "snoozes": [(minutes, length) for minutes in _SNOOZES if (length := timedelta(minutes=minutes)) <= longest],
        "attempts": list(Attempt),
        "higher": [each for each in reversed(Tier) if each in _RAISED and each > tier],
        "lower": [each for each in reversed(Tier) if each < tier],
    }


def _decided(view: CaseView, deciding: Complaint | None) -> Entry | None:
    """The answer that decided the tier, else the last answer, of those that the patient was shown."""
    answers = [entry for entry in view.entries if entry.who == "assistant" and not entry.detail["held"]]
    return next((entry for entry in answers if deciding and deciding.rule in entry.rules), answers[-1] if answers else None)


def _notes(acts: tuple[Act, ...]) -> list[Note]:
    return [
        Note(note.id, note.who, (note, *(act for act in acts if act.kind == "amend" and act.facts["amends"] == note.id)))
        for note in acts
        if note.kind == "note"
    ]


def next_waiting(services: ConsoleServices, number: int) -> Row | None:
    """The most urgent other case that nobody has acknowledged."""
    waiting = Queue(services.records.engine, services.policy, services.records.clock).page(Filter(only="unacknowledged"), size=2).rows
    return next((row for row in waiting if row.id != number), None)


def pieces(entry: Entry) -> list[tuple[str, Mark | None]]:
    """A message in pieces: words with the mark that stands on them, and those between."""
    text, position, found = entry.text or "", 0, list[tuple[str, Mark | None]]()
    for mark in entry.marks:
        if mark.start >= position:
            found += [(text[position : mark.start], None), (text[mark.start : mark.end], mark)]
            position = mark.end
    return [(words, mark) for words, mark in [*found, (text[position:], None)] if words]
