"""Rows of the danger check that were answered one by one, and taking a tap back."""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.decision import danger_check
from aftercare.decision.reply import Reply
from aftercare.decision.rules import disposition
from aftercare.dialogue import asking
from aftercare.dialogue.situation import Situation
from aftercare.protocol.model import Disposition
from aftercare.understanding.reading import Status


def take_taps(turn: Situation) -> bool:
    """Record the rows that were answered one by one; whether there were any."""
    before = turn.conversation.has("present")
    answers = turn.protocol.wording["check"]["answers"]
    for fact, answer in turn.tapped.items():
        row = turn.check.row(fact)
        danger_check.settle(row, answer, turn.conversation, f"{row.text} {answers[answer]}", turn.now)
    if turn.tapped:
        note_tap(turn, before, rows=list(turn.tapped))
        turn.close_check()
    return bool(turn.tapped)


def note_tap(turn: Situation, before: set[str], *, rows: list[str], question: str = "") -> None:
    """Remember what rests on this tap alone, so that it can be taken back."""
    conversation = turn.conversation
    in_words = {finding for finding, (status, _) in turn.understood.findings.items() if status is Status.PRESENT}
    conversation.tapped = sorted(conversation.has("present") - before - in_words)
    conversation.tapped_rows, conversation.tapped_question = rows, question
    conversation.tapped_at = turn.now.isoformat()


def takes_back(turn: Situation) -> bool:
    """Whether the message takes the last tap back, soon enough."""
    conversation = turn.conversation
    if "take_back" not in turn.reading.acts or turn.understood.reports or not (conversation.tapped_rows or conversation.tapped_question):
        return False
    try:
        return turn.now - datetime.fromisoformat(conversation.tapped_at) <= timedelta(seconds=turn.check.take_back_seconds)
    except ValueError:
        return False


def take_back(turn: Situation) -> Reply:
    """Ask again what the last tap answered; what rested on the tap alone is decided anew."""
    conversation = turn.conversation
    for finding in conversation.tapped:
        conversation.findings.pop(finding, None)
        conversation.evidence.pop(finding, None)
    for fact in conversation.tapped_rows:
        conversation.rows.pop(fact, None)
        danger_check.reopen(conversation, turn.check.row(fact))
    question = turn.protocol.questions.get(conversation.tapped_question)
    conversation.tapped, conversation.tapped_rows, conversation.tapped_question, conversation.tapped_at = [], [], "", ""
    stands = disposition(turn.protocol, conversation.has("present"))
    conversation.disposition = stands.wire if stands is not None else ""
    taken_back = turn.block("taken_back")
    if question is not None:
        for finding in question.covers:
            if conversation.findings.get(finding) == "absent":
                del conversation.findings[finding]
        conversation.asked = [name for name in conversation.asked if name != question.id]
        return asking.ask(turn, question.id, taken_back)
    if stands is Disposition.EMERGENCY:
        return asking.emergency(turn)
    if stands is Disposition.CALL_DOCTOR:
        conversation.pending, conversation.checks = "", []
        return asking.with_check(turn, asking.triage(turn).preceded_by(taken_back))
    return asking.ask_check(turn, "first", taken_back)
