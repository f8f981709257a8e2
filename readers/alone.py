"""The one answer without Rasa, for whoever finds Rasa slow, silent or wrong: the core's, or the safety card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.understanding.reading import Reading
from readers.pool import BrokenReaderError, Readers, UnreadError

UNREAD = "unread"


class Alone(NamedTuple):
    """The conversation behind the answer, the answer, and why it is the safety card: empty, `unread`, or the name of an error."""

    conversation: Conversation
    reply: Reply
    problem: str


def problem_of(error: Exception) -> str:
    """What may be told of an error: its name, for its text may hold a patient's words."""
    return str(error) if isinstance(error, BrokenReaderError) else type(error).__name__


async def answer_alone(
    readers: Readers,
    assistant: Assistant,
    before: Conversation,
    reading: Reading | None,
    *,
    at: datetime,
    answers: Mapping[str, str] | None,
) -> Alone:
    """The core's answer to a message, or the safety card where the words, or what they mean here, could not be read.

    Args:
        readers: the core where it can be stopped.
        assistant: the core for the conversation's protocol, for what takes no patient's words.
        before: the conversation; behind the safety card it stays as it was.
        reading: the message, or None where it could not be read.
        at: the moment of the message.
        answers: rows of the danger check that were answered one by one, row -> `yes`, `no` or `unsure`.
    """
    problem = UNREAD
    if reading is not None:
        try:
            after, reply = await readers.respond(before, reading, assistant.protocol.clinic.day(at), at=at, answers=answers)
            return Alone(after, reply, "")
        except UnreadError:
            problem = UNREAD
        except Exception as error:  # the patient is answered whatever went wrong; the error may hold words
            problem = problem_of(error)
    return Alone(before, assistant.trouble(), problem)
