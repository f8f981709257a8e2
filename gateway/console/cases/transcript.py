"""The transcript of a conversation: each message and answer, with the evidence marked in the patient's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.console.cases.explained import Explained
from gateway.console.redaction.mark import Mark
from gateway.console.redaction.mask import Mask
from gateway.records.store import Event


@dataclass(frozen=True)
class Entry:
    """A message or an answer of the transcript.

    Attributes:
        who: `patient` or `assistant`.
        text: the words; None when they were purged.
        marks: evidence in a patient's words, none overlapping another.
        delivered: the answer went out to the patient's browser.
        detail: how it was understood and answered: intent, confidence, model, by, cause, ms, buttons, conversation.
    """

    seq: int
    at: datetime
    who: str
    text: str | None
    marks: tuple[Mark, ...]
    disposition: str | None
    rules: tuple[str, ...]
    delivered: bool
    detail: Mapping[str, Any]


def entry_of(event: Event, events: Sequence[Event], delivered: int, mask: Mask, own_words: Mask, explained: Explained) -> Entry:
    """A message or an answer as it stands in the transcript.

    Args:
        event: the message or the answer.
        events: all of the conversation.
        delivered: up to which event the patient's browser has them.
        mask: hides what it knows in the patient's words.
        own_words: the same in the assistant's.
        explained: tells what was answered to rows of the danger check.
    """
    words = event.words
    if event.kind == "message":
        answer = next((each for each in events if each.reply_to == event.seq), None)
        understood = answer.words["understood"] if answer and answer.words else {}
        text: str | None = None
        marks: tuple[Mark, ...] = ()
        if words is not None:
            text, marks = mask.with_marks(str(words["text"]), _marks(understood.get("findings", ())))
            text = "\n".join(filter(None, [text, *explained.answers(words.get("rows", ()))]))
        detail: dict[str, Any] = {"meaning": understood.get("meaning"), "confidence": understood.get("confidence")}
        detail |= {
            "button": "button" in event.facts,
            "rows": "rows" in event.facts,
            "refused": event.facts.get("refused"),
            "answered": answer is not None,
        }
        return Entry(event.seq, event.at, "patient", text, marks, None, (), delivered=True, detail=detail)
    text = "\n".join(own_words(block["text"]) for block in words["blocks"]) if words is not None else None
    kept = ("by", "cause", "model", "ms", "type", "kept")
    detail = {name: event.facts.get(name) for name in kept} | {"protocol": event.facts.get("protocol", {}).get("version")}
    if words is not None:
        detail |= {
            "buttons": [button["title"] for button in words["buttons"]],
            "about": words.get("about"),
            "topic": words.get("topic"),
        }
        detail["conversation"] = mask.deep(words["conversation"])
    rules = tuple(event.facts.get("rules", ()))
    return Entry(event.seq, event.at, "assistant", text, (), event.disposition, rules, event.seq <= delivered, detail)


def _marks(findings: Iterable[Mapping[str, Any]]) -> tuple[Mark, ...]:
    """Where evidence stands; of two that overlap, the one that is present, else the first."""
    spans = [Mark(each["span"][0], each["span"][1], each["code"], each["status"]) for each in findings if each.get("span")]
    chosen: list[Mark] = []
    for mark in sorted(spans, key=lambda each: (each.status != "present", each.start, each.start - each.end)):
        if mark.end > mark.start and all(mark.end <= other.start or mark.start >= other.end for other in chosen):
            chosen.append(mark)
    return tuple(sorted(chosen, key=lambda mark: mark.start))
