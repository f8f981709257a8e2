from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Key
from rasa_ext import in_force
from rasa_ext.action_endpoint import LocalActions
from rasa_ext.channel import PatientInput
from rasa_ext.request import BadRequestError, Received, parse
from readers.shared import readers

SECONDS_A_TURN, CROWD = 0.1, 40
ASKED = Conversation(pending="danger_check", checks=["chest_pain", "walking"])
ANSWERED = {"type": "faq", "topic": "duration", "sources": [], "protocol": {"id": "vertebroplasty", "version": "0"}}


def _received(sender: str = "patient", text: str = "", conversation: Conversation | None = None, **answers: str) -> Received:
    return Received(sender, text, conversation, answers)


def _agent(kept: Conversation | None) -> Any:
    """An agent that remembers one conversation of everybody, or whose store is broken."""

    async def fetch(_: str) -> Any:
        if kept is None:
            raise OSError("the store is broken")
        return SimpleNamespace(current_slot_values=kept.to_slots)

    return SimpleNamespace(
        tracker_store=None, lock_store=SimpleNamespace(lock=_Lock), processor=SimpleNamespace(fetch_tracker_with_initial_session=fetch)
    )


class _Lock:
    def __init__(self, _: str) -> None: ...

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def _core(channel: PatientInput) -> Assistant:
    return channel._assistants.default


@pytest.fixture(scope="module")
def channel() -> PatientInput:
    return PatientInput()


async def test_a_crowd_waits_for_rasa_instead_of_being_answered_without_it() -> None:
    busy = asyncio.Lock()

    async def one_turn_at_a_time(message: UserMessage) -> None:
        async with busy:
            await asyncio.sleep(SECONDS_A_TURN)
        assert message.output_channel is not None
        await message.output_channel.send_response(message.sender_id, {"text": "an answer", "custom": dict(ANSWERED)})

    readers().warm()
    channel = PatientInput()
    crowd = (_received(f"patient {number}", "how long does it take") for number in range(CROWD))
    replies = await asyncio.gather(*(channel._turn(_agent(None), one_turn_at_a_time, each, _core(channel)) for each in crowd))
    assert [reply.custom for reply in replies] == [ANSWERED] * CROWD


async def test_rasa_gets_the_answered_rows_with_the_words(channel: PatientInput) -> None:
    heard: list[UserMessage] = []

    async def listen(message: UserMessage) -> None:
        heard.append(message)
        await message.output_channel.send_response(message.sender_id, {"text": "an answer", "custom": dict(ANSWERED)})

    await channel._turn(_agent(ASKED), listen, _received(text="how long does it take", chest_pain="no"), _core(channel))
    await channel._turn(_agent(ASKED), listen, _received(text="how long does it take"), _core(channel))
    with_rows, without = (message.metadata or {} for message in heard)
    assert with_rows["answers"] == {"chest_pain": "no"}
    assert "answers" not in without


async def test_each_turn_finds_the_action_where_it_runs(channel: PatientInput) -> None:
    """Rasa makes a new agent, and a new processor in it, when a model is loaded while it runs."""
    heard: list[Any] = []
    agents = [_agent(ASKED), _agent(ASKED)]
    for agent in agents:

        async def listen(message: UserMessage, agent: Any = agent) -> None:
            heard.append(agent.processor.action_endpoint)
            await message.output_channel.send_response(message.sender_id, {"text": "an answer", "custom": dict(ANSWERED)})

        await channel._turn(agent, listen, _received(text="how long does it take"), _core(channel))
        assert agent.action_endpoint is agent.processor.action_endpoint
    assert heard == [channel._actions] * 2
    assert isinstance(channel._actions, LocalActions)


async def test_the_moment_of_a_message_travels_with_it(channel: PatientInput, monkeypatch: pytest.MonkeyPatch) -> None:
    night = datetime(2026, 3, 3, 4, 30, tzinfo=timezone.utc)
    heard: list[UserMessage] = []
    days: list[date] = []
    read = in_force.read

    def reading(key: Key, text: str, today: date) -> Any:
        days.append(today)
        return read(key, text, today)

    async def listen(message: UserMessage) -> None:
        heard.append(message)
        raise OSError

    monkeypatch.setattr(_core(channel), "clock", lambda: night)
    monkeypatch.setattr(in_force, "read", reading)
    reply = await channel._turn(_agent(None), listen, _received(text="my back hurts, they did it yesterday"), _core(channel))
    assert [message.metadata for message in heard] == [{"protocol": "vertebroplasty", "language": "en", "at": night.isoformat()}]
    assert days == [date(2026, 3, 2)], "the clinic's day, not that of UTC"
    assert reply.custom["conversation"]["procedure_day"] == "2026-03-01"


@pytest.mark.parametrize("kept_by", ["the store", "the caller"])
async def test_rows_that_do_not_wait_are_refused(channel: PatientInput, kept_by: str) -> None:
    agent, told = (_agent(ASKED), None) if kept_by == "the store" else (_agent(Conversation()), ASKED)
    await channel._assistant(agent, _received(conversation=told, chest_pain="no", walking="unsure"))
    for wrong in ({"bleeding": "no"}, {"chest_pain": "maybe"}, {"chest_pain": "no", "nonsense": "no"}):
        with pytest.raises(BadRequestError, match="waits"):
            await channel._assistant(agent, _received(conversation=told, **wrong))


async def test_where_nothing_waits_every_row_is_refused_and_words_alone_are_not(channel: PatientInput) -> None:
    await channel._assistant(_agent(Conversation()), _received(text="hello"))
    with pytest.raises(BadRequestError, match="chest_pain"):
        await channel._assistant(_agent(Conversation()), _received(chest_pain="no"))


async def test_a_yes_is_heard_when_the_store_is_broken(channel: PatientInput) -> None:
    async def never(_: UserMessage) -> None:
        raise OSError

    yes = _received(walking="yes")
    await channel._assistant(_agent(None), yes)
    reply = await channel._turn(_agent(None), never, yes, _core(channel))
    assert reply.custom["disposition"] == "emergency"
    assert reply.custom["stored"] is False
    with pytest.raises(BadRequestError, match="nonsense"):
        await channel._assistant(_agent(None), _received(nonsense="yes"))


@pytest.mark.parametrize("answers", ["yes", ["chest_pain"], 5, {"chest_pain": True}, {"chest_pain": None}, {"chest_pain": ["no"]}])
def test_answers_that_are_no_rows_are_told_what_to_send(answers: object) -> None:
    with pytest.raises(BadRequestError, match="'answers' must be an object, row -> 'yes', 'no' or 'unsure'"):
        parse(_request(answers=answers))


def test_a_message_may_be_left_out_beside_answers() -> None:
    assert parse(_request(answers={"chest_pain": "no"})) == _received(chest_pain="no")


def _request(**body: object) -> bytes:
    return json.dumps({"sender": "patient", **body}).encode()
