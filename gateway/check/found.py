"""What the check finds: the lines of its table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """How a part of the set-up stands, the worst first."""

    MISSING = 0
    WEAK = 1
    OK = 2


@dataclass(frozen=True)
class Found:
    """A line of the table."""

    part: str
    state: State
    said: str
