"""The action that triages, asks and answers: slots and entities in, one reply and the new slots out."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from aftercare.clock import Clock, moment_of, utc_now
from aftercare.conversation import Conversation
from aftercare.protocol import load_library
from aftercare.understanding.reading import Reading
from readers.shared import readers

_logger = logging.getLogger(__name__)
_library = load_library()
readers().warm()


class ActionRespond(Action):
    """Answers the patient's message by the protocol that the conversation is bound to.

    Args:
        clock: tells the moment of a message that comes without one.
    """

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def name(self) -> str:
        """The action's name in the domain."""
        return "action_respond"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        """Utter the core's reply and keep the conversation; on an error say nothing, the channel answers then.

        An exception that left here would put the whole tracker, with the patient's words, into the log of an action server.
        """
        try:
            text = tracker.latest_message.get("text") or ""
            reading = Reading.from_entities(text, tracker.latest_message.get("entities", ()))
            if reading is None:
                raise ValueError("the message has not been read")
            metadata = tracker.latest_message.get("metadata") or {}
            before = Conversation.from_slots(tracker.current_slot_values())
            told = (
                before if before.protocol else replace(before, protocol=metadata.get("protocol", ""), language=metadata.get("language", ""))
            )
            at = moment_of(metadata, self._clock)
            day = _library.bound(*told.key).clinic.day(at)
            after, reply = await readers().respond(told, reading, day, at=at, answers=metadata.get("answers"))
        except Exception as error:
            _logger.error("action_respond failed: %s", type(error).__name__)
            return []
        dispatcher.utter_message(text=reply.text, buttons=reply.buttons, json_message=reply.wire)
        kept = before.to_slots()
        changed = [SlotSet(name, value) for name, value in after.to_slots().items() if value != kept[name]]
        return [*changed, FollowupAction("action_listen")]
