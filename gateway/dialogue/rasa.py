"""Asking Rasa over the wire contract."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply

_PATH = "/webhooks/rest/webhook"


class RasaError(RuntimeError):
    """Rasa gave no answer that counts.

    Attributes:
        cause: `down`, `slow`, `raised`, `invalid` or `forgotten`.
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
    """

    reply: Reply
    conversation: Conversation
    model: str
    kept: bool


class Rasa:
    """Rasa's address.

    Args:
        url: where Rasa listens, such as http://127.0.0.1:5005.
        client: tests may bring their own.
    """

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        self._client = client or httpx.AsyncClient(base_url=url, timeout=None, limits=limits, trust_env=False)

    async def ask(self, sender: str, text: str, conversation: Conversation | None, seconds: float) -> Answered:
        """Hand a message over and return the answer.

        Args:
            sender: the conversation's id.
            text: what the patient typed.
            conversation: how it stands, where it went on without Rasa; else None.
            seconds: how long to wait.

        Raises:
            RasaError: no answer, none in time, or none that keeps the contract.
        """
        message: dict[str, Any] = {"sender": sender, "message": text}
        if conversation is not None:
            message["conversation"] = conversation.to_slots()
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.post(_PATH, json=message)
        except TimeoutError:
            raise RasaError("slow") from None
        except httpx.HTTPError:
            raise RasaError("down") from None
        if response.status_code != httpx.codes.OK:
            raise RasaError("raised")
        return _checked(response)

    async def answers(self) -> bool:
        """Whether Rasa is there."""
        try:
            async with asyncio.timeout(1):
                return (await self._client.get("/webhooks/rest/")).is_success
        except (TimeoutError, httpx.HTTPError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _checked(response: httpx.Response) -> Answered:
    try:
        messages = response.json()
        payloads = [message["custom"] for message in messages if message.get("custom")]
        text = "\n\n".join(message["text"] for message in messages if message.get("text"))
        (custom,) = payloads
        if not text.strip() or not isinstance(custom["type"], str):
            raise ValueError("no text or no type")
        conversation, model, kept = Conversation.parse(custom.pop("conversation")), custom.pop("model", ""), custom.pop("stored", True)
        reply = Reply.from_wire(text, custom).without("not_stored")
        return Answered(reply, conversation, str(model), kept=kept is True)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RasaError("invalid") from None
