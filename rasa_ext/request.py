"""What a request to the patient's channel holds, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aftercare.conversation import Conversation

_LONGEST_ID = 200


class BadRequestError(ValueError):
    """A request that cannot be answered; its message tells the caller what to send."""


@dataclass(frozen=True)
class Received:
    """A request.

    Attributes:
        sender: the conversation's id.
        text: what was typed.
        conversation: how it stands, as the caller keeps it; None where the caller leaves that to Rasa.
        answers: rows of the danger check answered one by one, row -> `yes`, `no` or `unsure`.
        protocol, language: what a new conversation is to be bound to; empty for the default.
    """

    sender: str
    text: str
    conversation: Conversation | None
    answers: dict[str, str]
    protocol: str = ""
    language: str = ""


def parse(content: bytes) -> Received:
    """What a request's body holds.

    Raises:
        BadRequestError: it is not as the wire contract says.
    """
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadRequestError('Send a JSON object: {"sender": "<conversation id>", "message": "<what the patient typed>"}.')
    sender = body.get("sender")
    if not isinstance(sender, str) or not 0 < len(sender) <= _LONGEST_ID or not sender.isprintable() or not sender.strip():
        raise BadRequestError(f"'sender' must be a conversation id of 1 to {_LONGEST_ID} printable characters.")
    text = _text(body, "message", "the text that the patient typed")
    try:
        conversation = Conversation.parse(body["conversation"]) if body.get("conversation") is not None else None
    except ValueError as error:
        raise BadRequestError(f"'conversation' is the one of an earlier answer, or left out: {error}.") from None
    answers = body.get("answers") or {}
    if not isinstance(answers, dict) or not all(isinstance(answer, str) for answer in answers.values()):
        raise BadRequestError("'answers' must be an object, row -> 'yes', 'no' or 'unsure'.")
    protocol, language = _text(body, "protocol", "a protocol's id"), _text(body, "language", "a language's code, such as 'en'")
    readable = text.encode("utf-8", "replace").decode("utf-8").replace("\u0000", " ")
    return Received(sender, readable, conversation, answers, protocol, language)


def _text(body: dict[str, Any], name: str, what: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"'{name}' must be {what}.")
    return value or ""
