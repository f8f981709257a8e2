"""Which single question to ask next: computed from the rules that an answer could still bring about."""

from __future__ import annotations

from aftercare.conversation import Conversation
from aftercare.decision.rules import undecided
from aftercare.protocol.model import Protocol, Question


def next_question(protocol: Protocol, conversation: Conversation) -> Question | None:
    """The question whose answer can change the disposition, the most dangerous first.

    Returns:
        The question that settles the most findings of the most urgent undecided rules, ties in the protocol's order. None when no
        answer would change anything, or when the limit of questions is reached.
    """
    if len(conversation.asked) >= protocol.max_questions:
        return None
    present, absent = conversation.has("present"), conversation.has("absent")
    open_rules = undecided(protocol, present, absent)
    for urgency in sorted({rule.disposition for rule in open_rules}, reverse=True):
        wanted = {
            finding for rule in open_rules if rule.disposition is urgency for finding in rule.atoms() if finding not in present | absent
        }
        candidates = [
            question
            for question in protocol.questions.values()
            if wanted & set(question.covers) and not question.only_confirms and question.id not in conversation.asked
        ]
        if candidates:
            return max(candidates, key=lambda question: len(wanted & set(question.covers)))
    return None


def confirming(protocol: Protocol, finding: str) -> Question | None:
    """The narrowest question that settles one finding, for when the readings of a message disagree about it."""
    candidates = [question for question in protocol.questions.values() if finding in question.covers]
    return min(candidates, key=lambda question: (len(question.covers), question.covers.index(finding)), default=None)
