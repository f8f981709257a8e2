"""Answers stored messages. Whatever fails, within five seconds the patient has an answer, and never one that understates the words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import structlog

from aftercare.assistant import Assistant
from aftercare.protocol import Disposition
from gateway.contact.numbers import numbers_in
from gateway.contact.statuses import CALLBACK
from gateway.dialogue import rows
from gateway.dialogue.conversations import Conversations
from gateway.dialogue.core import Core
from gateway.dialogue.entries import BROKEN_OFF, OTHER_PROTOCOL, RECOVERED, Outcome, facts_of, words_of
from gateway.dialogue.outcomes import Outcomes
from gateway.dialogue.rasa import Rasa
from gateway.metrics import ANSWER_SECONDS, ANSWERS, FAILSAFE
from gateway.ports import Outbound
from gateway.records.sealing import SealError
from gateway.records.store import Event, OvertakenError, Records
from gateway.settings import ANSWER_SECONDS as PATIENCE

_log = structlog.get_logger(__name__)
_OVERDUE = timedelta(seconds=PATIENCE + 1)
_STORE_ATTEMPTS = 3


@dataclass
class _Turn:
    """Whose turn it is in a conversation, and how many want it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Answering:
    """Answers messages, one at a time in each conversation.

    Args:
        records: where messages are stored, and answers go.
        core: the clinical core.
        rasa: where to ask.
        outbound: is notified when an answer is stored.
        region: the country of telephone numbers without a country code.
    """

    def __init__(self, records: Records, core: Core, rasa: Rasa, outbound: Outbound, region: str) -> None:
        self._records = records
        self._core = core
        self._conversations = Conversations(records, core)
        self._outcomes = Outcomes(records, self._conversations, core, rasa)
        self._outbound = outbound
        self._region = region
        self._turns: dict[str, _Turn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._working: set[tuple[str, int]] = set()

    def begin(self, name: str, message: Event, *, alone: str = "") -> None:
        """Answer a stored message in the background.

        Args:
            name: the conversation.
            message: the message.
            alone: why Rasa is not asked, if so: a cause for the record.
        """
        if (name, message.seq) in self._working:
            return
        self._working.add((name, message.seq))
        task = asyncio.create_task(self._answer(name, message, alone))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def recover(self, name: str | None = None) -> None:
        """Answer what was stored and then left unanswered, by a process that died for example."""
        now = self._records.clock()
        for conversation, seq, at in await asyncio.to_thread(self._records.unanswered, name):
            if (conversation, seq) not in self._working and now - at > _OVERDUE:
                try:
                    message, *_ = await asyncio.to_thread(self._records.events, conversation, seq - 1)
                    self.begin(conversation, message, alone=RECOVERED)
                except SealError:
                    _log.error("unanswered message cannot be opened", conversation=conversation, seq=seq)

    async def follow_up(self, only: str | None = None) -> None:
        """Where a question has waited too long for its answer, let the more urgent answer hold and tell the patient.

        A danger check that was left before an answer: the patient hears whom to call; behind one, the record says that it was left.

        Args:
            only: the conversation to look at; all when None.
        """
        for minutes in sorted({_patience(self._core.of(protocol.key)) for protocol in self._core.library}):
            for name, seq in await asyncio.to_thread(self._records.asked_and_left, minutes):
                if only in (None, name):
                    await self._follow_up(name, seq, minutes)

    async def _follow_up(self, name: str, seq: int, minutes: float) -> None:
        """Follow up on one conversation whose question `seq` was left for so long, if its protocol waits no longer than that.

        A question of a protocol that is no longer in force has no more urgent answer that is known: the safety card is shown.
        """
        try:
            before, _ = await self._conversations.read(name)
            if (await asyncio.to_thread(self._records.contact, name)).is_held(self._records.clock()):
                return
            if _patience(self._conversations.assistant_of(before)) != minutes:
                return
            left = self._core.broken_off(before)
            if left is not None:
                await self._tell(name, seq, Outcome(left[1], before, left[0], "core", BROKEN_OFF))
            elif await self._conversations.is_gone(name, before):
                await self._tell(
                    name, seq, Outcome(self._conversations.assistant_of(before).trouble(), before, before, "card", OTHER_PROTOCOL)
                )
            else:
                await self._note_left(name, seq, before.checks)
        except OvertakenError:
            return
        except Exception as error:  # the others are followed up all the same
            _log.error("broken-off interview not followed up", conversation=name, error=type(error).__name__)

    async def _tell(self, name: str, seq: int, outcome: Outcome) -> None:
        """Store an answer to no message, right behind the question that was left."""
        protocol = self._conversations.assistant_of(outcome.before).protocol
        disposition = outcome.reply.custom.get("disposition")
        event = await asyncio.to_thread(
            partial(self._records.add, right_behind=seq, words=words_of(outcome, protocol), disposition=disposition),
            name,
            "answer",
            facts_of(outcome, protocol, 0),
        )
        ANSWERS.labels(outcome.by, disposition or "none").inc()
        _log.warning("interview broken off", conversation=name, seq=event.seq)
        self._outbound.publish(name, event)

    async def _note_left(self, name: str, seq: int, checks: Sequence[str]) -> None:
        """Store that the danger check behind an answer was left."""
        facts = {"rows": dict.fromkeys(checks, rows.RowState.LEFT)}
        await asyncio.to_thread(partial(self._records.add, right_behind=seq), name, "left", facts)

    async def finish(self) -> None:
        """Wait for the answers that are being made."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, name: str, message: Event, alone: str) -> None:
        started = time.monotonic()
        turn, answer = self._turns.setdefault(name, _Turn()), None
        turn.wanted += 1
        mine = await _acquired(turn.lock, PATIENCE)
        try:
            left = PATIENCE - (time.monotonic() - started)
            outcome = await self._outcomes.of(name, message, alone if mine else alone or "slow", left)
            outcome = await asyncio.to_thread(self._in_contact, name, message, outcome)
            answer = await self._store(name, message, outcome, time.monotonic() - started)
        except Exception as error:  # the patient's browser shows the safety card when no answer comes
            FAILSAFE.labels("unstored").inc()
            _log.error("answer not stored", conversation=name, seq=message.seq, error=type(error).__name__)
        finally:
            if mine:
                turn.lock.release()
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[name]
            self._working.discard((name, message.seq))
            self._outbound.publish(name, answer)

    def _in_contact(self, name: str, message: Event, outcome: Outcome) -> Outcome:
        """The answer where a nurse may hold the chat: only an emergency or a failure is said then.

        Else a call is offered: once behind urgent advice, and whenever the patient asks for one or writes a telephone number.
        """
        contact, disposition = self._records.contact(name), outcome.reply.disposition
        quiet = outcome.by != "card" and disposition is not Disposition.EMERGENCY
        if quiet and contact.is_held(self._records.clock()):
            return outcome.withheld()
        asked_for = outcome.reply.custom.get("offers", ())
        urgent = disposition is not None and disposition >= Disposition.CALL_DOCTOR and disposition > contact.tier
        typed = any(numbers_in(str(message.words["text"]), self._region)) if message.words else False
        offered = contact.callback_at is None and (urgent or typed or CALLBACK in asked_for)
        return replace(outcome, offers=(CALLBACK,)) if offered else outcome

    async def _store(self, name: str, message: Event, outcome: Outcome, seconds: float) -> Event | None:
        protocol = self._conversations.assistant_of(outcome.before).protocol
        facts, words = facts_of(outcome, protocol, seconds), words_of(outcome, protocol)
        disposition = outcome.reply.custom.get("disposition")
        for attempt in range(1, _STORE_ATTEMPTS + 1):
            try:
                answer = await asyncio.to_thread(self._records.add_answer, name, message.seq, facts, words, disposition)
                break
            except Exception:
                if attempt == _STORE_ATTEMPTS:
                    raise
        ANSWERS.labels(outcome.by, disposition or facts["type"]).inc()
        ANSWER_SECONDS.observe(seconds)
        _log.info("answered", conversation=name, seq=message.seq, by=outcome.by, cause=outcome.cause, ms=facts["ms"])
        return answer


def _patience(assistant: Assistant) -> float:
    """For how many minutes a question may wait for its answer."""
    return float(assistant.protocol.thresholds["broken_off_minutes"])


async def _acquired(lock: asyncio.Lock, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await lock.acquire()
    except TimeoutError:
        return False
