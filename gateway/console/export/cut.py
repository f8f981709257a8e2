"""Cuts cases to a profile.

full: the words as typed, with telephone numbers, nurses' notes, and who of the staff did what.
limited: names, addresses, dates, telephone and record numbers are masked in the words; times are kept to the day; no notes, no staff.
deidentified: more is masked; a pseudonym of this export stands for the case, minutes since the opening stand for times; no notes, no staff.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

from aftercare.protocol.clinic import Clinic
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.case_view import CaseView
from gateway.console.export.content import DEIDENTIFIED, FULL, LIMITED, Callback, CheckForm, CheckStep, Content, Line, Note, When
from gateway.console.export.findings import findings_of
from gateway.console.redaction.mask import Mask
from gateway.dialogue.rows import STATES
from gateway.records.signals import CLOSED

_NAME_LENGTH = 16


class Cut:
    """Cuts cases to a profile.

    Args:
        profile: one of PROFILES.
        key: makes this export's pseudonyms.
        staff: names of the staff, hidden in the words.
        clinic: in whose time moments and days go out.
    """

    def __init__(self, profile: str, key: bytes, staff: Sequence[str], clinic: Clinic) -> None:
        self._profile = profile
        self._key = key
        self._staff = staff
        self._clinic = clinic

    def contents(self, views: Iterable[CaseView]) -> list[Content]:
        """The cases, which were read without a mask; pseudonyms are in an order that tells nothing."""
        found = [self._content(view) for view in views]
        return sorted(found, key=lambda content: content.name) if self._profile == DEIDENTIFIED else found

    def _content(self, view: CaseView) -> Content:
        whole, row = self._profile == FULL, view.row
        closed_at = _closed_at(view)
        seen_at = row.acknowledged_at
        return Content(
            name=self._pseudonym(view) if self._profile == DEIDENTIFIED else str(row.id),
            conversation=view.conversation if whole else "",
            tier=row.tier,
            state=row.state,
            writer=view.writer,
            days_since_procedure=view.days_since_procedure,
            outcome=view.outcome or "",
            opened=self._when(view, row.opened_at),
            fired=self._when(view, row.fired_at),
            acknowledged=self._when(view, seen_at) if seen_at else None,
            acknowledged_by=(row.acknowledged_by or "") if whole else "",
            closed=self._when(view, closed_at) if closed_at else None,
            minutes_to_acknowledge=_minutes(row.fired_at, seen_at) if seen_at and seen_at >= row.fired_at else None,
            minutes_to_close=_minutes(row.opened_at, closed_at) if closed_at else None,
            rules=row.rules,
            findings=findings_of(view, lambda at: self._when(view, at)),
            check=self._check(view),
            check_standing=row.danger_check,
            form=self._form(view),
            lines=self._lines(view),
            callback=self._callback(view),
            notes=self._notes(view) if whole else (),
            protocol=view.bound[0],
            language=view.bound[1],
            purged=view.purged,
        )

    def _callback(self, view: CaseView) -> Callback | None:
        """The last request for a call: the one that is open, else the last that a nurse kept or closed."""
        row = view.row
        if row.callback_at is not None:
            due = self._when(view, row.callback_due) if row.callback_due else None
            return Callback(self._when(view, row.callback_at), due, kept=False)
        asked = [act.facts["callback"] for act in view.acts if act.kind in (AuditAct.ATTEMPT, AuditAct.CLOSE) and act.facts.get("callback")]
        return Callback(self._when(view, datetime.fromisoformat(asked[-1])), None, kept=True) if asked else None

    def _lines(self, view: CaseView) -> tuple[Line, ...]:
        mask = self._mask(view)
        return tuple(
            Line(
                seq=entry.seq,
                who=entry.who,
                when=self._when(view, entry.at),
                words=mask(entry.text) if entry.text is not None else None,
                disposition=entry.disposition or "",
                rules=entry.rules,
                delivered=entry.delivered,
            )
            for entry in view.entries
        )

    def _check(self, view: CaseView) -> tuple[CheckStep, ...]:
        return tuple(
            CheckStep(row.fact, row.text, step.state, step.how, self._when(view, step.at)) for row in view.check for step in row.course
        )

    def _form(self, view: CaseView) -> CheckForm | None:
        """What was asked; of a version that is no longer in force only the rows that were shown are known."""
        if not view.check:
            return None
        version = next((str(entry.detail["protocol"]) for entry in reversed(view.entries) if entry.who == "assistant"), "")
        whole = view.in_force and version == view.protocol.version
        words = view.protocol.wording["check"]["answers"]
        answered = [step.at for row in view.check for step in row.course if step.how]
        return CheckForm(
            version=version,
            rows=({row.fact: row.text for row in view.protocol.danger_check.rows} if whole else {}) | {r.fact: r.text for r in view.check},
            answers={state: words[answer] for answer, state in STATES.items()},
            answered=self._when(view, max(answered)) if answered else None,
        )

    def _notes(self, view: CaseView) -> tuple[Note, ...]:
        latest = {act.facts["amends"]: act for act in view.acts if act.kind == AuditAct.AMEND}
        notes = [latest.get(act.id, act) for act in view.acts if act.kind == AuditAct.NOTE]
        return tuple(Note(note.who, self._when(view, note.at), note.words["text"]) for note in notes if note.words is not None)

    def _mask(self, view: CaseView) -> Mask:
        if self._profile == FULL:
            return Mask.nothing()
        said = [name for entry in view.entries if entry.text is not None for name in Mask.find_names(entry.text)]
        known = [*self._staff, *said]
        return Mask.limited(known) if self._profile == LIMITED else Mask.deidentified(known)

    def _when(self, view: CaseView, at: datetime) -> When:
        local = self._clinic.local(at)
        text = {FULL: local.isoformat(timespec="seconds"), LIMITED: local.date().isoformat(), DEIDENTIFIED: ""}[self._profile]
        return When(text, _minutes(view.row.opened_at, at) if self._profile == DEIDENTIFIED else None)

    def _pseudonym(self, view: CaseView) -> str:
        return hmac.new(self._key, view.conversation.encode(), hashlib.sha256).hexdigest()[:_NAME_LENGTH]


def _closed_at(view: CaseView) -> datetime | None:
    """When a closed case was closed."""
    return next((act.at for act in reversed(view.acts) if act.kind == AuditAct.CLOSE), None) if view.row.state == CLOSED else None


def _minutes(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() // 60)
