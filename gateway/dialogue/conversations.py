"""How the stored conversations stand, each by the protocol that answers it."""

from __future__ import annotations

import asyncio

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Key
from gateway.dialogue.binding import begun, resumed
from gateway.dialogue.core import Core
from gateway.records.store import Records


class Conversations:
    """How conversations stand.

    Args:
        records: where they are stored.
        core: the clinical core.
    """

    def __init__(self, records: Records, core: Core) -> None:
        self._records = records
        self._core = core

    def assistant_of(self, conversation: Conversation) -> Assistant:
        """The core for the protocol that a conversation is bound to."""
        return self._core.of(conversation.key)

    async def read(self, name: str) -> tuple[Conversation, bool]:
        """How a conversation stands, bound to the protocol that answers it, and whether Rasa knows."""
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

    async def is_gone(self, name: str, conversation: Conversation) -> bool:
        """Whether another protocol answers a conversation than the one that it is bound to."""
        return (await self._bound(name))[0] != conversation.protocol

    async def _bound(self, name: str) -> Key:
        """What a conversation is bound to, in force or not."""
        return await asyncio.to_thread(self._records.bound, name)
