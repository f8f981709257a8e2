"""Every answer of the public port, errors too, carries its security headers and gives nothing away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from gateway.records.store import Records
from tests.gateway.support import API, CANARY, EVIL, HARMLESS, HOME, OTHER_PAGE, PAGE, RED_FLAG, Clock, Door, Patient, new_id, stored
from tests.gateway.test_limits import limits

_HEADERS = {
    "content-security-policy": re.compile(r"default-src 'none'; .*base-uri 'none'; form-action 'none'.*frame-ancestors "),
    "cross-origin-opener-policy": re.compile("same-origin"),
    "cross-origin-resource-policy": re.compile("same-origin|cross-origin"),
    "permissions-policy": re.compile(r"camera=\(\), geolocation=\(\), microphone=\(\), payment=\(\)"),
    "referrer-policy": re.compile("no-referrer"),
    "x-content-type-options": re.compile("nosniff"),
    "x-request-id": re.compile("[0-9a-f]{16}"),
}
_TRACES = ("Traceback", 'File "', "sqlalchemy", "site-packages", "RuntimeError", "gateway/", "pydantic")
_TYPES = {"text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8", "application/json"}


def _check(response: httpx.Response, *, page: bool = False) -> None:
    headers = response.headers
    for name, pattern in _HEADERS.items():
        assert pattern.fullmatch(headers.get(name, "")) or pattern.match(headers.get(name, "")), f"{name}: {headers.get(name)!r}"
    assert "set-cookie" not in headers
    assert "server" not in headers
    if not page:
        assert headers["content-security-policy"].endswith("frame-ancestors 'none'")
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe" not in headers["content-security-policy"]
    if response.content:
        assert headers["content-type"] in _TYPES, headers["content-type"]
    assert not [trace for trace in _TRACES if trace in response.text]


def _check_api(response: httpx.Response) -> None:
    _check(response)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.fixture
def crawl(door: Door, patient: Patient, clock: Clock) -> Callable[[], list[httpx.Response]]:
    """Every answer of the API that can be had, by every status."""

    def responses() -> list[httpx.Response]:
        first = patient.send(HARMLESS, "message-1")
        patient.answer_to(stored(first))
        ended, old = door.patient(), door.patient()
        found = [
            door.start(), door.start("nobody"), door.start("demo", EVIL), door.start("demo", PAGE),
            door.client.post(f"{API}/sessions", content=b"{", headers={"Origin": HOME}),
            first, patient.send(HARMLESS, "message-1"), patient.send(RED_FLAG, "message-1"), patient.send(""),
            patient.send("x" * 5_000), patient.send("x" * 70_000), patient.press("made-up"),
            *(patient.ask(method, path) for method, path in [("GET", ""), ("POST", "/extend"), ("GET", "/events"), ("GET", "/summary")]),
            patient.ask("PUT", "/writer", json={"writer": "helper"}), patient.ask("PUT", "/writer", json={}),
            patient.ask("GET", "/events", params={"after": "x"}), patient.ask("GET", "/events", headers={"Origin": EVIL}),
            patient.ask("GET", "/events", headers={"Authorization": "Bearer x"}), patient.ask("PATCH", ""), patient.ask("GET", "/nowhere"),
            patient.ask("GET", "/extend"), patient.ask("GET", "/stream", headers={"Last-Event-ID": "x"}),
            ended.ask("DELETE", ""), ended.ask("GET", ""), ended.send(RED_FLAG),
            door.client.get(f"{API}/openapi.json"), door.client.get(f"{API}"), door.client.get(f"{API}/session/"),
        ]  # fmt: skip
        clock.travel(minutes=31)
        return [*found, old.ask("GET", ""), old.send(RED_FLAG)]

    return responses


def test_every_answer_of_the_api_has_its_headers_and_is_kept_by_nobody(crawl: Callable[[], list[httpx.Response]]) -> None:
    responses = crawl()
    assert {201, 202, 200, 204, 401, 403, 404, 405, 409, 413, 422} <= {response.status_code for response in responses}
    for response in responses:
        _check_api(response)
        if response.status_code >= 400:
            assert response.json()["safety"]["blocks"], response.url
            assert set(response.json()) <= {"error", "message", "safety", "answer"}


def test_a_request_that_is_limited_has_its_headers(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(read_session="1 per minute"))
    patient = door.patient()
    patient.ask("GET", "")
    response = patient.ask("GET", "")
    assert response.status_code == 429
    _check_api(response)


def test_a_request_that_cannot_be_stored_has_its_headers(door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise OperationalError("SELECT", {}, RuntimeError(CANARY))

    monkeypatch.setattr(Records, "events", fail)
    response = patient.ask("GET", "/events")
    assert response.status_code == 503
    _check_api(response)
    assert CANARY not in response.text


def test_a_request_that_fails_unforeseen_has_its_headers_and_no_trace(
    door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(Records, "events", fail)
    response = patient.ask("GET", "/events")
    assert response.status_code == 500
    assert response.json()["error"] == "internal"
    assert response.json()["safety"]["blocks"]
    assert CANARY not in response.text
    _check_api(response)


def test_a_page_that_may_embed_the_chat_can_read_that_it_failed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = door.patient("spine", OTHER_PAGE)

    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(Records, "events", fail)
    response = patient.ask("GET", "/events")
    assert response.status_code == 500
    assert response.headers["access-control-allow-origin"] == OTHER_PAGE


@pytest.mark.parametrize(
    "path", ["/panel/demo", "/panel/spine", "/panel/demo?lang=es", "/demo", "/aftercare.js", "/", "/healthz", "/readyz"]
)
def test_every_page_has_its_headers(path: str, door: Door) -> None:
    response = door.client.get(path)
    assert response.status_code in (200, 307)
    _check(response, page=path.startswith("/panel"))


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/panel", "/panel/nobody", "/assets/none.js", "/assets/../gateway/app.py", "/assets/%2e%2e/package.json",
     "/.git/config", "/metrics", "/docs", "/redoc", "/openapi.json", "/panel/demo/more", "/demo.html", "/assets/"],
)  # fmt: skip
def test_what_is_not_there_has_its_headers_and_the_safety_card(path: str, door: Door) -> None:
    response = door.client.get(path)
    assert response.status_code == 404
    assert response.json()["error"] == "not_found"
    assert "911" in str(response.json()["safety"])
    _check_api(response)


def test_the_figures_are_not_served_to_the_public(door: Door, patient: Patient) -> None:
    patient.say(HARMLESS)
    for path in ("/metrics", "/metrics/", f"{API}/metrics", "/panel/metrics"):
        response = door.client.get(path)
        assert response.status_code in (307, 404)
        assert "aftercare_requests" not in response.text


def test_a_panel_may_be_framed_by_its_keys_pages_alone(door: Door) -> None:
    demo = door.client.get("/panel/demo").headers
    spine = door.client.get("/panel/spine").headers
    assert demo["content-security-policy"].endswith(f"frame-ancestors 'self' {PAGE}")
    assert spine["content-security-policy"].endswith(f"frame-ancestors 'self' {OTHER_PAGE}")
    assert "x-frame-options" not in demo
    assert "x-frame-options" not in spine


def test_a_panel_runs_no_script_but_its_own(door: Door) -> None:
    response = door.client.get("/panel/demo")
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["trusted-types"] == "lit-html"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    scripts = re.findall(r"<script[^>]*>", response.text)
    assert all('src="/assets/' in script or 'type="application/json"' in script for script in scripts), scripts
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", response.text)


def test_encryption_is_insisted_on_where_patients_come_by_https(open_door: Callable[..., Door], door: Door) -> None:
    secure = open_door(public_origins=("https://chat.example",))
    for path in ("/panel/demo", "/nowhere", "/aftercare.js"):
        assert secure.client.get(path).headers["strict-transport-security"].startswith("max-age=63072000")
        assert "strict-transport-security" not in door.client.get(path).headers


def test_every_request_has_an_id_of_its_own_that_the_caller_does_not_choose(door: Door) -> None:
    ids = [door.client.get("/healthz", headers={"X-Request-ID": "chosen"}).headers["x-request-id"] for _ in range(5)]
    assert len(set(ids)) == 5
    assert "chosen" not in ids


def test_the_token_is_told_once(door: Door, crawl: Callable[[], list[httpx.Response]], patient: Patient) -> None:
    assert patient.token in json.dumps(patient.started)
    for response in crawl():
        assert patient.token not in response.text
        assert patient.token not in str(response.headers)
        assert patient.token not in str(response.url)
    assert patient.token not in json.dumps(door.rasa.heard)


def test_a_message_is_not_taken_by_get(patient: Patient) -> None:
    response = patient.ask("GET", "/messages", params={"client_id": new_id(), "text": CANARY})
    assert response.status_code == 405
    assert CANARY not in response.text
    assert patient.texts() == []
