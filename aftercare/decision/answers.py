"""What an answer to a question means: a button, a number, or words that are a yes, a no, a doubt, or no answer at all.

A word list settles only a bare yes, no or doubt. What else is said is read together with its question, by the answer reader where it was
asked, and is otherwise not understood: then the question is asked again. Yes is always the dangerous answer, and a doubt counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from aftercare.conversation import Conversation
from aftercare.protocol.model import Button, Protocol, Question
from aftercare.understanding.reading import Reading

PRESENT, ABSENT = "present", "absent"
_SHORT_ANSWER = 6
_WORD = re.compile(r"[a-z]+")


class Answer(Enum):
    """What words are as the answer to a question."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    ASIDE = "aside"
    NOT_UNDERSTOOD = ""


def heard(protocol: Protocol, key: str, reading: Reading) -> Answer:
    """What the words of a message mean as the answer to a question.

    Args:
        protocol: supplies the thresholds.
        key: the question's key for the answer reader.
        reading: the message.
    """
    lexical = Answer("no" if reading.answer == "normal" else reading.answer)
    if reading.bare or reading.apart:
        return lexical
    shares = dict(reading.replies.get(key, ()))
    answer = _by_reader(protocol.thresholds, shares, lexical) if shares else _by_lexicon(reading, lexical)
    if answer is Answer.NO and (reading.foreign or _takes_back(protocol, reading)):
        return Answer.NOT_UNDERSTOOD
    if answer in (Answer.NO, Answer.NOT_UNDERSTOOD) and "refuse" in reading.acts:
        return Answer.UNSURE
    if answer is Answer.NOT_UNDERSTOOD and "claim_plainly" in reading.acts:
        return Answer.YES
    if answer is Answer.NOT_UNDERSTOOD and "aside" in reading.acts:
        return Answer.ASIDE
    return answer


def _by_reader(limits: Mapping[str, float], shares: Mapping[str, float], lexical: Answer) -> Answer:
    """By the answer reader; a yes-word or no-word at the beginning that speaks against it leaves the answer open."""
    likely = [answer for answer in Answer if answer.value and shares.get(answer.value, 0.0) >= limits[f"answer_{answer.value}"]]
    if Answer.YES in likely:
        return Answer.YES
    if Answer.NO in likely:
        return Answer.NOT_UNDERSTOOD if lexical is Answer.UNSURE else Answer.NO
    if lexical is Answer.UNSURE:
        return Answer.UNSURE
    return likely[0] if likely else Answer.NOT_UNDERSTOOD


def _by_lexicon(reading: Reading, lexical: Answer) -> Answer:
    """Without the answer reader only a short answer that begins with a yes or a no counts."""
    if lexical is Answer.UNSURE or len(reading.text.split()) <= _SHORT_ANSWER:
        return lexical
    return Answer.NOT_UNDERSTOOD


def _takes_back(protocol: Protocol, reading: Reading) -> bool:
    """`No, but it feels odd`: something stands behind the denial that was not heard as a denial."""
    return bool(set(protocol.grammar.answers["except"]) & set(_WORD.findall(reading.text.lower())))


def pressed(question: Question, text: str) -> Button | None:
    """The button whose title these words are."""
    return next((button for button in question.buttons if _plain(button.title) == _plain(text)), None)


def settle(protocol: Protocol, question: Question, conversation: Conversation, reading: Reading) -> Answer:
    """Record in `conversation` what the message answers to a question.

    Findings that the message names itself are recorded before and stand: an answer never turns a present finding absent.

    Returns:
        What the message was; for a scale or a button with findings of its own, NO.
    """
    button = pressed(question, reading.text)
    if button is not None and not button.answer:
        _record(conversation, button.present, button.absent, reading.text)
        return Answer.NO
    if question.scale == "days":
        days = reading.days_answered
        if days is not None:
            late = days > protocol.scales.expected_days
            _record(conversation, question.covers if late else (), () if late else question.covers, reading.text)
            return Answer.NO
    answer = Answer(button.answer) if button is not None else heard(protocol, question.heard_as, reading)
    if question.scale and answer in (Answer.YES, Answer.NO):
        return Answer.NOT_UNDERSTOOD
    if answer in (Answer.YES, Answer.UNSURE):
        _record(conversation, question.covers[:1], (), reading.text)
    if answer is Answer.NO:
        _record(conversation, (), question.covers, reading.text)
    return answer


def settle_as_dangerous(question: Question, conversation: Conversation, evidence: str) -> None:
    """Record the dangerous answer: nothing that was said could rule it out."""
    _record(conversation, question.covers[:1], (), evidence)


def _record(conversation: Conversation, present: tuple[str, ...], absent: tuple[str, ...], evidence: str) -> None:
    for finding in present:
        conversation.record(finding, PRESENT, evidence)
    for finding in absent:
        conversation.record(finding, ABSENT, evidence)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()
