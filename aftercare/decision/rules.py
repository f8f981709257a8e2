"""Rules over findings. They hold on present findings only and combine by maximum: one more finding never lowers a disposition."""

from __future__ import annotations

from collections.abc import Set

from aftercare.protocol.model import Disposition, Protocol, Rule


def holds(rule: Rule, present: Set[str]) -> bool:
    """Whether the rule's condition is met by these findings."""
    return all(finding in present for finding in rule.all_of) and (not rule.any_of or any(finding in present for finding in rule.any_of))


def fired(protocol: Protocol, present: Set[str]) -> list[Rule]:
    """Every rule that holds, the deciding one first; rules of one urgency in the protocol's order."""
    return sorted((rule for rule in protocol.rules if holds(rule, present)), key=lambda rule: -rule.disposition)


def disposition(protocol: Protocol, present: Set[str]) -> Disposition | None:
    """The most urgent disposition of all rules that hold; None when none does."""
    return max((rule.disposition for rule in protocol.rules if holds(rule, present)), default=None)


def undecided(protocol: Protocol, present: Set[str], absent: Set[str]) -> list[Rule]:
    """Rules more urgent than what holds that an answer could still bring about, the most urgent first.

    A rule is worth asking about when a finding of its `ask_when` is present, and nothing that it needs is known to be absent.
    """
    current = disposition(protocol, present)
    if current is None:
        return []
    return sorted(
        (rule for rule in protocol.rules if rule.disposition > current and _is_open(rule, present, absent)),
        key=lambda rule: -rule.disposition,
    )


def _is_open(rule: Rule, present: Set[str], absent: Set[str]) -> bool:
    if any(finding in absent for finding in rule.all_of):
        return False
    if rule.any_of and all(finding in absent for finding in rule.any_of):
        return False
    return any(finding in present for finding in rule.ask_when)
