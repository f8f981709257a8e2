from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from rasa.core.channels.channel import UserMessage

from rasa_ext import core
from rasa_ext.channel import PatientInput

SECONDS_A_TURN, CROWD = 0.1, 40


async def test_a_crowd_waits_for_rasa_instead_of_being_answered_without_it() -> None:
    busy = asyncio.Lock()
    answered = {"type": "faq", "topic": "duration", "sources": []}

    async def one_turn_at_a_time(message: UserMessage) -> None:
        async with busy:
            await asyncio.sleep(SECONDS_A_TURN)
        assert message.output_channel is not None
        await message.output_channel.send_response(message.sender_id, {"text": "an answer", "custom": dict(answered)})

    core.readers().warm()
    channel, agent = PatientInput(), SimpleNamespace(tracker_store=None)
    turns = (channel._turn(_as_any(agent), one_turn_at_a_time, f"patient {number}", "how long does it take") for number in range(CROWD))
    replies = await asyncio.gather(*turns)
    assert [reply.custom for reply in replies] == [answered] * CROWD


def _as_any(value: object) -> Any:
    return value
