"""Taking a patient's message: stored first, and read for red flags whatever else is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.dialogue import rows
from gateway.errors import RefusedError
from gateway.metrics import MESSAGES
from gateway.patient_copy import shown
from gateway.ports import Inbound
from gateway.records.store import ConflictError, Event, OvertakenError, Session
from gateway.services import Services
from gateway.settings import LONGEST_TEXT

UNAUTHORIZED = 401

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Received:
    """A message that has been stored."""

    session: Session
    seq: int
    new: bool


class _HeldBackError(Exception):
    """A message that is stored only if it holds a red flag."""

    def __init__(self, refusal: RefusedError) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Receiver:
    """Takes one message."""

    def __init__(self, gateway: Services, message: Inbound) -> None:
        self._gateway = gateway
        self._message = message
        self._read = False
        self._alarmed: Mapping[str, Any] | None = None

    async def receive(self) -> Received:
        """Store a message and begin its answer.

        Raises:
            RefusedError: it is refused; with the emergency answer where the words hold a red flag.
        """
        try:
            session = await self._message.session()
            try:
                return await self._receive(session)
            except _HeldBackError as held:
                return await self._held_back(session, held.refusal)
        except RefusedError as refusal:
            MESSAGES.labels(refusal.code).inc()
            refusal.answer = await self._alarm()
            raise
        except Exception as error:  # whatever broke, a red flag is answered
            code, status = ("not_stored", 503) if isinstance(error, SQLAlchemyError) else ("internal", 500)
            MESSAGES.labels(code).inc()
            _log.error("message not stored", error=type(error).__name__)
            raise RefusedError(status, code, answer=await self._alarm()) from None

    async def _receive(self, session: Session) -> Received:
        if session.is_over(self._gateway.records.clock()):
            raise _HeldBackError(RefusedError(UNAUTHORIZED, "session_ended" if session.ended else "session_expired"))
        try:
            await self._hold_back(session, self._message.text)
        except _HeldBackError:
            if await self._known(session) is None:
                raise
        if self._message.button is not None:
            title, behind = await self._pressed(session, self._message.button, await self._known(session))
            message, new = await self._store(session, self._message.client_id, title, {"button": self._message.button}, behind)
        else:
            answered, behind = await self._answered(session)
            message, new = await self._store(session, self._message.client_id, self._message.text, {}, behind, answered)
        if new:
            self._gateway.answering.begin(session.conversation, message)
            self._gateway.event_bus.publish(session.conversation, message)
        return Received(session.after(message.at) if new else session, message.seq, new)

    async def _known(self, session: Session) -> Event | None:
        """The message, if it was stored before."""
        return await asyncio.to_thread(self._gateway.records.message, session.conversation, self._message.client_id)

    async def _held_back(self, session: Session, refusal: RefusedError) -> Received:
        """Store and answer a message that is not handed on, if it holds a red flag."""
        if await self._alarm() is None:
            raise refusal
        if refusal.code == "session_expired" and not session.closed:
            await asyncio.to_thread(self._gateway.records.add, session.conversation, "expired", {})
        answered, behind = await self._answered(session)
        message, new = await self._store(session, self._message.client_id, self._message.text, {"refused": refusal.code}, behind, answered)
        if new:
            self._gateway.answering.begin(session.conversation, message, alone=refusal.code)
        if refusal.status == UNAUTHORIZED:
            raise refusal
        return Received(session, message.seq, new)

    async def _hold_back(self, session: Session, text: str) -> None:
        """Raise _HeldBackError when this message is not to be handed on to Rasa."""
        gateway = self._gateway
        if gateway.settings.maintenance:
            raise _HeldBackError(RefusedError(503, "maintenance"))
        embed = gateway.settings.embed_keys.get(session.embed_key)
        where = self._message.where
        seconds = await gateway.limiter.wait("message", embed=embed, session=session.conversation, address=where)
        if seconds:
            raise _HeldBackError(RefusedError(429, "rate_limited", retry_after=seconds))
        if len(text) > LONGEST_TEXT:
            raise _HeldBackError(RefusedError(413, "too_long"))

    async def _pressed(self, session: Session, button: str, known: Event | None) -> tuple[str, int | None]:
        """The title of a button of the last answer, and that answer's sequence number."""
        if known is not None and known.words is not None:
            return str(known.words["text"]), None
        answer = await asyncio.to_thread(self._gateway.records.last, session.conversation, "answer")
        buttons = answer.words["buttons"] if answer is not None and answer.words is not None else []
        title = next((each["title"] for each in buttons if each["id"] == button), None)
        if answer is None or title is None:
            raise RefusedError(409, "button_gone")
        return str(title), answer.seq

    async def _answered(self, session: Session) -> tuple[list[dict[str, str]], int | None]:
        """The rows of the last answer's danger check that the message answers, and that answer's number; its own again for a repeat."""
        if not self._message.rows:
            return [], None
        answer = await asyncio.to_thread(self._gateway.records.last, session.conversation, "answer")
        asked = answer.words.get("rows", []) if answer is not None and answer.words is not None else []
        found = rows.answered(self._message.rows, asked)
        if answer is not None and found is not None:
            return found, answer.seq
        if await self._known(session) is None:
            raise RefusedError(409, "button_gone")
        facts = rows.facts_of(self._message.rows, self._gateway.core.of(session.bound).protocol.danger_check)
        return [{"fact": fact, "text": "", "answer": answer} for fact, answer in facts.items()], None

    async def _store(
        self,
        session: Session,
        client_id: str,
        text: str,
        facts: Mapping[str, str],
        only_behind: int | None = None,
        answered: Sequence[Mapping[str, str]] = (),
    ) -> tuple[Event, bool]:
        add = self._gateway.records.add_message
        try:
            return await asyncio.to_thread(add, session.conversation, client_id, text, facts, only_behind, answered)
        except ConflictError:
            raise RefusedError(409, "conflict") from None
        except OvertakenError:
            raise RefusedError(409, "button_gone") from None

    async def _alarm(self) -> Mapping[str, Any] | None:
        """What the core alone says of refused words and rows, if they hold a red flag; a flood of them is no longer read.

        Where it is not known which conversation they are for, every protocol is asked.
        """
        text, bound = self._message.text, self._message.bound()
        if (text or self._message.rows) and not self._read and not await self._floods(text):
            try:
                reply = await self._gateway.core.alarm(bound, text, self._message.rows)
                self._alarmed = shown(reply) if reply else None
            except Exception as error:  # the refusal carries the safety card all the same
                _log.error("core failed", error=type(error).__name__)
        self._read = True
        return self._alarmed

    async def _floods(self, text: str) -> bool:
        try:
            pieces = 1 + len(text) // LONGEST_TEXT
            return await self._gateway.limiter.wait("refused", cost=pieces, address=self._message.where) > 0
        except Exception as error:  # counting failed: better read too much
            _log.error("limits failed", error=type(error).__name__)
            return False
