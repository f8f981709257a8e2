"""What brings a conversation before a nurse, and how far up in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from gateway.records.tier import Rank, Tier

OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"


class Standing(StrEnum):
    """Where the danger check stands in a conversation.

    `before`: an answer waits for it. `behind`: it came with 'call your doctor' and waits. `unfinished`: it was left before an answer, and
    nothing reassuring was said. `left`: it was left behind 'call your doctor'. Left behind information it is nothing.
    """

    NONE = ""
    BEFORE = "before"
    BEHIND = "behind"
    UNFINISHED = "unfinished"
    LEFT = "left"


class Signal(StrEnum):
    """A reason for a nurse to look at a conversation, the most urgent first."""

    EMERGENCY = "emergency"
    CALL_DOCTOR = "call_doctor"
    FAILED = "failed"
    CALLBACK = "callback"
    ASKING = "asking"
    UNFINISHED = "unfinished"
    SILENT = "silent"


Signals = Mapping[Signal, Rank]
FIXED: Signals = {
    Signal.EMERGENCY: Rank.RED,
    Signal.CALL_DOCTOR: Rank.CALL,
    Signal.FAILED: Rank.CALL,
    Signal.CALLBACK: Rank.CALL,
}
"""What no clinic can turn down."""
DEFAULT: Signals = {**FIXED, Signal.ASKING: Rank.CALL, Signal.UNFINISHED: Rank.UNFINISHED, Signal.SILENT: Rank.REST}
_SEEN = {Rank.RED: Rank.RED_SEEN, Rank.CALL: Rank.CALL_SEEN}


def tier_of(case: Mapping[str, Any]) -> Tier:
    """How urgent a case is: as a nurse set it by hand, else by its most urgent advice."""
    by_hand = case.get("by_hand")
    return Tier(case["tier"] if by_hand is None else by_hand)


def signal_of(case: Mapping[str, Any]) -> Signal | None:
    """The most urgent signal of a case; None without any.

    Args:
        case: columns of `triage_case`; those that a fresh case has empty may be left out.
    """
    tier = tier_of(case)
    applies = {
        Signal.EMERGENCY: tier is Tier.EMERGENCY,
        Signal.CALL_DOCTOR: tier is Tier.CALL_DOCTOR,
        Signal.FAILED: case["failed"],
        Signal.CALLBACK: case.get("callback_at") is not None,
        Signal.ASKING: case["asking"],
        Signal.UNFINISHED: case.get("danger_check") == Standing.UNFINISHED,
        Signal.SILENT: case.get("silent"),
    }
    return next((signal for signal in Signal if applies[signal]), None)


def rank_of(case: Mapping[str, Any], signals: Signals = DEFAULT) -> Rank:
    """The rank of a case in the queue.

    A message to which no answer could be made, a question that has no answer yet (an interview that is broken off counts as its more urgent
    end) and a request for a call wait beside the call-doctor cases.

    Args:
        case: as for `signal_of`.
        signals: how far up each signal brings a case.
    """
    if case["state"] == CLOSED:
        return Rank.CLOSED
    signal = signal_of(case)
    rank = Rank.REST if signal is None else signals[signal]
    return _SEEN.get(rank, rank) if case["state"] == ACKNOWLEDGED else rank


def strongest(known: str, signal: Signal | None) -> str:
    """Of the signal that a case is known by and the one that it shows now, the more urgent; empty without any."""
    order = list(Signal)
    found = [each for each in (Signal(known) if known else None, signal) if each is not None]
    return min(found, key=order.index, default="")
