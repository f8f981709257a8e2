"""The transcript of a conversation: each entry that patient or nurse reads, with the evidence marked in the patient's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.console.cases.explained import Explained
from gateway.console.redaction.mark import Mark
from gateway.console.redaction.mask import Mask
from gateway.contact.follow_ups import FOLLOW_UP, FOLLOWED
from gateway.contact.statuses import CALLBACK, STATUS
from gateway.records.store import Event

MESSAGE, ANSWER, STAFF = "message", "answer", "staff"
TURNS = (MESSAGE, ANSWER)
SHOWN = (*TURNS, CALLBACK, STAFF, STATUS, FOLLOW_UP, FOLLOWED)
"""The kinds of events that stand in the transcript."""
_WHO = {CALLBACK: "patient", FOLLOWED: "patient", STAFF: "nurse", STATUS: "clinic", FOLLOW_UP: "assistant"}


@dataclass(frozen=True)
class Entry:
    """An entry of the transcript.

    Attributes:
        who: `patient`, `assistant`, `nurse` or `clinic` (what became of something).
        kind: of the event, one of SHOWN.
        text: the words; None when they were purged.
        marks: evidence in a patient's words, none overlapping another.
        delivered: it went out to the patient's browser.
        detail: of a message and an answer how it was understood and answered: intent, confidence, model, by, cause, ms, buttons,
            conversation, and `held`: a nurse held the chat, so that the patient did not see it. Of a request for a call who asks and
            when it suits them, of a nurse's message its account and how the patient sees them, of a question its buttons.
    """

    seq: int
    at: datetime
    who: str
    kind: str
    text: str | None
    marks: tuple[Mark, ...]
    disposition: str | None
    rules: tuple[str, ...]
    delivered: bool
    detail: Mapping[str, Any]


def entry_of(event: Event, events: Sequence[Event], delivered: int, mask: Mask, own_words: Mask, explained: Explained) -> Entry:
    """An event as it stands in the transcript.

    Args:
        event: of one of the kinds SHOWN.
        events: all of the conversation.
        delivered: up to which event the patient's browser has them.
        mask: hides what it knows in the patient's words.
        own_words: the same in the assistant's.
        explained: tells what was answered to rows of the danger check.
    """
    if event.kind == MESSAGE:
        return _message(event, events, mask, explained)
    if event.kind == ANSWER:
        return _answer(event, delivered, mask, own_words)
    text: str | None = None
    detail: dict[str, Any] = {"staff": event.facts.get("staff"), "who": None, "buttons": []}
    if event.words is not None:
        blocks = [block["text"] for block in event.words.get("blocks", ())]
        text = own_words("\n".join(filter(None, [event.words.get("text", ""), *blocks])))
        detail |= {name: mask(str(event.words[name])) for name in ("name", "whose", "best") if name in event.words}
        detail |= {"who": event.words.get("who"), "buttons": [button["title"] for button in event.words.get("buttons", ())]}
    by_patient = _WHO[event.kind] == "patient"
    return Entry(
        event.seq, event.at, _WHO[event.kind], event.kind, text, (), None, (), delivered=by_patient or event.seq <= delivered, detail=detail
    )


def _message(event: Event, events: Sequence[Event], mask: Mask, explained: Explained) -> Entry:
    words = event.words
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
    return Entry(event.seq, event.at, "patient", event.kind, text, marks, None, (), delivered=True, detail=detail)


def _answer(event: Event, delivered: int, mask: Mask, own_words: Mask) -> Entry:
    words, held = event.words, bool(event.facts.get("held"))
    text = "\n".join(own_words(block["text"]) for block in words["blocks"]) if words is not None else None
    kept = ("by", "cause", "model", "ms", "type", "kept")
    detail = {name: event.facts.get(name) for name in kept} | {"protocol": event.facts.get("protocol", {}).get("version"), "held": held}
    if words is not None:
        detail |= {
            "buttons": [button["title"] for button in words["buttons"]],
            "about": words.get("about"),
            "topic": words.get("topic"),
        }
        detail["conversation"] = mask.deep(words["conversation"])
    rules, went_out = tuple(event.facts.get("rules", ())), event.seq <= delivered and not held
    return Entry(event.seq, event.at, "assistant", event.kind, text, (), event.disposition, rules, delivered=went_out, detail=detail)


def _marks(findings: Iterable[Mapping[str, Any]]) -> tuple[Mark, ...]:
    """Where evidence stands; of two that overlap, the one that is present, else the first."""
    spans = [Mark(each["span"][0], each["span"][1], each["code"], each["status"]) for each in findings if each.get("span")]
    chosen: list[Mark] = []
    for mark in sorted(spans, key=lambda each: (each.status != "present", each.start, each.start - each.end)):
        if mark.end > mark.start and all(mark.end <= other.start or mark.start >= other.end for other in chosen):
            chosen.append(mark)
    return tuple(sorted(chosen, key=lambda mark: mark.start))
