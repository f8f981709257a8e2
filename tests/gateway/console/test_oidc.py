"""Coming in by the hospital's OpenID provider, and everything that somebody may try there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.console.audit.log import Wanted
from gateway.console.cases.acts import Acts
from gateway.console.cases.queue import Queue
from gateway.console.identity.oidc import COOKIE as JOURNEY
from gateway.console.identity.sessions import COOKIE, Login
from gateway.settings import Provider
from tests.gateway.console.hospital import CLIENT, KEY_ID, ROLES, SECRET, Hospital, new_key, open_hospital, provider_of
from tests.gateway.console.people import Person, case_of, hired, services_of
from tests.gateway.support import HOME, RED_FLAG, Clock, Door


@pytest.fixture
def hospital(clock: Clock) -> Iterator[Hospital]:
    with open_hospital(clock) as found:
        yield found


@pytest.fixture
def door(open_door: Callable[..., Door], hospital: Hospital) -> Door:
    return open_door(provider=provider_of(hospital))


@dataclass
class Browser:
    """Somebody's browser; it keeps what it is given, and sends the login's cookie only from one of our pages."""

    door: Door
    hospital: Hospital
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, strict: bool = True, **more: Any) -> httpx.Response:
        kept = {name: value for name, value in self.cookies.items() if strict or name != COOKIE}
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept else {}
        answer = self.door.client.get(f"/console{path}", headers=headers, **more)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value.strip('"'):
                self.cookies[name] = value
        return answer

    def go(self, path: str = "/oidc/login") -> dict[str, str]:
        """To the provider, and log in there; returns what the browser is sent back with."""
        answer = self.ask(path)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(f"{self.hospital.url}/authorize?")
        return self.hospital.authorize(answer.headers["location"])

    def come_back(self, brought: dict[str, str]) -> httpx.Response:
        return self.ask(f"/oidc/callback?{urlencode(brought)}", strict=False)

    def log_in(self, path: str = "/oidc/login") -> httpx.Response:
        return self.come_back(self.go(path))

    @property
    def login(self) -> Login | None:
        return services_of(self.door).sessions.find(self.cookies.get(COOKIE, ""))


@pytest.fixture
def browser(door: Door, hospital: Hospital) -> Browser:
    return Browser(door, hospital)


def _refused(browser: Browser, answer: httpx.Response, reason: str, status: int = 403) -> None:
    """Nobody was let in, the page says why, and the audit has it."""
    assert answer.status_code == status, answer.text
    services = services_of(browser.door)
    assert services.renderer.reason(reason).replace("'", "&#39;") in answer.text
    assert browser.login is None
    assert JOURNEY not in browser.cookies
    (noted,) = services.audit_log.read(Wanted(act="login_failed"), size=1).entries
    assert noted.detail == {"how": "provider", "why": reason}


def test_somebody_whom_the_provider_vouches_for_is_let_in(door: Door, browser: Browser) -> None:
    answer = browser.log_in("/oidc/login?next=/console/handover")
    assert answer.status_code == 200
    assert 'content="0;url=/console/handover"' in answer.text
    assert "location" not in answer.headers
    assert browser.login is not None
    person = browser.login.staff
    assert (person.name, person.role, person.email) == ("Anna Keller", "nurse", "anna@hospital.example")
    assert person.subject == f"{browser.hospital.url}|anna"
    assert browser.ask("/").status_code == 200
    (noted,) = services_of(door).audit_log.read(Wanted(act="login")).entries
    assert noted.detail == {"how": "provider"}


def test_the_journeys_cookie_is_for_the_way_there_and_back_alone(browser: Browser) -> None:
    answer = browser.ask("/oidc/login")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith(f"{JOURNEY}=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert answer.headers["cache-control"] == "no-store"
    asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert asked["redirect_uri"] == f"{HOME}/console/oidc/callback"
    sealed = base64.urlsafe_b64decode(browser.cookies[JOURNEY])
    assert asked["state"].encode() not in sealed
    assert asked["nonce"].encode() not in sealed
    brought = browser.hospital.authorize(answer.headers["location"])
    cookies = browser.come_back(brought).headers.get_list("set-cookie")
    assert any(cookie.startswith(f"{COOKIE}=") and "SameSite=strict" in cookie for cookie in cookies)
    assert JOURNEY not in browser.cookies


def test_where_to_go_on_is_ours_alone(browser: Browser) -> None:
    answer = browser.log_in("/oidc/login?next=https://evil.example/console/")
    assert 'content="0;url=/console/"' in answer.text
    assert "evil" not in answer.text


def test_the_same_person_comes_again_with_another_role(door: Door, browser: Browser) -> None:
    browser.log_in()
    assert browser.login is not None
    first = browser.login.staff.id
    browser.hospital.claims["groups"] = ["leads"]
    again = Browser(door, browser.hospital)
    again.log_in()
    assert again.login is not None
    assert (again.login.staff.id, again.login.staff.role) == (first, "lead")


@pytest.mark.parametrize(("group", "keeps"), [("admins", False), ("leads", True)])
def test_who_comes_again_in_a_role_that_acts_on_no_case_gives_theirs_back(door: Door, browser: Browser, group: str, keeps: bool) -> None:
    browser.log_in()
    assert browser.login is not None
    person, services = browser.login.staff, services_of(door)
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    services.acts(Acts).assign(number, person.id, person.id)
    browser.hospital.claims["groups"] = [group]
    Browser(door, browser.hospital).log_in()
    row = Queue(services.records.engine, services.policy, services.records.clock).one(number)
    assert row is not None
    assert row.assignee == (person.name if keeps else None)


def test_somebody_of_the_same_name_is_somebody_else(door: Door, browser: Browser) -> None:
    local = hired(door, "Anna Keller", "admin")
    browser.log_in()
    assert browser.login is not None
    assert browser.login.staff.id != local.id
    assert browser.login.staff.name.startswith("Anna Keller (")
    assert browser.login.staff.role == "nurse"


def test_another_state_is_refused_and_the_provider_not_asked(browser: Browser) -> None:
    brought = browser.go()
    _refused(browser, browser.come_back({**brought, "state": "made-up"}), "provider_stray")
    assert not browser.hospital.asked


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "A" * 200, "not base64 ü"])
def test_a_journey_that_did_not_begin_here_is_refused(browser: Browser, cookie: str) -> None:
    brought = browser.go()
    browser.cookies.pop(JOURNEY)
    if cookie.isascii() and cookie:
        browser.cookies[JOURNEY] = cookie
    _refused(browser, browser.come_back(brought), "provider_stray")
    assert not browser.hospital.asked


def test_somebody_elses_code_is_not_taken_for_mine(door: Door, browser: Browser) -> None:
    attacker = Browser(door, browser.hospital)
    brought = attacker.go()
    browser.go()
    _refused(browser, browser.come_back(brought), "provider_stray")


def test_a_code_that_is_slipped_into_another_journey_is_refused(door: Door, browser: Browser) -> None:
    stolen = Browser(door, browser.hospital).go()["code"]
    brought = browser.go()
    _refused(browser, browser.come_back({**brought, "code": stolen}), "provider_refused")


def test_a_callback_counts_once(door: Door, browser: Browser) -> None:
    brought = browser.go()
    kept = dict(browser.cookies)
    assert browser.come_back(brought).status_code == 200
    thief = Browser(door, browser.hospital, kept)
    _refused(thief, thief.come_back(brought), "provider_stray")
    assert len(browser.hospital.asked) == 1


def test_a_code_counts_once_for_the_provider_too(browser: Browser) -> None:
    first = browser.go()
    browser.come_back(first)
    browser.cookies.clear()
    second = browser.go()
    _refused(browser, browser.come_back({**second, "code": first["code"]}), "provider_refused")


def test_a_journey_ends_after_ten_minutes(browser: Browser, clock: Clock) -> None:
    brought = browser.go()
    clock.travel(minutes=11)
    _refused(browser, browser.come_back(brought), "provider_stray")


def test_a_provider_that_says_no_is_believed(browser: Browser) -> None:
    state = browser.go()["state"]
    _refused(browser, browser.come_back({"error": "access_denied", "state": state}), "provider_refused")


def _set(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(changed)


def _drop(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda claims: claims.pop(name)


_WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "another nonce": _set(nonce="made-up"),
    "no nonce": _drop("nonce"),
    "another audience": _set(aud="another"),
    "no audience": _drop("aud"),
    "several audiences": _set(aud=[CLIENT, "another"]),
    "another party": _set(aud=[CLIENT, "another"], azp="another"),
    "another issuer": _set(iss="https://evil.example"),
    "no issuer": _drop("iss"),
    "expired": lambda claims: claims.update(exp=claims["iat"] - 120),
    "no end": _drop("exp"),
    "an end that is no number": _set(exp="tomorrow"),
    "of the future": lambda claims: claims.update(iat=claims["iat"] + 3_600),
    "no subject": _drop("sub"),
    "a subject that is no text": _set(sub=["anna"]),
    "a subject that is too long": _set(sub="a" * 300),
}


@pytest.mark.parametrize("change", _WRONG.values(), ids=_WRONG)
def test_an_id_token_that_is_not_for_this_login_is_refused(browser: Browser, change: Callable[[dict[str, Any]], Any]) -> None:
    browser.hospital.change = change
    _refused(browser, browser.log_in(), "provider_untrue")


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _hmac(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    said = f"{_part(header)}.{_part(claims)}"
    return f"{said}.{base64.urlsafe_b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest()).rstrip(b'=').decode()}"


def _forgeries(hospital: Hospital) -> dict[str, Callable[[dict[str, Any]], str]]:
    other = new_key("other")
    public = hospital.key.as_pem(private=False)
    header = {"kid": KEY_ID}

    def with_key_inside(claims: dict[str, Any]) -> str:
        inside = {"alg": "RS256", "kid": KEY_ID, "jwk": other.as_dict(private=False)}
        return jwt.encode(inside, claims, other)

    return {
        "alg none": lambda claims: f"{_part({'alg': 'none', **header})}.{_part(claims)}.",
        "alg none, capitals": lambda claims: f"{_part({'alg': 'nOnE', **header})}.{_part(claims)}.",
        "HS256 with the public key": lambda claims: _hmac({"alg": "HS256", **header}, claims, public),
        "HS256 with the client's secret": lambda claims: _hmac({"alg": "HS256", **header}, claims, SECRET.encode()),
        "an unknown key": lambda claims: jwt.encode({"alg": "RS256", "kid": "key-2"}, claims, other),
        "another key of this name": lambda claims: jwt.encode({"alg": "RS256", "kid": KEY_ID}, claims, other),
        "a key of its own": with_key_inside,
        "changed after signing": lambda claims: _swapped(hospital.signed(claims), claims),
        "no token": lambda _: "",
        "no signature": lambda claims: hospital.signed(claims).rpartition(".")[0] + ".",
        "nonsense": lambda _: "a.b.c",
    }


def _swapped(token: str, claims: dict[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{_part({**claims, 'groups': ['admins']})}.{signature}"


_FORGED = (
    "alg none", "alg none, capitals", "HS256 with the public key", "HS256 with the client's secret", "an unknown key",
    "another key of this name", "a key of its own", "changed after signing", "no token", "no signature", "nonsense",
)  # fmt: skip


@pytest.mark.parametrize("how", _FORGED)
def test_an_id_token_that_the_provider_did_not_sign_is_refused(browser: Browser, how: str) -> None:
    browser.hospital.sign = _forgeries(browser.hospital)[how]
    _refused(browser, browser.log_in(), "provider_untrue")


def test_a_secret_among_the_providers_keys_is_no_key(browser: Browser) -> None:
    secret = OctKey.import_key("0" * 32, {"kid": "secret"})
    browser.hospital.keys.append(dict(secret.as_dict()))
    browser.hospital.sign = lambda claims: jwt.encode({"alg": "HS256", "kid": "secret"}, claims, secret, algorithms=["HS256"])
    _refused(browser, browser.log_in(), "provider_untrue")


def test_a_provider_that_changes_its_key_is_understood(browser: Browser, clock: Clock) -> None:
    browser.log_in()
    browser.cookies.clear()
    browser.hospital.key = new_key("key-2")
    browser.hospital.keys = [dict(browser.hospital.key.as_dict(private=False))]
    browser.hospital.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "key-2"}, claims, browser.hospital.key)
    clock.travel(minutes=2)
    browser.log_in()
    assert browser.login is not None


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        (["visitors"], "provider_no_role"), ([], "provider_no_role"), (None, "provider_no_role"), ({"nurses": 1}, "provider_no_role"),
        ([["nurses"]], "provider_no_role"), ("visitors", "provider_no_role"), (["nurses", "admins"], "provider_two_roles"),
    ],
)  # fmt: skip
def test_exactly_one_role_must_come_out(browser: Browser, groups: Any, reason: str) -> None:
    browser.hospital.claims["groups"] = groups
    _refused(browser, browser.log_in(), reason)


def test_an_account_that_is_shut_stays_shut(door: Door, browser: Browser) -> None:
    browser.log_in()
    assert browser.login is not None
    services_of(door).book.change(browser.login.staff.id, disabled=True)
    assert browser.login is None
    _refused(browser, browser.log_in(), "disabled")


def test_an_old_proof_is_none(browser: Browser) -> None:
    for change in (lambda claims: claims.update(auth_time=claims["iat"] - 3_600), _drop("auth_time"), _set(auth_time="now")):
        browser.hospital.change = change
        _refused(browser, browser.log_in(), "provider_old")


def test_an_address_that_nobody_checked_is_not_kept(browser: Browser) -> None:
    browser.hospital.claims["email_verified"] = False
    browser.log_in()
    assert browser.login is not None
    assert browser.login.staff.email is None


def test_a_provider_that_is_down_is_said_to_be(browser: Browser) -> None:
    browser.hospital.down = True
    answer = browser.ask("/oidc/login")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text


def test_a_provider_that_sends_elsewhere_is_not_followed(door: Door, browser: Browser) -> None:
    browser.hospital.moved = f"{browser.hospital.url}/elsewhere"
    assert browser.ask("/oidc/login").status_code == 503


def test_too_many_failures_of_an_address_wait(browser: Browser) -> None:
    for _ in range(20):
        assert browser.ask("/oidc/callback").status_code == 403
    assert browser.ask("/oidc/callback").status_code == 429


@pytest.mark.parametrize("path", ["/oidc/login", "/oidc/callback"])
def test_without_a_provider_there_is_no_such_page(open_door: Callable[..., Door], path: str) -> None:
    assert open_door(provider=None).client.get(f"/console{path}").status_code == 404


def test_a_locked_screen_opens_by_the_provider_for_the_same_person(door: Door, browser: Browser, clock: Clock) -> None:
    browser.log_in()
    token = browser.cookies[COOKIE]
    clock.travel(minutes=30)
    page = browser.ask("/")
    assert page.status_code == 423
    assert 'type="password"' not in page.text.partition("</main>")[0]
    found = re.search(r'href="(/console/oidc/login\?unlock=1&amp;next=[^"]*)"', page.text)
    assert found is not None
    answer = browser.log_in(found[1].removeprefix("/console").replace("&amp;", "&"))
    assert answer.status_code == 200
    assert browser.cookies[COOKIE] == token
    assert browser.login is not None
    assert not browser.login.locked
    assert browser.ask("/").status_code == 200


def test_somebody_else_does_not_open_a_locked_screen(browser: Browser, clock: Clock) -> None:
    browser.log_in()
    clock.travel(minutes=30)
    brought = browser.go("/oidc/login?unlock=1")
    browser.hospital.claims |= {"sub": "ben", "name": "Ben Ott"}
    assert browser.come_back(brought).status_code == 403
    assert browser.login is not None
    assert browser.login.locked


def test_a_locked_screen_does_not_open_without_the_provider(door: Door, browser: Browser, clock: Clock) -> None:
    browser.log_in()
    assert browser.login is not None
    person = Person(door, "Anna Keller", "nurse", token=browser.cookies[COOKIE], csrf=browser.login.csrf)
    clock.travel(minutes=30)
    assert person.post("/unlock").status_code == 422
    assert person.post("/unlock", password="anything at all").status_code == 422
    assert browser.login.locked
    assert browser.ask("/oidc/login?unlock=1").status_code == 303


def test_nothing_is_unlocked_that_is_not_logged_in(browser: Browser) -> None:
    assert browser.ask("/oidc/login?unlock=1").status_code == 303
    assert "/console/login" in browser.ask("/oidc/login?unlock=1").headers["location"]


def test_a_provider_without_encryption_elsewhere_is_not_used(open_door: Callable[..., Door], hospital: Hospital) -> None:
    provider = Provider(hospital.url.replace("127.0.0.1", "localhost"), CLIENT, SECRET, ROLES, "groups")
    door = open_door(provider=provider)
    assert door.client.get("/console/oidc/login").status_code == 503
