"""What an answer to a question settles: a button, a number, a yes, a no, or 'not sure', which counts as the dangerous answer."""

from __future__ import annotations

import re
from datetime import date

from aftercare.conversation import Conversation
from aftercare.protocol.model import Button, Protocol, Question
from aftercare.understanding.measures import days_answered, pain_scores
from aftercare.understanding.reading import Reading

PRESENT, ABSENT = "present", "absent"


def settle(protocol: Protocol, question: Question, conversation: Conversation, reading: Reading, today: date) -> bool:
    """Record in `conversation` what the message answers to the question; False when it answers nothing.

    Findings that the message names itself are recorded before and stand: an answer never turns a present finding absent.
    """
    effect = _from_button(question, reading) or _from_scale(protocol, question, reading, today) or _from_words(question, reading)
    told = [finding for finding in question.settled_by if finding in _named(reading)]
    if effect is None:
        return bool(told)
    present, absent = effect
    for finding in present:
        conversation.record(finding, PRESENT, reading.text)
    for finding in absent:
        conversation.record(finding, ABSENT, reading.text)
    return True


def settle_as_dangerous(question: Question, conversation: Conversation, evidence: str) -> None:
    """Record the dangerous answer: nothing that was said could rule it out."""
    for finding in _dangerous(question):
        conversation.record(finding, PRESENT, evidence)


Effect = tuple[tuple[str, ...], tuple[str, ...]]


def _named(reading: Reading) -> set[str]:
    return {mention.finding for mention in reading.mentions}


def _dangerous(question: Question) -> tuple[str, ...]:
    return question.covers[:1] if question.yes_means_absent else question.yes_means


def pressed(question: Question, text: str) -> Button | None:
    """The button whose title these words are."""
    return next((button for button in question.buttons if _plain(button.title) == _plain(text)), None)


def _from_button(question: Question, reading: Reading) -> Effect | None:
    button = pressed(question, reading.text)
    return _effect(question, button) if button else None


def _effect(question: Question, button: Button) -> Effect:
    if button.answer:
        return _by_answer(question, button.answer)
    return button.present, button.absent


def _by_answer(question: Question, answer: str) -> Effect:
    if answer == "unsure":
        return _dangerous(question), ()
    if answer == "normal":
        return (), question.covers
    positive = (answer == "yes") is not question.yes_means_absent
    return (question.yes_means, ()) if positive else ((), question.covers)


def _from_scale(protocol: Protocol, question: Question, reading: Reading, today: date) -> Effect | None:
    limits = protocol.thresholds
    if question.scale == "days":
        days = days_answered(reading.text, today)
        if days is None:
            return None
        return (question.covers, ()) if days > limits["expected_pain_days"] else ((), question.covers)
    scores = [score.value for score in pain_scores(reading.text)] or list(reading.numbers)
    if question.scale == "pain" and scores:
        score = max(scores)
        degree = "severe_pain" if score >= limits["severe_pain"] else "moderate_pain" if score >= limits["moderate_pain"] else "mild_pain"
        return next(((button.present, button.absent) for button in question.buttons if degree in button.present), None)
    return None


def _from_words(question: Question, reading: Reading) -> Effect | None:
    if question.scale:
        typed = set(_plain(reading.text).split())
        for button in question.buttons:
            first = _plain(button.title).split()
            if first and first[0] in typed and not button.answer:
                return button.present, button.absent
        if reading.answer != "unsure":
            return None
    return _by_answer(question, reading.answer) if reading.answer else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()
