"""The patient's channel: Rasa's REST webhook, made so that no message is taken for a command and none stays unanswered.

Rasa answers, a few turns at a time, so that a crowd makes it slow but not silent. Where it raises, is too slow, says nothing, or says
less than an emergency that the core reads in the words, the core answers by itself from the same slots, and the turn is stored as any
other. Words are read before Rasa has them, where reading can be stopped; those that cannot be read in time get the safety card.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.channels.rest import RestInput
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from aftercare import wire
from aftercare.assistant import LONGEST_PIECE, Assistant
from aftercare.clock import moment_of
from aftercare.conversation import Conversation
from aftercare.decision.reply import Block, Reply
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Reading
from rasa_ext import action_endpoint, binding, in_force
from rasa_ext.request import BadRequestError, Received, parse
from readers.alone import Alone, answer_alone
from readers.pool import UnreadError
from readers.shared import readers

_logger = logging.getLogger(__name__)
_PATIENCE_SECONDS = 2.0
_TURNS_AT_ONCE = 8
_SAVE_ATTEMPTS = 2

Handler = Callable[[UserMessage], Awaitable[Any]]


class PatientInput(RestInput):
    """POST /webhooks/rest/webhook with `sender`, `message` and what else the wire contract allows; GET / for health."""

    def __init__(self) -> None:
        self._assistants = in_force.assistants()
        readers()
        self._turns = asyncio.Semaphore(_TURNS_AT_ONCE)
        self._actions = action_endpoint.endpoint(os.environ)

    @classmethod
    def name(cls) -> str:
        """The channel's name, hence its address: /webhooks/rest."""
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> PatientInput:
        """The channel; it has no credentials."""
        return cls()

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """The channel's two routes."""
        routes = Blueprint("patient_channel", __name__)

        routes.listener(self._settle, "after_server_start")

        @routes.get("/")
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            agent = request.app.ctx.agent
            try:
                received = parse(request.body)
                assistant = await self._assistant(agent, received)
            except BadRequestError as error:
                return response.json({"error": str(error)}, status=400)
            sender = received.sender
            try:
                reply = await self._turn(agent, on_new_message, received, assistant)
            except Exception as error:  # the last resort: never silence, never a stack trace with a patient's words
                _logger.error("no reply could be made: %s", type(error).__name__)
                reply = assistant.trouble()
            message = {
                "recipient_id": sender,
                "text": reply.text,
                "custom": {**reply.wire, "model": agent.model_id, "begun": _began(agent, sender)},
            }
            return response.json([{**message, "buttons": reply.buttons} if reply.buttons else message])

        return routes

    async def _settle(self, *_: Any) -> None:
        """Wait for readers and actions; keep what was loaded out of the garbage collector's sight: that look stops every patient."""
        await asyncio.to_thread(readers().warm)
        if isinstance(self._actions, action_endpoint.LocalActions):
            await asyncio.to_thread(self._actions.load)
        gc.collect()
        gc.freeze()

    async def _assistant(self, agent: Agent, received: Received) -> Assistant:
        """The core for the protocol that the conversation is bound to; a new one is bound to what the request names.

        Raises:
            BadRequestError: the request names no protocol that is in force, or answers rows of the danger check that do not wait.
        """
        library = self._assistants.library
        named = library.find(received.protocol, received.language)
        conversation = received.conversation
        if conversation is None and (received.answers or named is None or len(list(library)) > 1):
            conversation = await self._kept(agent, received)
        if conversation is not None and conversation.protocol:
            named = library.bound(*conversation.key)
        if named is None:
            ids = ", ".join(dict.fromkeys(protocol.id for protocol in library))
            raise BadRequestError(f"'protocol' names the protocol of a new conversation, one of {ids}, or is left out.")
        assistant = self._assistants.of(named.key)
        wrong = assistant.refused_rows(conversation or Conversation(), received.answers)
        if wrong:
            raise BadRequestError(f"'answers' holds rows of the danger check that waits, each 'yes', 'no' or 'unsure': {wrong}.")
        return assistant

    async def _kept(self, agent: Agent, received: Received) -> Conversation:
        """The conversation as Rasa keeps it; where the store cannot tell, one in which every row waits, so that no Yes is lost."""
        try:
            tracker = await _processor(agent).fetch_tracker_with_initial_session(received.sender)
            return Conversation.from_slots(tracker.current_slot_values())
        except Exception as error:
            _logger.error("conversation not read: %s", type(error).__name__)
            rows = self._assistants.library.bound(received.protocol, received.language).danger_check.rows
            return Conversation(checks=[row.fact for row in rows])

    async def _turn(self, agent: Agent, on_new_message: Handler, received: Received, assistant: Assistant) -> Reply:
        _report_failed_saves(agent)
        action_endpoint.place(self._actions, agent)
        output = CollectingOutputChannel()
        words, at = received.text.strip().lstrip("/").strip(), assistant.clock()
        reading = await _read(assistant.protocol, words, at)
        metadata = binding.metadata(assistant.protocol.key, at, received.answers)
        message = UserMessage(words, output, received.sender, input_channel=self.name(), metadata=metadata)
        finished = False
        if reading is not None and words and len(words) <= LONGEST_PIECE:
            try:
                async with self._turns:
                    await asyncio.wait_for(_hand_over(agent, on_new_message, message, received.conversation), _PATIENCE_SECONDS)
                finished = True
            except Exception as error:  # the patient is answered whatever went wrong
                _logger.error("turn failed: %s", type(error).__name__)
        reply = _collected(output.messages)
        if reply is not None and reading is not None and assistant.understates(reply, reading):
            reply = None
        if reply is not None and finished:
            return reply
        return await self._answer_alone(agent, message, reading, reply, received, assistant)

    async def _answer_alone(
        self, agent: Agent, message: UserMessage, reading: Reading | None, said: Reply | None, received: Received, assistant: Assistant
    ) -> Reply:
        """Answer from the core alone and store the turn; where that fails, say so behind the answer.

        Args:
            agent: Rasa's agent, for lock and store.
            message: the message as Rasa got it.
            reading: the message as the core reads it; None when that took too long.
            said: Rasa's own reply, where it made one and then failed to store it.
            received: the request, with the conversation as the caller keeps it, which goes before the slots.
            assistant: the core for the conversation's protocol.
        """
        conversation, metadata = received.conversation, message.metadata or {}
        before = binding.bound(conversation or Conversation(checks=list(received.answers)), metadata)
        try:
            async with agent.lock_store.lock(message.sender_id):
                tracker = await _processor(agent).fetch_tracker_with_initial_session(message.sender_id)
                before = binding.bound(conversation or Conversation.from_slots(tracker.current_slot_values()), metadata)
                after, reply, _ = await _alone(assistant, before, reading, metadata)
                heard = tracker.latest_message
                if heard is None or heard.message_id != message.message_id:
                    entities = reading.to_entities() if reading is not None else []
                    tracker.update(UserUttered(message.text, entities=entities, message_id=message.message_id, input_channel=self.name()))
                tracker.update_with_events([SlotSet(name, value) for name, value in after.to_slots().items()], agent.domain)
                tracker.update(BotUttered(reply.text, {"custom": reply.wire, "buttons": reply.buttons}))
                await _save(agent, tracker)
        except Exception as error:
            _logger.error("turn not stored: %s", type(error).__name__)
            _, reply, _ = await _alone(assistant, before, reading, metadata)
            not_stored = Block("not_stored", assistant.protocol.say("not_stored"))
            return (said or reply).with_note(not_stored).with_payload(stored=False)
        return reply


async def _alone(assistant: Assistant, before: Conversation, reading: Reading | None, metadata: Mapping[str, Any]) -> Alone:
    at = moment_of(metadata, assistant.clock)
    return await answer_alone(readers(), assistant, before, reading, at=at, answers=metadata.get("answers"))


async def _read(protocol: Protocol, words: str, at: datetime) -> Reading | None:
    """The core's reading of what was written at a moment, without holding up the event loop; None when it took too long."""
    day, loop = protocol.clinic.day(at), asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(readers().threads, in_force.read, protocol.key, words, day)
    except UnreadError:
        _logger.error("a message could not be read")
        return None


def _collected(messages: list[dict[str, Any]]) -> Reply | None:
    """Rasa's messages as one reply, or None when they do not keep the contract."""
    try:
        return wire.parse(messages)
    except wire.WireError:
        return None


def _began(agent: Agent, sender: str) -> bool:
    """Whether the store knew nothing of the conversation when this turn began."""
    begun: set[str] = getattr(agent.tracker_store, "begun", set())
    began = sender in begun
    begun.discard(sender)
    return began


def _report_failed_saves(agent: Agent) -> None:
    """Rasa hides a failed save behind a store in memory; without that wrapper the failure reaches this channel."""
    store = agent.tracker_store
    if isinstance(store, FailSafeTrackerStore):
        agent.tracker_store = _processor(agent).tracker_store = store._tracker_store


def _processor(agent: Agent) -> MessageProcessor:
    if agent.processor is None:
        raise RuntimeError("no model is loaded")
    return agent.processor


async def _hand_over(agent: Agent, on_new_message: Handler, message: UserMessage, conversation: Conversation | None) -> None:
    """Let Rasa take the turn, from the caller's conversation where there is one: it went on where Rasa did not hear it."""
    if conversation is not None:
        await _adopt(agent, message.sender_id, conversation)
    await on_new_message(message)


async def _adopt(agent: Agent, sender: str, conversation: Conversation) -> None:
    async with agent.lock_store.lock(sender):
        tracker = await _processor(agent).fetch_tracker_with_initial_session(sender)
        kept = tracker.current_slot_values()
        told: list[Event] = [SlotSet(name, value) for name, value in conversation.to_slots().items() if value != kept.get(name)]
        tracker.update_with_events(told, agent.domain)
        await _save(agent, tracker)


async def _save(agent: Agent, tracker: Any) -> None:
    for attempt in range(1, _SAVE_ATTEMPTS + 1):
        try:
            await agent.tracker_store.save(tracker)
            return
        except Exception:
            if attempt == _SAVE_ATTEMPTS:
                raise
