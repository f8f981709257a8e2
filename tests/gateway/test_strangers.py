"""Without the token of a chat nobody sees a word of it, whatever they ask for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.support import CANARY, HOME, OTHER_PAGE, PAGE, RED_FLAG, Clock, Door, Patient, new_id, refused, stored

REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "state": ("GET", "", {}),
    "extend": ("POST", "/extend", {}),
    "writer": ("PUT", "/writer", {"json": {"writer": "helper"}}),
    "send": ("POST", "/messages", {"json": {"client_id": "message-of-a-stranger", "text": "Hello"}}),
    "press": ("POST", "/messages", {"json": {"client_id": "message-of-a-stranger", "button": "made-up"}}),
    "events": ("GET", "/events", {}),
    "wait": ("GET", "/events", {"params": {"after": 99, "wait": 1}}),
    "stream": ("GET", "/stream", {}),
    "summary": ("GET", "/summary", {}),
    "end": ("DELETE", "", {}),
}
every_request = pytest.mark.parametrize("request_name", REQUESTS)


@pytest.fixture
def patient(door: Door) -> Patient:
    """A patient who told something."""
    patient = door.patient()
    patient.say(f"My legs feel weak {CANARY}")
    return patient


def _ask(patient: Patient, name: str, **headers: str) -> Any:
    method, path, request = REQUESTS[name]
    return patient.ask(method, path, **request, headers=headers)


_NO_TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    f"Bearer {'a' * 43}",
    "Basic YTpi",
    "Bearer a b",
    "Bearer ' OR 1=1 --",
    f"Bearer {'x' * 5_000}",
]


@every_request
def test_a_request_without_a_known_token_gets_the_safety_card_alone(request_name: str, patient: Patient) -> None:
    for authorization in _NO_TOKENS:
        response = _ask(patient, request_name, Authorization=authorization)
        refused(response, 401, "unauthorized")
        assert CANARY not in response.text


@every_request
def test_a_request_with_no_authorization_at_all_is_refused(request_name: str, door: Door) -> None:
    method, path, request = REQUESTS[request_name]
    refused(door.client.request(method, f"/api/v1/session{path}", headers={"Origin": HOME}, **request), 401, "unauthorized")


@every_request
def test_part_of_a_token_opens_nothing(request_name: str, patient: Patient) -> None:
    for part in (patient.token[:-1], patient.token[1:], patient.token.swapcase(), f"{patient.token}="):
        refused(_ask(patient, request_name, Authorization=f"Bearer {part}"), 401, "unauthorized")


@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name != "stream"])
def test_another_patients_token_shows_only_that_patients_chat(request_name: str, door: Door, patient: Patient) -> None:
    before = door.stored(patient)
    stranger = door.patient()
    response = _ask(stranger, request_name)
    assert CANARY not in response.text
    assert door.name(patient) not in response.text
    assert patient.token not in response.text
    assert door.stored(patient) == before


@every_request
def test_a_token_in_the_address_is_no_token(request_name: str, door: Door, patient: Patient) -> None:
    method, path, request = REQUESTS[request_name]
    for name in ("token", "access_token", "authorization"):
        query = {**request.get("params", {}), name: patient.token}
        rest = {key: value for key, value in request.items() if key != "params"}
        response = door.client.request(method, f"/api/v1/session{path}", params=query, headers={"Origin": HOME}, **rest)
        refused(response, 401, "unauthorized")


@every_request
def test_a_token_in_a_cookie_is_no_token(request_name: str, door: Door, patient: Patient) -> None:
    method, path, request = REQUESTS[request_name]
    headers = {"Origin": HOME, "Cookie": f"token={patient.token}; Authorization=Bearer {patient.token}"}
    refused(door.client.request(method, f"/api/v1/session{path}", headers=headers, **request), 401, "unauthorized")


@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name != "end"])
def test_a_chat_that_ran_out_is_closed_to_its_own_token(request_name: str, patient: Patient, clock: Clock) -> None:
    clock.travel(minutes=31)
    response = _ask(patient, request_name)
    refused(response, 401, "session_expired")
    assert CANARY not in response.text


@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name != "end"])
def test_a_chat_of_four_hours_is_closed_to_its_own_token(request_name: str, patient: Patient, clock: Clock) -> None:
    for _ in range(9):
        clock.travel(minutes=27)
        patient.ask("POST", "/extend")
    refused(_ask(patient, request_name), 401, "session_expired")


@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name != "end"])
def test_an_ended_chat_is_closed_to_its_own_token(request_name: str, patient: Patient) -> None:
    patient.ask("DELETE", "")
    response = _ask(patient, request_name)
    refused(response, 401, "session_ended")
    assert CANARY not in response.text


def test_an_ended_chat_does_not_tell_whether_a_message_was_in_it(patient: Patient) -> None:
    first = patient.send("The needle site is sore", "message-1")
    patient.answer_to(stored(first))
    patient.ask("DELETE", "")
    refused(patient.send("The needle site is sore", "message-1"), 401, "session_ended")


def test_a_red_flag_does_not_open_a_chat_again_that_ran_out(patient: Patient, clock: Clock) -> None:
    clock.travel(minutes=31)
    refused(patient.send(RED_FLAG, new_id()), 401, "session_expired")
    for request_name in ("state", "events", "summary", "extend", "send"):
        response = _ask(patient, request_name)
        refused(response, 401, "session_expired")
        assert CANARY not in response.text


@every_request
def test_a_page_that_the_key_does_not_list_is_refused_even_with_the_token(request_name: str, door: Door, patient: Patient) -> None:
    before = door.stored(patient)
    for origin in ("https://evil.example", OTHER_PAGE, "null", "", f"{PAGE}0", f"{PAGE}.evil.example", "file://"):
        response = _ask(patient, request_name, Origin=origin)
        refused(response, 403, "forbidden")
        assert CANARY not in response.text
    assert door.stored(patient) == before
