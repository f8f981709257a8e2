"""How the status of each finding went through a conversation, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aftercare.protocol.model import DangerCheck
from gateway.dialogue.rows import RowState
from gateway.records.cases import ASSUMED, PRESENT
from gateway.records.store import Event

NOT_SURE = RowState.NOT_SURE.value
COUNTED = (PRESENT, ASSUMED, NOT_SURE)
"""The statuses that count as present for the advice."""


@dataclass(frozen=True)
class StatusStep:
    """A status that a finding got.

    Attributes:
        status: the assertion status; `assumed` for what only counts as present, because a question was not answered; `not_sure` where
            nothing speaks for it but 'not sure' to a row of the danger check.
        at: when the patient said so, or when it was assumed.
        seq: the patient's message, else the event that assumed it.
    """

    status: str
    at: datetime
    seq: int


def status_courses(events: Iterable[Event], check: DangerCheck) -> dict[str, tuple[StatusStep, ...]]:
    """The statuses that each finding had, finding -> steps in order; what was taken back stays among them.

    Args:
        events: all events of the conversation, opened; answers whose words were purged tell nothing.
        check: tells which finding a row means.
    """
    means = {row.fact: row.yes for row in check.rows}
    courses: dict[str, list[StatusStep]] = {}
    known: dict[str, str] = {}
    heard: dict[int | None, datetime] = {}
    for event in events:
        if event.kind == "message":
            heard[event.seq] = event.at
        if event.kind != "answer" or event.words is None:
            continue
        found = _statuses(event, means, known)
        for finding, status in found.items():
            if known.get(finding) != status:
                step = StatusStep(status, heard.get(event.reply_to, event.at), event.reply_to or event.seq)
                courses.setdefault(finding, []).append(step)
        known = found
    return {finding: tuple(course) for finding, course in courses.items()}


def _statuses(answer: Event, means: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The status of each finding behind an answer."""
    words = answer.words or {}
    rows = answer.facts.get("rows", {})
    said = {each.get("finding") for each in words.get("understood", {}).get("findings", ()) if each["status"] == PRESENT}
    said |= {means[fact] for fact, state in rows.items() if state == RowState.YES and fact in means}
    unsure = {means[fact] for fact, state in rows.items() if state == RowState.NOT_SURE and fact in means}
    assumed = set(answer.facts.get("assumed", ()))

    def counted(finding: str) -> str:
        if finding in said:
            return PRESENT
        if before.get(finding) in COUNTED:
            return before[finding]
        if finding in assumed:
            return ASSUMED
        return NOT_SURE if finding in unsure else PRESENT

    return {
        finding: counted(finding) if status == PRESENT else status for finding, status in words["conversation"].get("findings", {}).items()
    }
