"""A conversation and the protocol that it is bound to, also where another one has to go on with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aftercare.conversation import Conversation
from aftercare.decision.danger_check import NAME
from aftercare.protocol import Key, Protocol


def begun(key: Key) -> Conversation:
    """A conversation before its first turn, bound to a protocol and a language."""
    protocol, language = key
    return Conversation(protocol=protocol, language=language)


def resumed(kept: Conversation, bound: Key, protocol: Protocol) -> tuple[Conversation, bool]:
    """A conversation as it was stored, for the protocol that answers it now.

    Args:
        kept: how it was stored; what was stored before there were several protocols names none.
        bound: what it is bound to.
        protocol: what answers it, which is another one where that is no longer in force.

    Returns:
        The conversation, bound to what answers it, and whether it had to be changed: what this protocol does not know is left out.
    """
    name, language = protocol.key
    taken_over = (kept.protocol or bound[0]) != name
    if taken_over:
        kept = _known_alone(kept, protocol)
    return replace(kept, protocol=name, language=language), taken_over


def _known_alone(kept: Conversation, protocol: Protocol) -> Conversation:
    """The conversation without the findings, questions and rows that a protocol does not have."""
    findings, rows = protocol.findings.keys(), {row.fact for row in protocol.danger_check.rows}
    questions = protocol.questions.keys() | {NAME}
    return replace(
        kept,
        findings=_with_keys(kept.findings, findings),
        evidence=_with_keys(kept.evidence, findings),
        asked=[each for each in kept.asked if each in questions],
        pending=kept.pending if kept.pending in questions else "",
        checks=[each for each in kept.checks if each in rows],
        rows=_with_keys(kept.rows, rows),
        settled=_with_keys(kept.settled, rows),
        supposed=[each for each in kept.supposed if each in findings],
        tapped=[],
        tapped_rows=[],
        tapped_question="",
        tapped_at="",
    )


def _with_keys(values: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    known = set(known)
    return {name: value for name, value in values.items() if name in known}
