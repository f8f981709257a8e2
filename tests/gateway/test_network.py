"""What counts as one address, and proxies that nobody named."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from limits import parse
from starlette.testclient import TestClient

from gateway.network import network
from gateway.settings import OwnLimits, Settings
from tests.gateway.support import API, HOME, Door
from tests.gateway.test_limits import limits

_PROXY = "10.0.0.1"
_SAME_HOUSE = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:DB8:1:2:0:0:0:3"]


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.77", "203.0.113.77"),
        ("::ffff:203.0.113.77", "203.0.113.77"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_address_counts_by_itself_and_of_ipv6_its_64(host: str, counted: str) -> None:
    assert network(host) == counted


def _browser(door: Door, host: str) -> httpx.Client:
    return TestClient(door.app, base_url=HOME, client=(host, 1), raise_server_exceptions=False)


def _start(door: Door, host: str, **headers: str) -> int:
    answer = _browser(door, host).post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME, **headers})
    return answer.status_code


def test_a_house_has_one_limit_however_many_addresses_it_uses(open_door: Callable[..., Door]) -> None:
    door = open_door(limits=limits(start_address="2 per minute"))
    assert [_start(door, host) for host in _SAME_HOUSE] == [201, 201, 429]
    assert _start(door, "2001:db8:1:3::1") == 201


def test_refused_messages_and_logins_are_counted_by_house_too(open_door: Callable[..., Door]) -> None:
    door = open_door()
    wrong = {"password": "wrong", "code": "000000"}
    tried = [
        _browser(door, f"2001:db8:1:2::{number:x}")
        .post("/console/login", data={"name": f"nobody{number}", **wrong}, headers={"Origin": HOME})
        .status_code
        for number in range(1, 22)
    ]
    assert tried[:20] == [401] * 20
    assert tried[20] == 429


def test_a_key_has_limits_of_its_own_where_its_hospital_is(open_door: Callable[..., Door], settings: Settings) -> None:
    own = OwnLimits((ip_network("198.51.100.0/24"),), {("start", "address"): parse("4 per minute")}, 7)
    keys = {**settings.embed_keys, "demo": replace(settings.embed_keys["demo"], limits=own)}
    door = open_door(limits=limits(start_address="2 per minute"), embed_keys=keys)
    assert [_start(door, "198.51.100.9") for _ in range(5)] == [201, 201, 201, 201, 429]
    assert [_start(door, "203.0.113.9") for _ in range(3)] == [201, 201, 429]
    limiter = door.services.limiter
    assert limiter.most_open("198.51.100.9", keys["demo"]) == 7
    assert limiter.most_open("203.0.113.9", keys["demo"]) == settings.most_open
    assert limiter.most_open("unknown", keys["demo"]) == settings.most_open


def _ready(door: Door) -> Any:
    return door.client.get("/readyz").json()["proxies"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_that_nobody_named_is_noticed_at_first_sight(
    header: str, open_door: Callable[..., Door], caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door()
    assert _ready(door) == "ok"
    for _ in range(3):
        _start(door, _PROXY, **{header: "203.0.113.9"})
    assert _ready(door) == "not_trusted"
    assert caplog.text.count("AFTERCARE_TRUSTED_PROXIES does not name") == 1
    assert "203.0.113.9" not in caplog.text


def test_a_trusted_proxy_is_believed_and_is_no_news(open_door: Callable[..., Door]) -> None:
    door = open_door(trusted_proxies=_PROXY, limits=limits(start_address="1 per minute"))
    assert [_start(door, _PROXY, **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in (1, 2, 1)] == [201, 201, 429]
    assert _ready(door) == "ok"


@pytest.mark.parametrize(("peer", "header"), [("10.0.0.2", "X-Forwarded-For"), (_PROXY, "Forwarded")])
def test_another_proxy_or_one_that_speaks_otherwise_is_noticed(peer: str, header: str, open_door: Callable[..., Door]) -> None:
    door = open_door(trusted_proxies=_PROXY, limits=limits(start_address="1 per minute"))
    assert [_start(door, peer, **{header: f"203.0.113.{number}"}) for number in (1, 2)] == [201, 429]
    assert _ready(door) == "not_trusted"


def test_a_stranger_that_was_seen_once_is_forgotten_after_an_hour(open_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch) -> None:
    door = open_door()
    _start(door, _PROXY, Forwarded="for=203.0.113.9")
    later = time.monotonic() + 3_601
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert _ready(door) == "ok"


def test_behind_https_a_proxy_that_is_not_named_is_told_at_the_start(
    open_door: Callable[..., Door], caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door(public_origins=("https://chat.clinic.example",))
    assert re.search("AFTERCARE_TRUSTED_PROXIES is not set", caplog.text)
    assert _ready(door) == "not_named"
    caplog.clear()
    named = open_door(public_origins=("https://chat.clinic.example",), trusted_proxies=_PROXY)
    assert "AFTERCARE_TRUSTED_PROXIES" not in caplog.text
    assert _ready(named) == "ok"
