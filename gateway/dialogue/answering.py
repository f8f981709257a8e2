"""Answers stored messages. Whatever fails, within five seconds the patient has an answer, and never one that understates the words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Disposition, Key
from aftercare.understanding.reading import Reading
from gateway.dialogue import rows
from gateway.dialogue.binding import begun, resumed
from gateway.dialogue.core import Core
from gateway.dialogue.entries import BROKEN_OFF, Outcome, facts_of, rows_of, words_of
from gateway.dialogue.rasa import Answered, Rasa, RasaError
from gateway.metrics import ANSWER_SECONDS, ANSWERS, FAILSAFE
from gateway.ports import Outbound
from gateway.records.cases import UNREAD
from gateway.records.sealing import SealError
from gateway.records.store import Event, OvertakenError, Records
from gateway.settings import ANSWER_SECONDS as PATIENCE
from readers.alone import problem_of
from readers.pool import UnreadError

_log = structlog.get_logger(__name__)
_OVERDUE = timedelta(seconds=PATIENCE + 1)
_STORE_ATTEMPTS = 3
_LEAST_SECONDS = 0.1
_RECOVERED = "recovered"
_MOST_TRIES = 2
_OTHER_PROTOCOL = "other_protocol"


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
        outbound: is told when an answer is stored.
    """

    def __init__(self, records: Records, core: Core, rasa: Rasa, outbound: Outbound) -> None:
        self._records = records
        self._core = core
        self._rasa = rasa
        self._outbound = outbound
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
                    self.begin(conversation, message, alone=_RECOVERED)
                except SealError:
                    _log.error("unanswered message can not be opened", conversation=conversation, seq=seq)

    async def follow_up(self, only: str | None = None) -> None:
        """Where a question has waited too long for its answer, let the more urgent answer hold and tell the patient.

        A danger check that was left before an answer: the patient is told whom to call; behind one, the record says that it was left.

        Args:
            only: the conversation to look at; all when None.
        """
        for minutes in sorted({_patience(self._core.of(protocol.key)) for protocol in self._core.library}):
            for name, seq in await asyncio.to_thread(self._records.asked_and_left, minutes):
                if only in (None, name):
                    await self._follow_up(name, seq, minutes)

    async def _follow_up(self, name: str, seq: int, minutes: float) -> None:
        """Follow up on one conversation whose question, at this place, was left for so long, if its protocol waits no longer than that.

        A question of a protocol that is no longer in force has no more urgent answer that is known: the safety card is told.
        """
        try:
            before, _ = await self._conversation(name)
            if _patience(self._of(before)) != minutes:
                return
            left = self._core.broken_off(before)
            if left is not None:
                await self._tell(name, seq, Outcome(left[1], before, left[0], "core", BROKEN_OFF))
            elif await self._is_gone(name, before):
                await self._tell(name, seq, Outcome(self._of(before).trouble(), before, before, "card", _OTHER_PROTOCOL))
            else:
                await self._note_left(name, seq, before.checks)
        except OvertakenError:
            return
        except Exception as error:  # the others are told all the same
            _log.error("broken-off interview not followed up", conversation=name, error=type(error).__name__)

    def _of(self, conversation: Conversation) -> Assistant:
        """The core for the protocol that a conversation is bound to."""
        return self._core.of(conversation.key)

    async def _tell(self, name: str, seq: int, outcome: Outcome) -> None:
        """Store an answer to no message, right behind the question that was left."""
        protocol = self._of(outcome.before).protocol
        disposition = outcome.reply.custom.get("disposition")
        event = await asyncio.to_thread(
            partial(self._records.add, right_behind=seq, words=words_of(outcome, protocol), disposition=disposition),
            name,
            "answer",
            facts_of(outcome, protocol, 0),
        )
        ANSWERS.labels(outcome.by, disposition or "none").inc()
        _log.warning("interview broken off", conversation=name, seq=event.seq)
        self._outbound.ring(name, event)

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
            outcome = await self._outcome(name, message, alone if mine else alone or "slow", left)
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
            self._outbound.ring(name, answer)

    async def _outcome(self, name: str, message: Event, alone: str, seconds: float) -> Outcome:
        """The answer to a message.

        Where the conversation's protocol is no longer in force, what stood by it may be lost on the one that answers: then the safety card
        takes the place of whatever is no emergency.
        """
        if message.words is None:
            raise ValueError("the words have been purged")
        before, last_by_rasa = await self._conversation(name)
        if alone == _RECOVERED and await asyncio.to_thread(self._records.note_try, name, message.seq) > _MOST_TRIES:
            return self._card(name, message, before, UNREAD)
        answers, lost = rows.split(rows_of(message), self._of(before).protocol.danger_check)
        outcome = await self._made(name, message, before, answers, alone, seconds, known=last_by_rasa)
        stood = before.disposition == Disposition.EMERGENCY.wire and await self._is_gone(name, before)
        if (stood or lost) and outcome.reply.disposition is not Disposition.EMERGENCY:
            return self._card(name, message, before, _OTHER_PROTOCOL)
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
                cause = await self._objection(self._of(before), answered.reply, reading)
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
        return Outcome(self._of(before).trouble(), before, before, "card", cause)

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
        kept = before.has("present") - set(before.tapped) | rows.expected(answers, self._of(before).protocol.danger_check)
        for knows in (True, False) if known else (False,):
            answered = await self._rasa.ask(name, text, before, end - time.monotonic(), known=knows, answers=answers)
            forgotten = knows and answered.begun and before != begun(before.key)
            if not forgotten and kept <= answered.conversation.has("present"):
                return answered
        raise RasaError("forgotten")

    async def _conversation(self, name: str) -> tuple[Conversation, bool]:
        """How the conversation stands, bound to the protocol that answers it, and whether Rasa knows."""
        bound = await self._bound(name)
        answer, writer = await asyncio.to_thread(self._records.standing, name)
        protocol = self._core.of(bound).protocol
        conversation, known = begun(protocol.key), True
        if answer is not None and answer.words is not None:
            conversation, taken_over = resumed(Conversation.parse(answer.words["conversation"]), bound, protocol)
            known = answer.facts["kept"] and not taken_over
        if writer is not None and (answer is None or writer.seq > (answer.reply_to or 0)):
            conversation.writer, known = writer.facts["writer"], False
        return conversation, known

    async def _bound(self, name: str) -> Key:
        """What a conversation is bound to, in force or not."""
        return await asyncio.to_thread(self._records.bound, name)

    async def _is_gone(self, name: str, conversation: Conversation) -> bool:
        """Whether another protocol answers a conversation than the one that it is bound to."""
        return (await self._bound(name))[0] != conversation.protocol

    async def _store(self, name: str, message: Event, outcome: Outcome, seconds: float) -> Event | None:
        protocol = self._of(outcome.before).protocol
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


async def _heard(reading: asyncio.Task[Reading]) -> tuple[Reading | None, str]:
    """The gateway's own reading, or why there is none."""
    try:
        return await reading, ""
    except UnreadError:
        return None, UNREAD
    except Exception as error:
        return None, problem_of(error)


async def _acquired(lock: asyncio.Lock, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await lock.acquire()
    except TimeoutError:
        return False
