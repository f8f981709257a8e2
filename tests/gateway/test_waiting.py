"""Whoever waits for an answer is told of it at once."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.dialogue.answering import Answering
from tests.gateway.support import Door, Json, Patient, stored


def test_nobody_waits_without_wishing_to(patient: Patient) -> None:
    started = time.monotonic()
    assert patient.events(after=1) == []
    assert time.monotonic() - started < 0.5


def test_waiting_ends_when_nothing_comes(patient: Patient) -> None:
    started = time.monotonic()
    assert patient.events(after=1, wait=1) == []
    assert 0.9 < time.monotonic() - started < 1.8


def test_an_answer_wakes_whoever_waits_at_once(door: Door, patient: Patient) -> None:
    door.rasa.after(0.6)
    seq = stored(patient.send("The needle site is sore"))
    sent = time.monotonic()
    (answer,) = patient.events(after=seq, wait=10)
    assert answer["reply_to"] == seq
    assert time.monotonic() - sent < 1.1


def test_every_window_of_the_chat_is_woken(door: Door, patient: Patient) -> None:
    door.rasa.after(0.6)
    seq = stored(patient.send("The needle site is sore"))
    sent = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda _: patient.events(after=seq, wait=10), range(5)))
    assert time.monotonic() - sent < 1.4
    assert all(events == found[0] and events[0]["reply_to"] == seq for events in found)


@pytest.mark.parametrize("change", ["message", "writer"])
def test_what_happens_in_another_window_wakes_too(change: str, patient: Patient) -> None:
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        waiting = pool.submit(patient.events, 1, 10)
        time.sleep(0.3)
        if change == "message":
            patient.send("The needle site is sore")
        else:
            patient.ask("PUT", "/writer", json={"writer": "helper"})
        assert waiting.result()[0]["kind"] == change
    assert time.monotonic() - started < 1.2


def test_an_answer_that_comes_just_before_the_waiting_begins_is_not_missed(
    door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is stored, and an event published, after the last look and before the waiting."""
    name, event_bus = door.name(patient), door.services.event_bus
    message, _ = door.records.add_message(name, "message-1", "The needle site is sore")

    async def recover(_: Answering, who: str | None = None) -> None:
        words: Json = {"blocks": [], "buttons": [], "sources": []}
        await asyncio.to_thread(door.records.add_answer, name, message.seq, {"type": "chat"}, words, None)
        event_bus.publish(name)

    monkeypatch.setattr(Answering, "recover", recover)
    started = time.monotonic()
    (answer,) = patient.events(after=message.seq, wait=10)
    assert answer["reply_to"] == message.seq
    assert time.monotonic() - started < 1


def test_an_answer_by_another_process_is_found_soon(door: Door, patient: Patient) -> None:
    name = door.name(patient)
    message, _ = door.records.add_message(name, "message-1", "The needle site is sore")
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        waiting = pool.submit(patient.events, message.seq, 10)
        time.sleep(0.3)
        door.records.add_answer(name, message.seq, {"type": "chat"}, {"blocks": [], "buttons": [], "sources": []}, None)
        assert waiting.result()[0]["kind"] == "answer"
    assert time.monotonic() - started < 3.5


def test_whoever_waits_is_let_go_when_the_gateway_stops(door: Door, patient: Patient) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient.events, 1, 20)
        time.sleep(0.3)
        door.portal.call(door.services.event_bus.close)
        started = time.monotonic()
        assert waiting.result() == []
    assert time.monotonic() - started < 1


def test_one_chat_does_not_hold_any_number_of_waiting_requests(door: Door, patient: Patient) -> None:
    with ThreadPoolExecutor(40) as pool:
        responses = list(pool.map(lambda _: patient.ask("GET", "/events", params={"after": 1, "wait": 2}), range(40)))
    statuses = [response.status_code for response in responses]
    assert 429 in statuses
    assert statuses.count(200) >= 16
    assert all(response.headers["retry-after"] for response in responses if response.status_code == 429)
