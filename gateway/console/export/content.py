"""What goes out of a case, whatever the kind of file.

Times are the clinic's, in ISO 8601 with their offset from UTC; days are the clinic's too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.console.audit.log import Head
from gateway.console.cases.statuses import NOT_SURE
from gateway.records.cases import ASSUMED
from gateway.records.tier import Tier

FULL, LIMITED, DEIDENTIFIED = PROFILES = ("full", "limited", "deidentified")
DENIED = "absent"
STATUS_WORDS: Mapping[str, str] = {ASSUMED: "assumed: not answered", NOT_SURE: "not sure: counts as present"}
"""Statuses that say more than their name; none of them was said to be so."""


@dataclass(frozen=True)
class Stamp:
    """What every file says of itself: who made it, when, what it holds and why, and where the audit stood.

    Attributes:
        at: in the clinic's time zone, whose IANA name is `time_zone`.
        namespace: makes the identities of this export's resources; stands in no file.
    """

    by: str
    at: datetime
    time_zone: str
    profile: str
    reason: str
    head: Head
    namespace: UUID


@dataclass(frozen=True)
class When:
    """When something was, as it goes out.

    Attributes:
        at: a moment, a day, or nothing, by profile.
        minutes: since the case opened; None where `at` is given.
    """

    at: str
    minutes: int | None


@dataclass(frozen=True)
class Line:
    """A message or an answer as it goes out.

    Attributes:
        words: None when they were purged.
    """

    seq: int
    who: str
    when: When
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
    """

    fact: str
    text: str
    state: str
    how: str
    when: When


@dataclass(frozen=True)
class CheckForm:
    """The danger check as the questionnaire that a conversation answered.

    Attributes:
        version: of the protocol by which it was asked last.
        rows: row -> its text, in order: all of that version where it is still in force, else those that were shown.
        answers: what can be answered, state -> how it reads.
        answered: when the last answer was given; None without any.
    """

    version: str
    rows: Mapping[str, str]
    answers: Mapping[str, str]
    answered: When | None


@dataclass(frozen=True)
class Finding:
    """How a finding stands in the end.

    Attributes:
        id: its name in the protocol; `code` is what it has in common with others on the wire.
        qualifier: it only tells more of another finding, so that denying it denies no code.
        status: the assertion status, `assumed` or `not_sure`.
        because: the id of the step that decided it, where it was read in words.
        since: when it got this status; None where that is not known.
        seq: the message that gave it this status; None where none did.
        from_check: that message answered a row of the danger check that is about it.
        earlier: other statuses that it had before, in order.
    """

    id: str
    code: str
    label: str
    qualifier: bool
    status: str
    because: str
    since: When | None
    seq: int | None
    from_check: bool
    earlier: tuple[tuple[str, When], ...]

    @property
    def status_words(self) -> str:
        """The status as a file says it."""
        return STATUS_WORDS.get(self.status, self.status)


@dataclass(frozen=True)
class Note:
    """A nurse's note as it reads in the end."""

    by: str
    when: When
    words: str


@dataclass(frozen=True)
class Callback:
    """A request for a call.

    Attributes:
        requested: when the patient asked.
        due: until when the call was promised.
        kept: nobody has to call any more.
    """

    requested: When
    due: When | None
    kept: bool


@dataclass(frozen=True)
class Content:
    """A case as it goes out.

    Attributes:
        name: its number, or its pseudonym in this export.
        conversation: the conversation's id; empty unless all goes out.
        protocol: the id of the protocol that the conversation is bound to.
        language: the code of the language that it is bound to.
        rules: the rules that fired, those of the latest answer first.
        findings: at most one of each id; none where the words were purged.
        check: what became of the rows of the danger check, row by row, in order.
        check_standing: where the check stands in the end, as in `Standing`.
        form: what those rows are; None when none was shown.
        acknowledged_by: a name of the staff; empty unless all goes out.
        minutes_to_acknowledge: from the moment that the rule fired; None where nobody has acknowledged it, or it fired anew since.
        minutes_to_close: from its opening; None while it is not closed.
        callback: the last request for a call; None without any.
        notes: none unless all goes out, for the masks were not measured on nurses' words.
        purged: the words are unreadable for good.
    """

    name: str
    conversation: str
    tier: int
    state: str
    writer: str
    days_since_procedure: int | None
    outcome: str
    opened: When
    fired: When
    acknowledged: When | None
    acknowledged_by: str
    closed: When | None
    minutes_to_acknowledge: int | None
    minutes_to_close: int | None
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]
    check: tuple[CheckStep, ...]
    check_standing: str
    form: CheckForm | None
    lines: tuple[Line, ...]
    callback: Callback | None
    notes: tuple[Note, ...]
    protocol: str
    language: str
    purged: bool

    @property
    def tier_name(self) -> str:
        """The tier in words."""
        return Tier(self.tier).label


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
