"""Words with a red flag are answered whatever refuses them, and stored wherever there is a chat to store them in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.limiting import Limiter
from gateway.records.sealing import Keyring, SealError
from gateway.records.store import Records
from gateway.settings import LARGEST_BODY, LONGEST_TEXT
from tests.gateway.support import API, HOME, RED_FLAG, Clock, Door, Json, Patient, is_emergency, new_id, refused, stored
from tests.gateway.test_limits import limits

_FILLER = "It was a long day and the weather was nice. "


def _long(characters: int, end: str = "") -> str:
    return (_FILLER * (characters // len(_FILLER) + 1))[: characters - len(end)] + end


def _check_alarm(body: Json) -> None:
    """An error that says all the same what the emergency is."""
    answer = body["answer"]
    assert is_emergency(answer)
    assert "seq" not in answer
    assert answer["buttons"] == []
    assert answer["sources"]
    assert "911" in answer["blocks"][0]["text"]


def _post(door: Door, headers: dict[str, str], **body: object) -> Any:
    return door.client.post(f"{API}/session/messages", json={"client_id": new_id(), **body}, headers={"Origin": HOME, **headers})


def test_a_limited_patient_is_stored_and_answered(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(message_session="1 per minute"))
    patient = door.patient()
    patient.say("The needle site is sore")
    refused(patient.send("Thank you"), 429, "rate_limited")
    heard = len(door.rasa.heard)
    response = patient.send(RED_FLAG)
    assert response.status_code == 202
    answer = patient.answer_to(stored(response))
    assert is_emergency(answer)
    assert patient.texts() == ["The needle site is sore", RED_FLAG]
    assert door.stored(patient)[3].facts == {"refused": "rate_limited"}
    assert door.recorded(patient, answer["reply_to"]).facts["cause"] == "rate_limited"
    assert len(door.rasa.heard) == heard


def test_a_patient_in_maintenance_is_stored_and_answered(open_door: Callable[..., Door], door: Door) -> None:
    patient = door.patient()
    closed = Patient(open_door(maintenance=True).client, patient.started)
    assert is_emergency(closed.say(RED_FLAG))
    assert closed.texts() == [RED_FLAG]


def test_an_oversized_message_is_refused_and_not_stored(door: Door, patient: Patient) -> None:
    text = _long(LONGEST_TEXT + 1)
    assert "answer" not in refused(patient.send(text, "message-1"), 413, "too_long")
    assert patient.texts() == []
    assert patient.say(text[:LONGEST_TEXT])["blocks"]
    assert patient.texts() == [text[:LONGEST_TEXT]]


@pytest.mark.parametrize("characters", [LONGEST_TEXT + 1, 8_000, 60_000])
def test_a_red_flag_at_the_end_of_an_oversized_message_is_stored_and_answered(characters: int, door: Door, patient: Patient) -> None:
    text = _long(characters, " I have chest pain.")
    response = patient.send(text)
    assert response.status_code == 202
    assert is_emergency(patient.answer_to(stored(response)))
    assert patient.texts() == [text]
    assert door.stored(patient)[1].facts == {"refused": "too_long"}


@pytest.mark.parametrize("position", [3_590, 3_990, 4_010, 7_200, 30_000])
def test_a_red_flag_is_found_wherever_it_stands_in_a_long_message(position: int, patient: Patient) -> None:
    text = _long(position) + " I have chest pain. " + _long(10_000)
    assert is_emergency(patient.say(text))


def test_a_body_beyond_the_limit_is_refused_with_the_safety_card(door: Door, patient: Patient) -> None:
    body = json.dumps({"client_id": new_id(), "text": "x" * LARGEST_BODY}).encode()
    headers = {"Content-Type": "application/json"}
    refused(patient.ask("POST", "/messages", content=body, headers=headers), 413, "too_long")
    refused(door.client.post(f"{API}/sessions", content=body, headers={"Origin": HOME, **headers}), 413, "too_long")
    assert patient.texts() == []
    assert patient.settled("The needle site is sore")["disposition"] == "self_care"


def test_a_body_just_within_the_limit_is_taken(patient: Patient) -> None:
    empty = len(json.dumps({"client_id": "message-00000000", "text": ""}))
    text = _long(LARGEST_BODY - empty, " I have chest pain.")
    assert is_emergency(patient.say(text))


def test_a_chat_that_ran_out_answers_and_stores_a_red_flag(door: Door, patient: Patient, clock: Clock) -> None:
    clock.travel(minutes=31)
    assert "answer" not in refused(patient.send("Thank you"), 401, "session_expired")
    _check_alarm(refused(patient.send(RED_FLAG), 401, "session_expired"))
    end = time.monotonic() + 3
    while time.monotonic() < end and door.records.unanswered(door.name(patient)):
        time.sleep(0.02)
    _, message, answer = door.stored(patient)[1:]
    assert message.words == {"text": RED_FLAG}
    assert message.facts == {"refused": "session_expired"}
    assert answer.disposition == "emergency"


def test_an_ended_chat_answers_and_stores_a_red_flag(door: Door, patient: Patient) -> None:
    patient.ask("DELETE", "")
    _check_alarm(refused(patient.send(RED_FLAG), 401, "session_ended"))
    assert door.stored(patient)[2].words == {"text": RED_FLAG}


def test_a_red_flag_sent_again_to_a_closed_chat_is_refused_and_answered_again(patient: Patient, clock: Clock) -> None:
    clock.travel(minutes=31)
    for _ in range(3):
        _check_alarm(refused(patient.send(RED_FLAG, "message-1"), 401, "session_expired"))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer unknown"}, {"Authorization": "Basic YTpi"}])
def test_a_red_flag_without_a_known_token_is_answered(headers: dict[str, str], door: Door) -> None:
    _check_alarm(refused(_post(door, headers, text=RED_FLAG), 401, "unauthorized"))
    assert "answer" not in refused(_post(door, headers, text="Thank you"), 401, "unauthorized")


def test_a_red_flag_from_a_foreign_page_is_answered_and_not_stored(door: Door, patient: Patient) -> None:
    foreign = Patient(door.client, patient.started, "https://evil.example")
    _check_alarm(refused(foreign.send(RED_FLAG), 403, "forbidden"))
    assert patient.texts() == []


def test_a_flood_of_refused_messages_is_no_longer_read(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(refused_address="3 per minute"))
    bodies = [refused(_post(door, {}, text=RED_FLAG), 401, "unauthorized") for _ in range(5)]
    assert ["answer" in body for body in bodies] == [True] * 3 + [False] * 2


def test_a_flood_of_refused_messages_does_not_touch_who_is_not_refused(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(refused_address="1 per minute"))
    for _ in range(3):
        _post(door, {}, text=RED_FLAG)
    assert is_emergency(door.patient().say(RED_FLAG))


def _broken(*_: object, **__: object) -> Any:
    raise RuntimeError("broken")


def _unsealed(*_: object, **__: object) -> Any:
    raise SealError("no key")


_BREAKS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "the limits cannot be counted": (Limiter, "wait", _broken),
    "the chat's key cannot be unwrapped": (Keyring, "unwrap", _unsealed),
    "the session cannot be looked up": (Records, "session", _broken),
    "the message cannot be added": (Records, "add", _broken),
}


@pytest.mark.parametrize("broken", _BREAKS)
def test_a_red_flag_is_answered_when_something_breaks(broken: str, open_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch) -> None:
    started = open_door().patient().started
    patient = Patient(open_door().client, started)
    owner, name, act = _BREAKS[broken]
    monkeypatch.setattr(owner, name, act)
    response = patient.send(RED_FLAG)
    if response.status_code == 202:
        monkeypatch.undo()
        assert is_emergency(patient.answer_to(stored(response)))
    else:
        assert response.status_code in (500, 503)
        _check_alarm(refused(response, response.status_code))


def test_what_is_no_alarm_gets_none(patient: Patient) -> None:
    patient.ask("DELETE", "")
    for text in ("What if I get chest pain?", "No chest pain", "The needle site is sore", "I have a fever of 101.5"):
        assert "answer" not in refused(patient.send(text), 401, "session_ended"), text
