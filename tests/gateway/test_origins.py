"""A chat is shown by the pages that its key lists, and by no other."""

from __future__ import annotations

import pytest

from tests.gateway.support import API, EVIL, HOME, OTHER_PAGE, PAGE, Door, Patient, refused
from tests.gateway.test_strangers import REQUESTS

_CHANGING = [name for name, (method, _, _) in REQUESTS.items() if method != "GET"]
_CORS = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods", "access-control-allow-headers")


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_a_foreign_page_is_refused_and_may_not_read_why(name: str, origin: str, patient: Patient) -> None:
    method, path, request = REQUESTS[name]
    response = patient.ask(method, path, **request, headers={"Origin": origin})
    refused(response, 403, "forbidden")
    assert not [header for header in _CORS if header in response.headers]


@pytest.mark.parametrize("name", _CHANGING)
def test_a_change_that_names_no_page_is_refused(name: str, door: Door, patient: Patient) -> None:
    method, path, request = REQUESTS[name]
    headers = {"Authorization": f"Bearer {patient.token}"}
    refused(door.client.request(method, f"{API}/session{path}", headers=headers, **request), 403, "forbidden")
    assert len(door.stored(patient)) == 1


def test_a_chat_that_names_no_page_is_not_started(door: Door) -> None:
    refused(door.client.post(f"{API}/sessions", json={"key": "demo"}), 403, "forbidden")


def test_reading_from_the_gateways_own_page_needs_no_origin(door: Door, patient: Patient) -> None:
    headers = {"Authorization": f"Bearer {patient.token}"}
    assert door.client.get(f"{API}/session/events", headers=headers).status_code == 200


@pytest.mark.parametrize("origin", [EVIL, "null", "", "http://127.0.0.1", f"{HOME}/", HOME.upper(), "https://127.0.0.1:8080"])
def test_a_foreign_page_starts_no_chat(origin: str, door: Door) -> None:
    response = door.start("demo", origin)
    refused(response, 403, "forbidden")
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("key", "origin", "status"),
    [
        ("demo", PAGE, 201),
        ("spine", OTHER_PAGE, 201),
        ("demo", HOME, 201),
        ("spine", HOME, 201),
        ("demo", OTHER_PAGE, 403),
        ("spine", PAGE, 403),
        ("unknown", HOME, 403),
        ("unknown", PAGE, 403),
        ("", HOME, 403),
    ],
)
def test_each_key_has_pages_of_its_own(key: str, origin: str, status: int, door: Door) -> None:
    assert door.start(key, origin).status_code == status


def test_a_chat_is_not_carried_on_from_the_page_of_another_key(door: Door) -> None:
    patient = door.patient("demo", PAGE)
    refused(patient.ask("GET", "/events", headers={"Origin": OTHER_PAGE}), 403, "forbidden")
    assert patient.ask("GET", "/events").status_code == 200


def test_a_listed_page_may_read_the_answers(door: Door) -> None:
    patient = door.patient("spine", OTHER_PAGE)
    response = patient.ask("GET", "/events")
    assert response.headers["access-control-allow-origin"] == OTHER_PAGE
    assert "origin" in response.headers["vary"].lower()
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_listed_page_may_ask_beforehand(method: str, door: Door) -> None:
    headers = {"Origin": PAGE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    response = door.client.options(f"{API}/session", headers=headers)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == PAGE
    assert method in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_a_foreign_page_asks_beforehand_in_vain(origin: str, door: Door) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    response = door.client.options(f"{API}/session/messages", headers=headers)
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


def test_no_other_method_or_header_is_allowed_beforehand(door: Door) -> None:
    base = {"Origin": PAGE, "Access-Control-Request-Method": "PATCH"}
    assert door.client.options(f"{API}/session", headers=base).status_code == 400
    more = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-anything"}
    assert door.client.options(f"{API}/session", headers=more).status_code == 400
