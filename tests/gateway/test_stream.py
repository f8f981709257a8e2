"""The stream of events of a real server: every event once, in order, also after the connection was lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.gateway.support import API, HOME, Clock, Door, Json, Patient, ScriptedRasa, refused, served, stored

_SECONDS = 8.0


@pytest.fixture
def address(new_app: Callable[..., Any]) -> Iterator[str]:
    app = new_app()
    with served(app) as url:
        yield url


@pytest.fixture
def patient(address: str) -> Iterator[Patient]:
    with httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False) as client:
        started = client.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME})
        yield Patient(client, started.json())


def eventually(holds: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether something comes to hold within a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not holds():
        time.sleep(0.1)
    return holds()


class Stream:
    """An open stream; iterating gives its events as kind, id and data."""

    def __init__(self, patient: Patient, last: str | None = None) -> None:
        headers = {**patient.headers, "Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        self._opened = patient.client.stream("GET", f"{API}/session/stream", headers=headers)
        self.response = self._opened.__enter__()
        self._lines = self.response.iter_lines()

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    def __iter__(self) -> Iterator[tuple[str, str | None, Json]]:
        kind, place, data = "", None, ""
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "id":
                place = value
            elif name == "data":
                data += value
            elif not line and data:
                yield kind, place, json.loads(data)
                kind, place, data = "", None, ""

    def until(self, kind: str) -> list[tuple[str, str | None, Json]]:
        """The events up to the first of this kind."""
        found = []
        for event in self:
            found.append(event)
            if event[0] == kind:
                return found
        raise AssertionError(f"the stream closed before {kind}: {found}")


def test_the_stream_begins_with_the_state_and_what_was_said(patient: Patient) -> None:
    with closing(Stream(patient)) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["x-accel-buffering"] == "no"
        session, greeting = stream.until("greeting")
    assert session[:2] == ("session", None)
    assert session[2]["ended"] is False
    assert greeting[1] == "1"
    assert greeting[2]["blocks"]


def test_messages_and_answers_come_as_they_happen(patient: Patient) -> None:
    with closing(Stream(patient)) as stream:
        stream.until("greeting")
        sent = time.monotonic()
        patient.send("I have chest pain", "message-1")
        found = [event for event in stream.until("answer") if event[0] != "session"]
        assert time.monotonic() - sent < 1.5
    assert [(kind, place) for kind, place, _ in found] == [("message", "2"), ("answer", "3")]
    assert found[0][2]["text"] == "I have chest pain"
    assert found[1][2]["disposition"] == "emergency"


def test_the_stream_and_the_transcript_tell_the_same(patient: Patient) -> None:
    patient.say("My legs feel weak")
    with closing(Stream(patient)) as stream:
        streamed = [data for kind, _, data in stream.until("answer") if kind != "session"]
    asked = [{key: value for key, value in event.items() if value is not None} for event in patient.events()]
    assert streamed == asked


def test_a_new_state_is_told(patient: Patient) -> None:
    with closing(Stream(patient)) as stream:
        stream.until("greeting")
        patient.ask("PUT", "/writer", json={"writer": "helper"})
        found = stream.until("writer")
    assert [data["writer"] for kind, _, data in found if kind == "session"] == ["helper"]


def test_the_state_is_told_again_when_the_clinic_closes(address: str, clock: Clock) -> None:
    clock.travel_to(datetime(2030, 5, 13, 20, 59, tzinfo=UTC))
    with httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False) as client:
        late = Patient(client, client.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME}).json())
        with closing(Stream(late)) as stream:
            begun = stream.until("greeting")
            clock.travel(minutes=2)
            closed = stream.until("session")
    assert [data["to_call"] for kind, _, data in begun + closed if kind == "session"] == ["clinic", "after_hours"]


def test_a_message_moves_the_chats_end_before_its_answer_and_once(patient: Patient) -> None:
    """Every window of the chat is told; when the stream looks again, it finds nothing new."""
    with closing(Stream(patient)) as stream:
        stream.until("greeting")
        time.sleep(0.1)
        end = patient.send("The needle site is sore").json()["session"]["idle_expires_at"]
        first = stream.until("answer")
        time.sleep(2.5)
        patient.ask("PUT", "/writer", json={"writer": "helper"})
        later = stream.until("writer")
    assert [data["idle_expires_at"] for kind, _, data in first if kind == "session"] == [end]
    assert [data["writer"] for kind, _, data in later if kind == "session"] == ["helper"]


@pytest.mark.parametrize("last", [1, 2, 3, 4, 5])
def test_after_a_lost_connection_comes_what_was_missed_and_no_more(last: int, patient: Patient) -> None:
    patient.say("The needle site is sore")
    patient.say("Thank you")
    patient.send("I have a fever of 101.5 F")
    with closing(Stream(patient, str(last))) as stream:
        places = []
        for _, place, _ in stream:
            places += [int(place)] if place else []
            if places and places[-1] == 7:
                break
    assert places == list(range(last + 1, 8))


def test_ten_messages_come_in_order_without_a_double(patient: Patient, rasa: ScriptedRasa) -> None:
    rasa.after(0.02)
    with closing(Stream(patient)) as stream:
        sent = [stored(patient.send(f"The needle site is sore {number}")) for number in range(10)]
        places, answered = [], set()
        for kind, place, data in stream:
            places += [int(place)] if place else []
            answered |= {data["reply_to"]} if kind == "answer" else set()
            if len(answered) == len(sent):
                break
    assert answered == set(sent)
    assert places == list(range(1, 22))


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "99999999999", "1, 2"])
def test_a_place_that_is_none_is_refused(last: str, patient: Patient) -> None:
    refused(patient.ask("GET", "/stream", headers={"Last-Event-ID": last}), 422)


def test_the_end_of_the_chat_ends_the_stream(patient: Patient) -> None:
    with closing(Stream(patient)) as stream:
        stream.until("greeting")
        ended = time.monotonic()
        patient.ask("DELETE", "")
        found = list(stream)
        assert time.monotonic() - ended < 1.5
    assert found[-1][:2] == ("ended", None)
    assert found[-1][2]["ended"] is True


def test_a_chat_that_runs_out_ends_the_stream(patient: Patient, clock: Clock) -> None:
    with closing(Stream(patient)) as stream:
        stream.until("greeting")
        clock.travel(minutes=31)
        found = list(stream)
    assert found[-1][0] == "ended"
    assert found[-1][2]["ended"] is False


def test_a_stopping_gateway_ends_its_streams(new_app: Callable[..., Any]) -> None:
    with served(new_app()) as url, httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False) as client:
        started = client.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME})
        stream = Stream(Patient(client, started.json()))
        stream.until("greeting")
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 6
    stream.close()


def test_the_page_of_another_clinic_gets_no_stream(patient: Patient, door: Door) -> None:
    refused(patient.ask("GET", "/stream", headers={"Origin": "https://evil.example"}), 403, "forbidden")


def test_of_a_fourth_stream_the_oldest_ends(patient: Patient, address: str) -> None:
    """A token that somebody stole, or a page that opens streams again and again, holds no more of the gateway than that."""
    with httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=40)) as client:
        same = Patient(client, patient.started)
        with ExitStack() as opened:
            streams = []
            for _ in range(5):
                streams.append(opened.enter_context(closing(Stream(same))))
                streams[-1].until("greeting")
            for oldest in streams[:2]:
                found = list(oldest)
                assert found[-1][0] == "crowded"
            assert same.say("The needle site is sore")["check"]["waits"]
            for kept in streams[2:]:
                assert kept.until("answer")[-1][2]["check"]["waits"]
