"""Another channel is an adapter: messages by telephone number go the way of the web chat's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import pytest

from aftercare.protocol import Key
from gateway.errors import RefusedError
from gateway.patient.receiving import Receiver
from gateway.records.store import Event, Session
from gateway.services import Services
from tests.gateway.support import RED_FLAG, Door


@dataclass
class TextMessage:
    """A message from a telephone; who has no chat yet gets one."""

    services: Services
    number: str
    text: str
    tokens: dict[str, str]
    client_id: str = "text-message-1"
    button: str | None = None
    rows: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None

    @property
    def where(self) -> str:
        return self.number

    async def session(self) -> Session:
        if not self.number.startswith("+"):
            raise RefusedError(401, "unauthorized")
        records = self.services.records
        if self.number not in self.tokens:
            started = partial(records.start, bound=("vertebroplasty", "en"))
            nothing: dict[str, list[str]] = {"blocks": [], "buttons": [], "sources": []}
            self.tokens[self.number] = await asyncio.to_thread(started, "demo", nothing, "patient")
        session = await asyncio.to_thread(records.session, self.tokens[self.number])
        assert session is not None
        self.key = session.bound
        return session

    def bound(self) -> Key | None:
        return self.key


async def _sent(services: Services, message: TextMessage) -> list[Event]:
    received = await Receiver(services, message).receive()
    await services.answering.finish()
    return await asyncio.to_thread(services.records.events, received.session.conversation, received.seq)


def test_a_message_of_another_channel_is_stored_and_answered(door: Door) -> None:
    services = door.services
    tokens: dict[str, str] = {}
    answers = door.portal.call(_sent, services, TextMessage(services, "+15550100", RED_FLAG, tokens))
    assert [event.kind for event in answers] == ["answer"]
    assert answers[0].disposition == "emergency"
    assert list(tokens) == ["+15550100"]


def test_a_red_flag_of_a_sender_who_may_not_is_answered_all_the_same(door: Door) -> None:
    services = door.services
    with pytest.raises(RefusedError) as refused:
        door.portal.call(_sent, services, TextMessage(services, "anonymous", RED_FLAG, {}))
    assert refused.value.answer is not None
    assert refused.value.answer["disposition"] == "emergency"
