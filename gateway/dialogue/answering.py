"""Answers stored messages. Whatever fails, within five seconds the patient has an answer, and never one that understates the words."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.reply import Reply
from aftercare.protocol import Disposition, Protocol
from aftercare.understanding.reading import Reading
from gateway.dialogue import rows
from gateway.dialogue.core import Core
from gateway.dialogue.rasa import Answered, Rasa, RasaError
from gateway.live import Bell
from gateway.metrics import ANSWER_SECONDS, ANSWERS, FAILSAFE
from gateway.records.cases import ASSUMED, PRESENT, UNREAD
from gateway.records.sealing import SealError
from gateway.records.store import Event, OvertakenError, Records
from gateway.settings import ANSWER_SECONDS as PATIENCE
from readers.pool import BrokenReaderError, UnreadError

_log = structlog.get_logger(__name__)
_OVERDUE = timedelta(seconds=PATIENCE + 1)
_STORE_ATTEMPTS = 3
_LEAST_SECONDS = 0.1
_BUTTON_BYTES = 12
_RECOVERED = "recovered"
_MOST_TRIES = 2
_NOT_UNDERSTOOD = "not_understood_again"
BROKEN_OFF = "broken_off"


@dataclass(frozen=True)
class _Outcome:
    reply: Reply
    before: Conversation
    conversation: Conversation
    by: str
    cause: str = ""
    model: str = ""
    kept: bool = False


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
        bell: rung when an answer is stored.
    """

    def __init__(self, records: Records, core: Core, rasa: Rasa, bell: Bell) -> None:
        self._records = records
        self._core = core
        self._rasa = rasa
        self._bell = bell
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
        minutes = self._core.assistant.protocol.thresholds["broken_off_minutes"]
        for name, seq in await asyncio.to_thread(self._records.asked_and_left, minutes):
            if only not in (None, name):
                continue
            try:
                before, _ = await self._conversation(name)
                left = self._core.broken_off(before)
                if left is not None:
                    await self._tell(name, seq, _Outcome(left[1], before, left[0], "core", BROKEN_OFF))
                else:
                    await self._note_left(name, seq, before.checks)
            except OvertakenError:
                continue
            except Exception as error:  # the others are told all the same
                _log.error("broken-off interview not followed up", conversation=name, error=type(error).__name__)

    async def _tell(self, name: str, seq: int, outcome: _Outcome) -> None:
        """Store an answer to no message, right behind the question that was left."""
        disposition = outcome.reply.custom.get("disposition")
        event = await asyncio.to_thread(
            partial(self._records.add, right_behind=seq, words=self._words(outcome, ""), disposition=disposition),
            name,
            "answer",
            self._facts(outcome, 0),
        )
        ANSWERS.labels(outcome.by, disposition or "none").inc()
        _log.warning("interview broken off", conversation=name, seq=event.seq)
        self._bell.ring(name, event)

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
            self._bell.ring(name, answer)

    async def _outcome(self, name: str, message: Event, alone: str, seconds: float) -> _Outcome:
        if message.words is None:
            raise ValueError("the words have been purged")
        text, today, answers = str(message.words["text"]), self._core.day(message.at), rows_of(message)
        before, last_by_rasa = await self._conversation(name)
        if alone == _RECOVERED and await asyncio.to_thread(self._records.note_try, name, message.seq) > _MOST_TRIES:
            return self._card(name, message, before, UNREAD)
        reading = asyncio.create_task(self._core.read(text, today))
        cause = alone
        if not alone:
            try:
                answered = await self._ask(name, text, before, answers, known=last_by_rasa, seconds=seconds)
                cause = await self._objection(answered.reply, reading)
                if cause not in ("understated", UNREAD):
                    return _Outcome(answered.reply, before, answered.conversation, "rasa", cause, answered.model, answered.kept)
            except RasaError as error:
                cause = error.cause
        FAILSAFE.labels(cause).inc()
        _log.warning("answered without Rasa", conversation=name, seq=message.seq, cause=cause)
        try:
            after, reply = await self._core.respond(before, await reading, today, at=message.at, answers=answers)
            return _Outcome(reply, before, after, "core", cause)
        except UnreadError:
            return self._card(name, message, before, UNREAD)
        except Exception as error:
            what = str(error) if isinstance(error, BrokenReaderError) else type(error).__name__
            _log.error("core failed", conversation=name, seq=message.seq, error=what)
            return self._card(name, message, before, cause)

    def _card(self, name: str, message: Event, before: Conversation, cause: str) -> _Outcome:
        """The safety card alone; the conversation stays as it was."""
        FAILSAFE.labels("card").inc()
        _log.error("answered with the safety card", conversation=name, seq=message.seq, cause=cause)
        return _Outcome(self._core.assistant.trouble(), before, before, "card", cause)

    async def _objection(self, reply: Reply, reading: asyncio.Task[Reading]) -> str:
        """What the core has against Rasa's reply.

        Returns:
            Nothing; `understated`; `unread` when the words could not be read, and Rasa does not call them an emergency all the same; or
            `unchecked` when the core itself failed.
        """
        try:
            return "understated" if self._core.assistant.understates(reply, await reading) else ""
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
        kept = before.has("present") - set(before.tapped) | rows.expected(answers, self._core.assistant.protocol.danger_check)
        for knows in (True, False) if known else (False,):
            answered = await self._rasa.ask(name, text, before, end - time.monotonic(), known=knows, answers=answers)
            forgotten = knows and answered.begun and before != Conversation()
            if not forgotten and kept <= answered.conversation.has("present"):
                return answered
        raise RasaError("forgotten")

    async def _conversation(self, name: str) -> tuple[Conversation, bool]:
        """How the conversation stands, and whether Rasa knows."""
        answer, writer = await asyncio.to_thread(self._records.standing, name)
        conversation, known = Conversation(), True
        if answer is not None and answer.words is not None:
            conversation, known = Conversation.parse(answer.words["conversation"]), answer.facts["kept"]
        if writer is not None and (answer is None or writer.seq > (answer.reply_to or 0)):
            conversation.writer, known = writer.facts["writer"], False
        return conversation, known

    async def _store(self, name: str, message: Event, outcome: _Outcome, seconds: float) -> Event | None:
        text = str(message.words and message.words["text"])
        facts, words = self._facts(outcome, seconds), self._words(outcome, text)
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

    def _facts(self, outcome: _Outcome, seconds: float) -> dict[str, Any]:
        """What may stand unencrypted of an answer."""
        custom, check = outcome.reply.custom, self._core.assistant.protocol.danger_check
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
            "codes": [[UNREAD, "present"]] if outcome.cause == UNREAD else _codes(self._core.assistant.protocol, outcome),
            "assumed": _assumed(self._core.assistant.protocol, outcome),
            "protocol": custom["protocol"],
            "model": outcome.model,
            "ms": round(seconds * 1000),
        }

    def _words(self, outcome: _Outcome, text: str) -> dict[str, Any]:
        """What is sealed of an answer to these words."""
        reply, custom = outcome.reply, outcome.reply.custom
        return {
            "blocks": reply.wire["blocks"],
            "buttons": [{"id": secrets.token_urlsafe(_BUTTON_BYTES), "title": button["title"]} for button in reply.buttons],
            "rows": rows.issued(custom.get("rows", ()), self._core.assistant.protocol.danger_check),
            "sources": custom.get("sources", []),
            "about": custom.get("about"),
            "topic": custom.get("topic"),
            "findings": custom.get("findings", []),
            "understood": _with_spans(custom.get("understood", {}), text),
            "conversation": outcome.conversation.to_slots(),
        }


def rows_of(message: Event) -> dict[str, str]:
    """The rows of the danger check that a message answered one by one, row -> `yes`, `no` or `unsure`."""
    return dict(message.facts.get("rows", {}))


def _codes(protocol: Protocol, outcome: _Outcome) -> list[list[str]]:
    """Code and status of what the message said, and of what came with it: a tapped row is no word of it.

    What only counts as present, because a question was not answered or the answer not understood, is `assumed`.
    """
    after, assumed = outcome.conversation, _assumed(protocol, outcome)
    heard = [(finding["code"], finding["status"]) for finding in _heard(outcome)]
    new = after.has("present") - outcome.before.has("present") - set(assumed)
    told = [(protocol.findings[each].code, PRESENT) for each in sorted(new & protocol.findings.keys()) if after.evidence.get(each)]
    counted = [(code, ASSUMED) for each in assumed if ((code := protocol.findings[each].code), PRESENT) not in (*heard, *told)]
    return [list(each) for each in dict.fromkeys([*heard, *told, *counted])]


def _assumed(protocol: Protocol, outcome: _Outcome) -> list[str]:
    """Findings that count as present from now on, because a question was not answered, or its answer not understood."""
    not_understood = protocol.say(_NOT_UNDERSTOOD) in (block.text for block in outcome.reply.blocks)
    if outcome.cause != BROKEN_OFF and not not_understood:
        return []
    told = {finding.get("finding") for finding in _heard(outcome) if finding["status"] == PRESENT}
    new = outcome.conversation.has("present") - outcome.before.has("present") - told
    return sorted(new & protocol.findings.keys())


def _heard(outcome: _Outcome) -> Sequence[Mapping[str, Any]]:
    """What the message said, finding by finding."""
    return outcome.reply.custom.get("understood", {}).get("findings", ())  # type: ignore[no-any-return]


async def _acquired(lock: asyncio.Lock, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await lock.acquire()
    except TimeoutError:
        return False


def _with_spans(understood: Mapping[str, Any], text: str) -> dict[str, Any]:
    """How the message was read, each finding with the place of its evidence in the text: the core's own, where it gave one."""
    findings = []
    for finding in understood.get("findings", ()):
        start = text.find(finding["evidence"])
        found = [start, start + len(finding["evidence"])] if start >= 0 else None
        findings.append({**finding, "span": finding.get("span", found)})
    return {**understood, "findings": findings}
