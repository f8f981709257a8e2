"""Asking Rasa over the wire contract."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from aftercare import wire
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply

_HEALTH = "/webhooks/rest/"
_PATH = "/webhooks/rest/webhook"
_MOST_CONNECTIONS = 64
_REST_SECONDS = 5.0
_SLOW_SECONDS = 2.5
_KEEP_SECONDS = 2.0
_LOOK_SECONDS = 1.0
_ABOUT_TURN: dict[str, Any] = {"conversation": None, "model": "", "stored": True, "begun": False}


class RasaError(RuntimeError):
    """Rasa gave no answer that counts.

    Attributes:
        cause: `down`, `slow`, `raised`, `invalid`, `forgotten`, or `other_protocol`, it is not the conversation's that answered.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Answered:
    """Rasa's answer.

    Attributes:
        conversation: how the conversation stands behind the reply.
        model: the id of the model that gave it.
        kept: Rasa itself will remember.
        begun: Rasa knew nothing of the conversation when it was asked.
    """

    reply: Reply
    conversation: Conversation
    model: str
    kept: bool
    begun: bool = False


class Wire:
    """HTTP over connections that are kept."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request with a JSON body, and return the answer's status and body.

        Raises:
            ClientError: the connection failed.
        """
        if self._session is None:
            connector = TCPConnector(limit_per_host=_MOST_CONNECTIONS, keepalive_timeout=_KEEP_SECONDS)
            self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=None))
        async with self._session.request(method, url, json=body, allow_redirects=False) as response:
            return response.status, await response.read()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class Rasa:
    """Rasa's workers. Each conversation has one of them for its home, the same for every gateway, whose lock keeps its turns apart.

    Where a worker is down, the message goes to the conversation's next one, with how the conversation stands. A worker that was down
    or silent rests: for some seconds it is asked last.

    Args:
        urls: where the workers listen, such as http://127.0.0.1:5005. They share one tracker store.
        wire: tests may bring their own.
    """

    def __init__(self, urls: Sequence[str], wire: Wire | None = None) -> None:
        self._rests_until = dict.fromkeys(urls, 0.0)
        self._wire = wire or Wire()

    async def ask(
        self,
        sender: str,
        text: str,
        conversation: Conversation,
        seconds: float,
        *,
        known: bool,
        answers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Hand a message over and return the answer.

        Args:
            sender: the conversation's id.
            text: what the patient typed.
            conversation: how it stands, bound to a protocol and a language; Rasa always gets both.
            seconds: how long to wait.
            known: Rasa has its state; else the state is sent.
            answers: rows of the danger check that were answered one by one, row -> `yes`, `no` or `unsure`.

        Raises:
            RasaError: no answer, none in time, or none that keeps the contract.
        """
        home, *others = self._by_nearness(sender)
        now = time.monotonic()
        error = RasaError("down")
        try:
            async with asyncio.timeout(seconds):
                for url in sorted((home, *others), key=lambda each: self._rests_until[each] > now):
                    at_home = url == home
                    try:
                        answered = await self._ask(url, sender, text, conversation, answers, known=known and at_home)
                    except RasaError as failed:
                        error = failed
                        if error.cause != "down":
                            break
                    else:
                        return answered if at_home else replace(answered, kept=False)
        except TimeoutError:
            raise RasaError("slow") from None
        raise error

    async def _ask(
        self, url: str, sender: str, text: str, conversation: Conversation, answers: Mapping[str, str] | None, *, known: bool
    ) -> Answered:
        message: dict[str, Any] = {"sender": sender, "message": text, "protocol": conversation.protocol, "language": conversation.language}
        if answers:
            message["answers"] = dict(answers)
        if not known:
            message["conversation"] = conversation.to_slots()
        asked = time.monotonic()
        try:
            status, body = await self._wire.send("POST", url + _PATH, message)
        except asyncio.CancelledError:  # the time is up
            if time.monotonic() - asked > _SLOW_SECONDS:
                self._rests_until[url] = time.monotonic() + _REST_SECONDS
            raise
        except Exception:  # whatever the connection died of
            self._rests_until[url] = time.monotonic() + _REST_SECONDS
            raise RasaError("down") from None
        self._rests_until[url] = 0.0
        if status != HTTPStatus.OK:
            raise RasaError("raised")
        answered = _checked(body)
        if not _is_of(answered.reply, conversation):
            raise RasaError("other_protocol")
        return answered

    def _by_nearness(self, sender: str) -> list[str]:
        """The workers from a conversation's home on; with one more or one less, few conversations move (rendezvous hashing)."""
        return sorted(self._rests_until, key=lambda url: hashlib.sha256(f"{url} {sender}".encode()).digest())

    async def up(self) -> tuple[int, int]:
        """How many workers are there, and how many there should be."""
        found = await asyncio.gather(*map(self._is_there, self._rests_until))
        return sum(found), len(found)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def _is_there(self, url: str) -> bool:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                status, _ = await self._wire.send("GET", url + _HEALTH)
        except Exception:  # whatever the connection died of
            return False
        return status == HTTPStatus.OK


def _is_of(reply: Reply, conversation: Conversation) -> bool:
    """Whether a reply is by the protocol, and in the language, that a conversation is bound to."""
    said = reply.custom["protocol"]["id"], reply.custom.get("language", conversation.language)
    return said == (conversation.protocol, conversation.language)


def _checked(body: bytes) -> Answered:
    """The answer, if it keeps the wire contract to the letter."""
    try:
        reply = wire.parse(json.loads(body))
        told = {name: reply.custom.get(name, default) for name, default in _ABOUT_TURN.items()}
        conversation = Conversation.parse(told["conversation"])
    except (ValueError, RecursionError):
        raise RasaError("invalid") from None
    said = Reply(reply.blocks, {key: value for key, value in reply.custom.items() if key not in _ABOUT_TURN})
    return Answered(said.without("not_stored"), conversation, told["model"], told["stored"], told["begun"])
