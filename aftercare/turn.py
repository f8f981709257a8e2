"""One turn: the steps in which a message is answered.

A plain emergency is said at once, in every state. Then comes the answer to what was asked, then what can still change the disposition,
then the disposition. Nothing is called harmless before the danger check, and the check follows every other answer about recovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.answers import pressed
from aftercare.decision.danger_check import RowAnswers
from aftercare.decision.interview import confirming
from aftercare.decision.reply import Reply
from aftercare.decision.rules import disposition
from aftercare.dialogue import asking, memory, talk, taps, waiting
from aftercare.dialogue.situation import Situation, Tools
from aftercare.protocol.model import Question
from aftercare.understanding.lookalikes import without_lookalikes
from aftercare.understanding.reading import Reading, Status


def begin(tools: Tools, conversation: Conversation, reading: Reading, today: date, now: datetime, tapped: Mapping[str, str]) -> Situation:
    """How a turn stands before its first step: the message understood, in the light of what waits for an answer.

    Args:
        tools: the protocol's tools.
        conversation: how it stands; it is changed.
        reading: the message.
        today: the day of the message, by the clinic's calendar.
        now: the moment of the message.
        tapped: rows of the danger check that were answered one by one, row -> `yes`, `no` or `unsure`.
    """
    protocol, fusion = tools.protocol, tools.fusion
    reading = without_lookalikes(protocol, reading)
    pending = protocol.questions.get(conversation.pending)
    button = pressed(pending, reading.text) if pending is not None else None
    rows = {row.fact for row in protocol.danger_check.rows}
    checks = [fact for fact in conversation.checks if fact in rows]
    conversation.checks = list(checks)
    reading = replace(reading, mentions=(), opinions=()) if button is not None else _without_noise(tools, conversation, reading, pending)
    answering_now, measuring = pending is not None or bool(checks), pending is not None and bool(pending.scale)
    understood = fusion.understand(reading, answering=answering_now, measuring=measuring)
    quiet = not understood.reports and not understood.topics
    row_answers = tools.rows.read(checks, reading, quiet) if checks and reading.text.strip() else RowAnswers()
    if (row_answers.rows and quiet) or row_answers.all_of_them:
        understood = fusion.understand(replace(reading, opinions=()), answering=True)
    stood = disposition(protocol, conversation.has("present"))
    return Situation(tools, conversation, today, now, tapped, stood, pending, button, checks, reading, understood, row_answers)


def _without_noise(tools: Tools, conversation: Conversation, reading: Reading, pending: Question | None) -> Reading:
    """The message without the classifier's opinions where it is an aside that sounds like no red flag.

    An aside is one only where something waits for an answer, a practical question only where advice stands.
    """
    waits = pending is not None or bool(conversation.checks)
    kinds = {*(tools.names.asides if waits else ()), *(tools.names.practical if conversation.disposition else ()), "nonsense"}
    named = any(mention.status is Status.PRESENT for mention in reading.mentions)
    if reading.opinions and reading.acts & kinds and not named and not tools.fusion.hears_red_flag(reading):
        return replace(reading, opinions=())
    return reading


def answer(turn: Situation) -> Reply:
    """The reply to the message."""
    return asking.with_advice(turn, asking.with_offer(turn, _reply(turn)))


def _reply(turn: Situation) -> Reply:
    danger_check.expire(turn.check, turn.conversation, turn.now)
    if taps.takes_back(turn):
        return taps.take_back(turn)
    answered = memory.remember(turn)
    answered = taps.take_taps(turn) or answered
    if turn.is_emergency():
        return asking.emergency(turn)
    answered = waiting.answer_pending(turn) or waiting.answer_check(turn) or answered
    danger_check.note_denials(turn.check, turn.conversation, turn.now)
    if turn.is_emergency():
        return asking.emergency(turn)
    return asking.with_check(turn, _answer(turn, answered))


def _answer(turn: Situation, answered: bool) -> Reply:
    reports = turn.understood.reports
    if turn.understood.doubt and not asking.is_aside(turn):
        question = confirming(turn.protocol, turn.understood.doubt)
        if question is not None and question.id not in turn.conversation.asked:
            asking.keep_complaint(turn)
            return asking.behind_answer(turn, asking.ask(turn, question.id, turn.block(question.introduction)))
    if turn.pending is not None and turn.conversation.pending and (not reports or asking.asks_about_danger(turn)):
        return waiting.unanswered(turn)
    if reports or answered or asking.denies_beside_advice(turn):
        return asking.with_topics(turn, asking.decide_or_ask(turn))
    if turn.row_answers.all_of_them in ("yes", "unsure") or (turn.checks and (waiting.waits_first(turn) or waiting.claims_something(turn))):
        return waiting.unanswered_check(turn)
    return talk.talk(turn)
