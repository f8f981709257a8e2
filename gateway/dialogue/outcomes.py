"""Who answers a message, and with what: Rasa, the core where Rasa is not asked, fails or understates, or the safety card."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Disposition
from aftercare.understanding.reading import Reading
from gateway.dialogue import rows
from gateway.dialogue.binding import begun
from gateway.dialogue.conversations import Conversations
from gateway.dialogue.core import Core
from gateway.dialogue.entries import OTHER_PROTOCOL, RECOVERED, Outcome, rows_of
from gateway.dialogue.rasa import Answered, Rasa, RasaError
from gateway.metrics import FAILSAFE
from gateway.records.cases import UNREAD
from gateway.records.store import Event, Records
from readers.alone import problem_of
from readers.pool import UnreadError

_log = structlog.get_logger(__name__)
_LEAST_SECONDS = 0.1
_MOST_TRIES = 2


class Outcomes:
    """Makes the answers to messages, and stores none.

    Args:
        records: where the tries to answer are counted.
        conversations: how they stand.
        core: the clinical core.
        rasa: where to ask.
    """

    def __init__(self, records: Records, conversations: Conversations, core: Core, rasa: Rasa) -> None:
        self._records = records
        self._conversations = conversations
        self._core = core
        self._rasa = rasa

    async def of(self, name: str, message: Event, alone: str, seconds: float) -> Outcome:
        """The answer to a message.

        Where the conversation's protocol is no longer in force, what stood by it may be lost on the one that answers: then the safety card
        takes the place of whatever is no emergency.
        """
        if message.words is None:
            raise ValueError("the words have been purged")
        before, last_by_rasa = await self._conversations.read(name)
        if alone == RECOVERED and await asyncio.to_thread(self._records.note_try, name, message.seq) > _MOST_TRIES:
            return self._card(name, message, before, UNREAD)
        answers, lost = rows.split(rows_of(message), self._conversations.assistant_of(before).protocol.danger_check)
        outcome = await self._made(name, message, before, answers, alone, seconds, known=last_by_rasa)
        stood = before.disposition == Disposition.EMERGENCY.wire and await self._conversations.is_gone(name, before)
        if (stood or lost) and outcome.reply.disposition is not Disposition.EMERGENCY:
            return self._card(name, message, before, OTHER_PROTOCOL)
        return outcome

    async def _made(
        self, name: str, message: Event, before: Conversation, answers: Mapping[str, str], alone: str, seconds: float, *, known: bool
    ) -> Outcome:
        """The answer by Rasa, or by the core where Rasa is not asked, fails or understates."""
        text, today = str(message.words and message.words["text"]), self._core.day(before.key, message.at)
        reading = asyncio.create_task(self._core.read(before.key, text, today))
        cause = alone
        if not alone:
            try:
                answered = await self._ask(name, text, before, answers, known=known, seconds=seconds)
                cause = await self._objection(self._conversations.assistant_of(before), answered.reply, reading)
                if cause not in ("understated", UNREAD):
                    return Outcome(answered.reply, before, answered.conversation, "rasa", cause, answered.model, answered.kept)
            except RasaError as error:
                cause = error.cause
        FAILSAFE.labels(cause).inc()
        _log.warning("answered without Rasa", conversation=name, seq=message.seq, cause=cause)
        heard, problem = await _heard(reading)
        if not problem:
            after, reply, problem = await self._core.answer_alone(before, heard, at=message.at, answers=answers)
            if not problem:
                return Outcome(reply, before, after, "core", cause)
        if problem == UNREAD:
            return self._card(name, message, before, UNREAD)
        _log.error("core failed", conversation=name, seq=message.seq, error=problem)
        return self._card(name, message, before, cause)

    def _card(self, name: str, message: Event, before: Conversation, cause: str) -> Outcome:
        """The safety card alone; the conversation stays as it was."""
        FAILSAFE.labels("card").inc()
        _log.error("answered with the safety card", conversation=name, seq=message.seq, cause=cause)
        return Outcome(self._conversations.assistant_of(before).trouble(), before, before, "card", cause)

    async def _objection(self, assistant: Assistant, reply: Reply, reading: asyncio.Task[Reading]) -> str:
        """What the core for the conversation's protocol has against Rasa's reply.

        Returns:
            Nothing; `understated`; `unread` when the words could not be read, and Rasa does not call them an emergency all the same; or
            `unchecked` when the core itself failed.
        """
        try:
            return "understated" if assistant.understates(reply, await reading) else ""
        except UnreadError:
            return "unchecked" if reply.disposition is Disposition.EMERGENCY else UNREAD
        except Exception as error:
            _log.error("core failed", error=type(error).__name__)
            return "unchecked"

    async def _ask(
        self, name: str, text: str, before: Conversation, answers: Mapping[str, str], *, known: bool, seconds: float
    ) -> Answered:
        """Rasa's answer; where Rasa turns out to have forgotten the conversation, it is told and asked again.

        What rested on the last tap alone may be gone: the patient may have taken it back.
        """
        end = time.monotonic() + max(seconds, _LEAST_SECONDS)
        kept = before.has("present") - set(before.tapped) | rows.expected(
            answers, self._conversations.assistant_of(before).protocol.danger_check
        )
        for knows in (True, False) if known else (False,):
            answered = await self._rasa.ask(name, text, before, end - time.monotonic(), known=knows, answers=answers)
            forgotten = knows and answered.begun and before != begun(before.key)
            if not forgotten and kept <= answered.conversation.has("present"):
                return answered
        raise RasaError("forgotten")


async def _heard(reading: asyncio.Task[Reading]) -> tuple[Reading | None, str]:
    """The gateway's own reading, or why there is none."""
    try:
        return await reading, ""
    except UnreadError:
        return None, UNREAD
    except Exception as error:
        return None, problem_of(error)
