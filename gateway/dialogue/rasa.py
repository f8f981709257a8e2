"""Asking Rasa over the wire contract."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply

_PATH = "/webhooks/rest/webhook"


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Source(_Part):
    section: str
    quote: str


class _Finding(_Part):
    finding: str
    code: str
    status: str
    evidence: str


class _Button(_Part):
    title: str


class _Understood(_Part):
    findings: list[_Finding]


class _Protocol(_Part):
    id: str
    version: str


class _Custom(_Part):
    type: Literal["triage", "question", "faq", "not_in_leaflet", "chat", "out_of_scope"]
    disposition: Literal["emergency", "call_doctor", "self_care"] | None = None
    rules: list[str] = []
    findings: list[_Finding] = []
    sources: list[_Source] = []
    buttons: list[_Button] = []
    about: str | None = None
    understood: _Understood = _Understood(findings=[])
    protocol: _Protocol
    conversation: dict[str, Any]
    model: str = ""
    stored: bool = True

    @model_validator(mode="after")
    def triage_says_what_to_do(self) -> _Custom:
        if (self.type == "triage") != (self.disposition is not None):
            raise ValueError("a triage, and nothing else, has a disposition")
        return self


class _Message(_Part):
    text: str | None = None
    custom: _Custom | None = None


_MESSAGES = TypeAdapter(list[_Message])


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
        except Exception:  # whatever the connection died of
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
    """The answer, if it keeps the wire contract to the letter; whoever does not is not believed."""
    try:
        messages = _MESSAGES.validate_json(response.content, strict=True)
        (custom,) = (message.custom for message in messages if message.custom)
        text = "\n\n".join(message.text for message in messages if message.text)
        if not text.strip():
            raise ValueError("no text")
        conversation = Conversation.parse(custom.conversation)
    except ValueError:
        raise RasaError("invalid") from None
    said = custom.model_dump(exclude={"conversation", "model", "stored"}, exclude_unset=True)
    return Answered(Reply.from_wire(text, said).without("not_stored"), conversation, custom.model, custom.stored)
