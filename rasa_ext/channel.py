"""The patient's channel: Rasa's REST webhook, made so that no message is taken for a command and none stays unanswered.

Rasa answers, a few turns at a time, so that a crowd makes it slow but not silent. Where it raises, is too slow, says nothing, or says
less than an emergency that the core reads in the words, the core answers by itself from the same slots, and the turn is stored as any
other. Words are read before Rasa has them, where reading can be stopped; those that can not be read in time get the safety card.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
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

from aftercare.clock import AT
from aftercare.conversation import Conversation
from aftercare.decision.reply import Block, Reply
from aftercare.understanding.reading import Reading
from rasa_ext import action_endpoint, core
from readers.pool import UnreadError
from readers.shared import readers

_logger = logging.getLogger(__name__)
_PATIENCE_SECONDS = 2.0
_TURNS_AT_ONCE = 8
_LONGEST_ID = 200
_LONGEST_FOR_RASA = 4_000
_LONGEST = 20_000
_SAVE_ATTEMPTS = 2

Handler = Callable[[UserMessage], Awaitable[Any]]


class BadRequestError(ValueError):
    """A request that cannot be answered; its message tells the caller what to send."""


@dataclass(frozen=True)
class Received:
    """A request: who writes, what was typed, the conversation as the caller keeps it, and rows of the danger check answered one by one."""

    sender: str
    text: str
    conversation: Conversation | None
    answers: dict[str, str]


class PatientInput(RestInput):
    """POST /webhooks/rest/webhook with `sender`, `message` and, as they apply, `answers` and `conversation`; GET / for health."""

    def __init__(self) -> None:
        self._assistant = core.assistant()
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
            try:
                received = _parse(request)
                agent = request.app.ctx.agent
                await self._refuse_wrong_rows(agent, received)
            except BadRequestError as error:
                return response.json({"error": str(error)}, status=400)
            sender = received.sender
            try:
                reply = await self._turn(agent, on_new_message, received)
            except Exception as error:  # the last resort: never silence, never a stack trace with a patient's words
                _logger.error("no reply could be made: %s", type(error).__name__)
                reply = self._assistant.trouble()
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

    async def _refuse_wrong_rows(self, agent: Agent, received: Received) -> None:
        """Refuse answers to rows of the danger check that do not wait; where the store can not tell which do, to what is no row of it.

        Raises:
            BadRequestError: one of them does not wait, or is answered with something else.
        """
        if not received.answers:
            return
        conversation = received.conversation or await self._kept(agent, received.sender)
        wrong = self._assistant.refused_rows(conversation, received.answers)
        if wrong:
            raise BadRequestError(f"'answers' holds rows of the danger check that waits, each 'yes', 'no' or 'unsure': {wrong}.")

    async def _kept(self, agent: Agent, sender: str) -> Conversation:
        try:
            tracker = await _processor(agent).fetch_tracker_with_initial_session(sender)
            return Conversation.from_slots(tracker.current_slot_values())
        except Exception as error:  # a row that was answered with Yes must not be lost
            _logger.error("conversation not read: %s", type(error).__name__)
            return Conversation(checks=[row.fact for row in self._assistant.protocol.danger_check.rows])

    async def _turn(self, agent: Agent, on_new_message: Handler, received: Received) -> Reply:
        _report_failed_saves(agent)
        action_endpoint.place(self._actions, agent)
        output = CollectingOutputChannel()
        words, at = received.text.strip().lstrip("/").strip(), self._assistant.clock()
        reading = await _read(_both_ends(words), self._assistant.protocol.clinic.day(at))
        metadata = {AT: at.isoformat(), **({"answers": received.answers} if received.answers else {})}
        message = UserMessage(words, output, received.sender, input_channel=self.name(), metadata=metadata)
        finished = False
        if reading is not None and words and len(words) <= _LONGEST_FOR_RASA:
            try:
                async with self._turns:
                    await asyncio.wait_for(_hand_over(agent, on_new_message, message, received.conversation), _PATIENCE_SECONDS)
                finished = True
            except Exception as error:  # the patient is answered whatever went wrong
                _logger.error("turn failed: %s", type(error).__name__)
        reply = _collected(output.messages)
        if reply is not None and reading is not None and self._assistant.understates(reply, reading):
            reply = None
        if reply is not None and finished:
            return reply
        return await self._answer_alone(agent, message, reading, reply, received, at)

    async def _answer_alone(
        self, agent: Agent, message: UserMessage, reading: Reading | None, said: Reply | None, received: Received, at: datetime
    ) -> Reply:
        """Answer from the core alone and store the turn; where that fails, say so behind the answer.

        Args:
            agent: Rasa's agent, for lock and store.
            message: the message as Rasa got it.
            reading: the message as the core reads it; None when that took too long.
            said: Rasa's own reply, where it made one and then failed to store it.
            received: the request, with the conversation as the caller keeps it, which goes before the slots.
            at: the moment of the message.
        """
        conversation = received.conversation
        before = conversation or Conversation(checks=list(received.answers))
        try:
            async with agent.lock_store.lock(message.sender_id):
                tracker = await _processor(agent).fetch_tracker_with_initial_session(message.sender_id)
                before = conversation or Conversation.from_slots(tracker.current_slot_values())
                after, reply = await self._respond(before, reading, received.answers, at)
                heard = tracker.latest_message
                if heard is None or heard.message_id != message.message_id:
                    entities = reading.to_entities() if reading is not None else []
                    tracker.update(UserUttered(message.text, entities=entities, message_id=message.message_id, input_channel=self.name()))
                tracker.update_with_events([SlotSet(name, value) for name, value in after.to_slots().items()], agent.domain)
                tracker.update(BotUttered(reply.text, {"custom": reply.wire, "buttons": reply.buttons}))
                await _save(agent, tracker)
        except Exception as error:
            _logger.error("turn not stored: %s", type(error).__name__)
            _, reply = await self._respond(before, reading, received.answers, at)
            not_stored = Block("not_stored", self._assistant.protocol.say("not_stored"))
            return (said or reply).with_note(not_stored).with_payload(stored=False)
        return reply

    async def _respond(
        self, before: Conversation, reading: Reading | None, answers: dict[str, str], at: datetime
    ) -> tuple[Conversation, Reply]:
        """The core's reply, or the safety card where the words, or what they mean here, could not be read in time."""
        if reading is not None:
            with suppress(UnreadError):
                return await readers().respond(before, reading, self._assistant.protocol.clinic.day(at), at=at, answers=answers)
        return before, self._assistant.trouble()


async def _read(words: str, today: date) -> Reading | None:
    """The core's reading of what was written on a day, without holding up the event loop; None when it took too long."""
    try:
        return await asyncio.get_running_loop().run_in_executor(readers().threads, core.read, words, today)
    except UnreadError:
        _logger.error("a message could not be read")
        return None


def _parse(request: Request) -> Received:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadRequestError('Send a JSON object: {"sender": "<conversation id>", "message": "<what the patient typed>"}.')
    sender, text = body.get("sender"), body.get("message")
    if not isinstance(sender, str) or not 0 < len(sender) <= _LONGEST_ID or not sender.isprintable() or not sender.strip():
        raise BadRequestError(f"'sender' must be a conversation id of 1 to {_LONGEST_ID} printable characters.")
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise BadRequestError("'message' must be the text that the patient typed.")
    try:
        conversation = Conversation.parse(body["conversation"]) if body.get("conversation") is not None else None
    except ValueError as error:
        raise BadRequestError(f"'conversation' is the one of an earlier answer, or left out: {error}.") from None
    answers = body.get("answers") or {}
    if not isinstance(answers, dict) or not all(isinstance(answer, str) for answer in answers.values()):
        raise BadRequestError("'answers' must be an object, row -> 'yes', 'no' or 'unsure'.")
    return Received(sender, text.encode("utf-8", "replace").decode("utf-8").replace("\u0000", " "), conversation, answers)


def _both_ends(text: str) -> str:
    """The text, or of a very long one its beginning and its end."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}\n{text[-_LONGEST // 2 :]}"


def _collected(messages: list[dict[str, Any]]) -> Reply | None:
    """Rasa's messages as one reply, or None when they do not keep the contract."""
    payloads = [message["custom"] for message in messages if message.get("custom")]
    text = "\n\n".join(message["text"] for message in messages if message.get("text"))
    if len(payloads) != 1 or not text or "type" not in payloads[0]:
        return None
    return Reply.from_wire(text, payloads[0])


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
