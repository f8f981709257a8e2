"""An answer as it goes on record: what may stand unencrypted of it, and what is sealed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from gateway.dialogue import rows
from gateway.records.cases import ASSUMED, PRESENT, UNREAD
from gateway.records.store import Event

BROKEN_OFF = "broken_off"
RECOVERED = "recovered"
OTHER_PROTOCOL = "other_protocol"
_BUTTON_BYTES = 12
_NOT_UNDERSTOOD = "not_understood_again"


@dataclass(frozen=True)
class Outcome:
    """An answer before it is stored.

    Attributes:
        before: the conversation before the turn, bound to the protocol that answers.
        conversation: the conversation after it.
        by: `rasa`, `core` or `card`, the safety card alone.
        cause: why it was not Rasa, or that Rasa's answer was not checked; empty without any.
        model: the id of Rasa's model.
        kept: Rasa itself will remember the turn.
        held: a nurse holds the chat, so that the patient does not see it.
        offers: what the patient may ask for behind it.
    """

    reply: Reply
    before: Conversation
    conversation: Conversation
    by: str
    cause: str = ""
    model: str = ""
    kept: bool = False
    held: bool = False
    offers: tuple[str, ...] = ()

    def withheld(self) -> Outcome:
        """The answer as it goes on record while a nurse holds the chat: nothing was asked or advised, what was said is remembered."""
        before = self.before
        unsaid = replace(self.conversation, pending="", repeated=0, checks=[], asked=list(before.asked), disposition=before.disposition)
        return replace(self, conversation=unsaid, kept=False, held=True)


def facts_of(outcome: Outcome, protocol: Protocol, seconds: float) -> dict[str, Any]:
    """What may stand unencrypted of an answer by a protocol that took so many seconds."""
    custom, check = outcome.reply.custom, protocol.danger_check
    left = bool(custom.get("unfinished"))
    return {
        "by": outcome.by,
        "cause": outcome.cause,
        "kept": outcome.kept,
        "type": "trouble" if outcome.by == "card" else custom["type"],
        "asks": custom.get("about", danger_check.NAME) != danger_check.NAME,
        "check": rows.standing(custom, outcome.conversation),
        "rows": rows.states(check, outcome.before, outcome.conversation, left=left),
        "rules": custom.get("rules", []),
        "codes": [[UNREAD, "present"]] if outcome.cause == UNREAD else _codes(protocol, outcome),
        "assumed": _assumed(protocol, outcome),
        "protocol": custom["protocol"],
        "model": outcome.model,
        **({"held": True} if outcome.held else {}),
        **({"offers": list(outcome.offers)} if outcome.offers else {}),
        "ms": round(seconds * 1000),
    }


def words_of(outcome: Outcome, protocol: Protocol) -> dict[str, Any]:
    """What is sealed of an answer by a protocol."""
    reply, custom = outcome.reply, outcome.reply.custom
    return {
        "blocks": reply.wire["blocks"],
        "buttons": [{"id": secrets.token_urlsafe(_BUTTON_BYTES), "title": button["title"]} for button in reply.buttons],
        "rows": rows.issued(custom.get("rows", ()), protocol.danger_check),
        "sources": custom.get("sources", []),
        "about": custom.get("about"),
        "topic": custom.get("topic"),
        "findings": custom.get("findings", []),
        "understood": custom.get("understood", {}),
        "conversation": outcome.conversation.to_slots(),
    }


def rows_of(message: Event) -> dict[str, str]:
    """The rows of the danger check that a message answered one by one, row -> `yes`, `no` or `unsure`."""
    return dict(message.facts.get("rows", {}))


def _codes(protocol: Protocol, outcome: Outcome) -> list[list[str]]:
    """Code and status of what the message said, and of what came with it: a tapped row is no word of it.

    What only counts as present, because a question was not answered or the answer not understood, is `assumed`.
    """
    after, assumed = outcome.conversation, _assumed(protocol, outcome)
    heard = [(finding["code"], finding["status"]) for finding in _heard(outcome)]
    new = after.has("present") - outcome.before.has("present") - set(assumed)
    said = [(protocol.findings[each].code, PRESENT) for each in sorted(new & protocol.findings.keys()) if after.evidence.get(each)]
    counted = [(code, ASSUMED) for each in assumed if ((code := protocol.findings[each].code), PRESENT) not in (*heard, *said)]
    return [list(each) for each in dict.fromkeys([*heard, *said, *counted])]


def _assumed(protocol: Protocol, outcome: Outcome) -> list[str]:
    """Findings that count as present from now on, because a question was not answered, or its answer not understood."""
    not_understood = protocol.say(_NOT_UNDERSTOOD) in (block.text for block in outcome.reply.blocks)
    if outcome.cause != BROKEN_OFF and not not_understood:
        return []
    said = {finding.get("finding") for finding in _heard(outcome) if finding["status"] == PRESENT}
    new = outcome.conversation.has("present") - outcome.before.has("present") - said
    return sorted(new & protocol.findings.keys())


def _heard(outcome: Outcome) -> Sequence[Mapping[str, Any]]:
    """What the message said, finding by finding."""
    return outcome.reply.custom.get("understood", {}).get("findings", ())  # type: ignore[no-any-return]
