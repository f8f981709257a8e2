"""Which protocol a message belongs to, and which a training example: each protocol has models of its own, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rasa.shared.nlu.constants import INTENT, METADATA, METADATA_INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from aftercare.clock import AT
from aftercare.conversation import Conversation
from aftercare.protocol import Key

PROTOCOL, LANGUAGE = "protocol", "language"


def metadata(key: Key, at: datetime, answers: Mapping[str, str]) -> dict[str, Any]:
    """What travels with a message through Rasa.

    Args:
        key: its protocol and language.
        at: its moment.
        answers: rows of the danger check that were answered one by one.
    """
    told = {PROTOCOL: key[0], LANGUAGE: key[1], AT: at.isoformat()}
    return {**told, "answers": dict(answers)} if answers else told


def bound(conversation: Conversation, told: Mapping[str, Any]) -> Conversation:
    """A conversation that goes by the protocol in a message's metadata, if it is not bound to one yet."""
    if conversation.protocol:
        return conversation
    protocol, language = key_of(told)
    return replace(conversation, protocol=protocol, language=language)


def key_of(told: Mapping[str, Any] | None) -> Key:
    """The protocol and the language in a message's metadata; empty where they are the default's."""
    told = told or {}
    return str(told.get(PROTOCOL) or ""), str(told.get(LANGUAGE) or "")


def key_of_message(message: Message) -> Key:
    """The same of a message on its way through the components."""
    return key_of(message.get(METADATA))


def examples_of(protocol: str, examples: Sequence[Message]) -> list[Message]:
    """The training examples that teach about a protocol, those that all share and its own, in an order that no file's name changes."""
    own = [example for example in examples if _owner(example) in ("", protocol)]
    return sorted(own, key=lambda example: (example.get(INTENT) or "", example.get(TEXT) or ""))


def owners_of(examples: Sequence[Message]) -> list[str]:
    """The protocols that have training examples of their own, in order of their names; one without a name where none has."""
    return sorted({_owner(example) for example in examples} - {""}) or [""]


def _owner(example: Message) -> str:
    told = (example.get(METADATA) or {}).get(METADATA_INTENT) or {}
    return str(told.get(PROTOCOL) or "")
