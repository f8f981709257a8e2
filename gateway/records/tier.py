"""The tiers of urgency, and the ranks in the nurses' queue that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Tier(IntEnum):
    """How urgent a conversation is by its most urgent advice; the numbers are those of the core's dispositions."""

    NONE = 0
    SELF_CARE = 1
    CALL_DOCTOR = 2
    EMERGENCY = 3

    @property
    def key(self) -> str:
        """Its name in the contract, `none` for no advice."""
        return self.name.lower()

    @property
    def label(self) -> str:
        """Its name for nurses."""
        return _LABELS[self]


_LABELS = {Tier.EMERGENCY: "Emergency", Tier.CALL_DOCTOR: "Call doctor", Tier.SELF_CARE: "Self-care", Tier.NONE: "No advice"}
TIERS: Mapping[str | None, Tier] = {None if tier is Tier.NONE else tier.key: tier for tier in Tier}
"""An answer's disposition -> its tier."""


class Rank(IntEnum):
    """The rank of a case in the queue: a smaller value is further up. Nobody can change the order."""

    RED = 0
    RED_SEEN = 1
    CALL = 2
    CALL_SEEN = 3
    REST = 4
    UNFINISHED = 5
    CLOSED = 9


TIER_OF = {
    Rank.RED: Tier.EMERGENCY,
    Rank.RED_SEEN: Tier.EMERGENCY,
    Rank.CALL: Tier.CALL_DOCTOR,
    Rank.CALL_SEEN: Tier.CALL_DOCTOR,
}
"""The tier whose limit holds for a case that needs a nurse."""
UNACKNOWLEDGED = (Rank.RED, Rank.CALL)
