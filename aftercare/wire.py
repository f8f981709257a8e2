"""The wire contract: what an answer carries for machines, checked in one place for all who receive one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aftercare.decision.danger_check import NAME
from aftercare.decision.reply import Reply
from aftercare.protocol.model import Disposition

TYPES = frozenset({"triage", "question", "faq", "not_in_leaflet", "chat", "out_of_scope"})
_TRIAGE = "triage"
_DISPOSITIONS = frozenset(disposition.wire for disposition in Disposition)
_ASKED = frozenset({Disposition.EMERGENCY.wire, Disposition.CALL_DOCTOR.wire})
_MAY_BE_NULL = frozenset({"disposition", "about", "topic"})
_FINDINGS = [{"finding": str, "code": str, "status": str, "evidence": str}]
_SHAPES: dict[str, Any] = {
    "type": TYPES,
    "disposition": _DISPOSITIONS,
    "rules": [str],
    "findings": _FINDINGS,
    "sources": [{"section": str, "quote": str}],
    "buttons": [{"title": str}],
    "about": str,
    "topic": str,
    "checks": [str],
    "rows": [{"fact": str, "text": str, "tier": _ASKED}],
    "offers": [str],
    "unfinished": bool,
    "understood": {"findings": _FINDINGS},
    "protocol": {"id": str, "version": str},
    "language": str,
    "blocks": [{"kind": str, "text": str}],
    "conversation": dict,
    "model": str,
    "stored": bool,
    "begun": bool,
}


class WireError(ValueError):
    """An answer that does not keep the contract; the message names what is wrong, and no words."""


def parse(messages: object) -> Reply:
    """The one answer in Rasa's list of messages.

    Args:
        messages: as Rasa's REST channel gives them, each with `text`, `custom` or both.

    Returns:
        The answer; its `custom` holds every key that was sent.

    Raises:
        WireError: there is no text, not exactly one `custom`, or one that does not keep the contract.
    """
    if not isinstance(messages, Sequence) or not all(isinstance(message, dict) for message in messages):
        raise WireError("no list of messages")
    payloads = [message["custom"] for message in messages if message.get("custom")]
    texts = [message["text"] for message in messages if message.get("text")]
    if len(payloads) != 1 or not isinstance(payloads[0], dict):
        raise WireError("not exactly one custom")
    if not all(isinstance(text, str) for text in texts) or not "".join(texts).strip():
        raise WireError("no text")
    _check(payloads[0])
    return Reply.from_wire("\n\n".join(texts), payloads[0])


def _check(custom: dict[str, Any]) -> None:
    for key in ("type", "protocol"):
        if key not in custom:
            raise WireError(f"no {key}")
    for key, shape in _SHAPES.items():
        may_be_null = key in _MAY_BE_NULL and custom.get(key) is None
        if key in custom and not may_be_null and not _fits(custom[key], shape):
            raise WireError(f"{key} is not as the contract has it")
    if (custom["type"] == _TRIAGE) != (custom.get("disposition") is not None):
        raise WireError("a triage, and nothing else, has a disposition")
    rows = [row["fact"] for row in custom.get("rows") or ()]
    if bool(rows) != (custom.get("about") == NAME) or rows != list(custom.get("checks") or ()):
        raise WireError("the danger check, and nothing else, has rows, and they are its checks")


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value has a shape: a type, names of which it is one, a list of a shape, or a mapping with at least these keys."""
    if isinstance(shape, frozenset):
        return isinstance(value, str) and value in shape
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(each, shape[0]) for each in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(key in value and _fits(value[key], part) for key, part in shape.items())
    return isinstance(value, shape)
