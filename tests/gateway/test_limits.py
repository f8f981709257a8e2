"""Whoever asks too often has to wait, and is told for how long and whom to call meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from limits import parse
from starlette.testclient import TestClient

from gateway.settings import from_environment
from tests.gateway.support import API, HOME, MASTER_KEY_TEXT, OTHER_PAGE, Door, Json, Patient, refused, stored

_PLENTY = parse("1000000 per minute")
_ALL = (("start", "address"), ("start", "key"), ("message", "session"), ("message", "address"), ("read", "session"), ("refused", "address"))


def limits(**few: str) -> Any:
    """The limits by names such as `start_address`; every other is out of reach."""
    return {each: parse(few["_".join(each)]) if "_".join(each) in few else _PLENTY for each in _ALL}


def _too_fast(response: Any, most: int = 60) -> Json:
    body = refused(response, 429, "rate_limited")
    assert 1 <= int(response.headers["retry-after"]) <= most
    return body


def test_one_address_starts_so_many_chats(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(start_address="3 per 10 minutes"))
    for _ in range(3):
        door.patient()
    _too_fast(door.start(), 600)
    elsewhere = TestClient(door.app, base_url=HOME, client=("198.51.100.9", 1), raise_server_exceptions=False)
    assert elsewhere.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME}).status_code == 201


def test_one_key_starts_so_many_chats(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(start_key="3 per minute"))
    for _ in range(3):
        door.patient()
    _too_fast(door.start())
    assert door.start("spine", OTHER_PAGE).status_code == 201


def test_a_page_that_may_not_start_a_chat_uses_up_nobodys_limit(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(start_key="1 per minute"))
    for _ in range(3):
        refused(door.start("demo", "https://evil.example"), 403)
    door.patient()


def test_a_forwarded_address_is_not_believed(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(start_address="2 per minute"))
    responses = [
        door.client.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME, "X-Forwarded-For": f"198.51.100.{number}"})
        for number in range(4)
    ]
    assert [response.status_code for response in responses] == [201, 201, 429, 429]


def test_one_chat_takes_so_many_messages(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(message_session="3 per minute"))
    patient = door.patient()
    for number in range(3):
        stored(patient.send(f"The needle site is sore {number}"))
    _too_fast(patient.send("The needle site is sore"))
    assert len(patient.texts()) == 3
    stored(door.patient().send("The needle site is sore"))


def test_one_address_sends_so_many_messages(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(message_address="2 per minute"))
    stored(door.patient().send("The needle site is sore"))
    stored(door.patient().send("The needle site is sore"))
    _too_fast(door.patient().send("The needle site is sore"))


def test_a_repeated_message_is_taken_whatever_the_limit(open_door: Callable[..., Door]) -> None:
    patient = open_door(limits=limits(message_session="1 per minute")).patient()
    for _ in range(4):
        assert stored(patient.send("The needle site is sore", "message-1")) == 2


def test_one_chat_is_read_so_often(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(read_session="3 per minute"))
    patient = door.patient()
    for _ in range(3):
        assert patient.ask("GET", "/events").status_code == 200
    for method, path in [("GET", ""), ("GET", "/events"), ("GET", "/stream"), ("GET", "/summary"), ("POST", "/extend")]:
        _too_fast(patient.ask(method, path))
    stored(patient.send("The needle site is sore"))
    assert patient.ask("DELETE", "").status_code == 204


def test_the_demos_limits_let_a_hasty_patient_talk(open_door: Callable[..., Door]) -> None:
    real = from_environment({"AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT}, demo=True).limits
    patient = open_door(limits=real).patient()
    for number in range(20):
        stored(patient.send(f"The needle site is sore {number}"))
    _too_fast(patient.send("The needle site is sore"))


def test_a_chat_in_maintenance_is_not_started_but_read(open_door: Callable[..., Door], door: Door) -> None:
    patient = door.patient()
    patient.say("The needle site is sore")
    closed = open_door(maintenance=True)
    body = refused(closed.start(), 503, "maintenance")
    assert "555-0100" in body["message"]
    same = Patient(closed.client, patient.started)
    assert len(same.events()) == 3
    refused(same.send("Thank you"), 503, "maintenance")
    assert len(same.events()) == 3


@pytest.mark.parametrize("header", ["retry-after", "x-request-id"])
def test_a_listed_page_can_read_how_long_to_wait(header: str, open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(start_key="1 per minute"))
    door.start("spine", OTHER_PAGE)
    response = door.start("spine", OTHER_PAGE)
    assert response.status_code == 429
    assert response.headers["access-control-allow-origin"] == OTHER_PAGE
    assert header in response.headers["access-control-expose-headers"].lower()
    assert header in response.headers
