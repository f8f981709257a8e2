"""Evidence in a patient's words, which keeps to its words when others are hidden."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Words of a message that say something about a finding.

    Attributes:
        start: where they begin in the message, in characters; the end is not included.
        status: the assertion status: present, absent, hypothetical, historical, resolved, other_person or not_meant.
    """

    start: int
    end: int
    code: str
    status: str
