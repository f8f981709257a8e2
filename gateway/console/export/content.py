"""What goes out of a case, by profile.

full: the words as typed, with telephone numbers, and who of the staff did what.
limited: names, addresses, dates, telephone and record numbers are masked in the words; times are kept to the day; no staff.
deidentified: more is masked; a pseudonym of this export stands for the case, minutes since the opening stand for times; no staff.
Times are the clinic's, in ISO 8601 with their offset from UTC; days are the clinic's too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aftercare.protocol.clinic import Clinic
from gateway.console.audit.log import Head
from gateway.console.cases.case_view import CaseView
from gateway.console.redaction.mask import Mask
from gateway.records.cases import ASSUMED
from gateway.records.tier import Tier

FULL, LIMITED, DEIDENTIFIED = PROFILES = ("full", "limited", "deidentified")
_NAME_LENGTH = 16
_STATUS = {ASSUMED: "assumed: not answered"}


@dataclass(frozen=True)
class Stamp:
    """What every file says of itself: who made it, when, what it holds and why, and where the audit stood.

    Attributes:
        at: in the clinic's time zone, whose IANA name is `time_zone`.
    """

    by: str
    at: datetime
    time_zone: str
    profile: str
    reason: str
    head: Head


@dataclass(frozen=True)
class Line:
    """A message or an answer as it goes out.

    Attributes:
        at: a moment, a day, or nothing, by profile.
        minutes: since the case opened; None where `at` is given.
        words: None when they were purged.
    """

    seq: int
    who: str
    at: str
    minutes: int | None
    words: str | None
    disposition: str
    rules: tuple[str, ...]
    delivered: bool


@dataclass(frozen=True)
class CheckStep:
    """Something that became of a row of the danger check.

    Attributes:
        text: the row.
        state: asked, yes, no, not_sure or left.
        how: `tap` or `words`; empty for what is no answer.
        at: a moment, a day, or nothing, by profile.
        minutes: since the case opened; None where `at` is given.
    """

    fact: str
    text: str
    state: str
    how: str
    at: str
    minutes: int | None


@dataclass(frozen=True)
class Content:
    """A case as it goes out.

    Attributes:
        name: its number, or its pseudonym in this export.
        conversation: the conversation's id; empty unless all goes out.
        protocol: the id of the protocol that the conversation is bound to.
        language: the code of the language that it is bound to.
        findings: code, label, assertion status, and the step that decided it; what was only assumed says so.
        check: what became of the rows of the danger check, row by row, in order.
        check_standing: where the check stands in the end, as in `Standing`.
        acknowledged_by: a name of the staff; empty unless all goes out.
    """

    name: str
    conversation: str
    tier: int
    state: str
    writer: str
    days_since_procedure: int | None
    outcome: str
    acknowledged_at: str
    acknowledged_by: str
    findings: tuple[tuple[str, str, str, str], ...]
    check: tuple[CheckStep, ...]
    check_standing: str
    lines: tuple[Line, ...]
    protocol: str
    language: str

    @property
    def tier_name(self) -> str:
        """The tier in words."""
        return Tier(self.tier).label


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
        mask, whole, row = self._mask(view), self._profile == FULL, view.row
        lines = tuple(
            Line(
                seq=entry.seq,
                who=entry.who,
                at=self._time(entry.at),
                minutes=self._minutes(view, entry.at),
                words=mask(entry.text) if entry.text is not None else None,
                disposition=entry.disposition or "",
                rules=entry.rules,
                delivered=entry.delivered,
            )
            for entry in view.entries
        )
        return Content(
            name=self._pseudonym(view) if self._profile == DEIDENTIFIED else str(row.id),
            conversation=view.conversation if whole else "",
            tier=row.tier,
            state=row.state,
            writer=view.writer,
            days_since_procedure=view.days_since_procedure,
            outcome=view.outcome or "",
            acknowledged_at=self._time(row.acknowledged_at) if row.acknowledged_at else "",
            acknowledged_by=(row.acknowledged_by or "") if whole else "",
            findings=tuple((known.code, known.label, _STATUS.get(known.status, known.status), known.because) for known in view.findings),
            check=self._check(view),
            check_standing=row.danger_check,
            lines=lines,
            protocol=view.bound[0],
            language=view.bound[1],
        )

    def _check(self, view: CaseView) -> tuple[CheckStep, ...]:
        return tuple(
            CheckStep(row.fact, row.text, step.state, step.how, self._time(step.at), self._minutes(view, step.at))
            for row in view.check
            for step in row.course
        )

    def _mask(self, view: CaseView) -> Mask:
        if self._profile == FULL:
            return nothing_hidden()
        said = [name for entry in view.entries if entry.text is not None for name in Mask.find_names(entry.text)]
        known = [*self._staff, *said]
        return Mask.limited(known) if self._profile == LIMITED else Mask.deidentified(known)

    def _time(self, at: datetime) -> str:
        local = self._clinic.local(at)
        return {FULL: local.isoformat(timespec="seconds"), LIMITED: local.date().isoformat(), DEIDENTIFIED: ""}[self._profile]

    def _minutes(self, view: CaseView, at: datetime) -> int | None:
        return int((at - view.row.opened_at).total_seconds() // 60) if self._profile == DEIDENTIFIED else None

    def _pseudonym(self, view: CaseView) -> str:
        return hmac.new(self._key, view.conversation.encode(), hashlib.sha256).hexdigest()[:_NAME_LENGTH]


def nothing_hidden() -> Mask:
    """The mask of somebody who may read everything."""
    return Mask(())


def about(stamp: Stamp) -> dict[str, Any]:
    """A stamp by the names that its parts have in a file."""
    return {
        "exported_by": stamp.by,
        "exported_at": stamp.at.isoformat(timespec="seconds"),
        "time_zone": stamp.time_zone,
        "profile": stamp.profile,
        "reason": stamp.reason,
        "audit_head": str(stamp.head),
    }
