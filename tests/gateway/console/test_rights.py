"""Who may do what: every route of the console, for every role, for nobody, from foreign pages, and behind a lock."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from gateway.console.audit.log import Wanted
from gateway.console.cases.saved_views import Views
from gateway.console.identity.rights import ROLES
from gateway.console.identity.sessions import COOKIE
from gateway.console.pages import routers
from tests.gateway.console.people import Person, case_of, services_of
from tests.gateway.console.test_xss import foreign
from tests.gateway.support import API, CANARY, EVIL, HOME, RED_FLAG, Clock, Door

Hire = Callable[..., Person]
_UNKNOWN = 999_999
_TEAM, _ALL = ("nurse", "lead"), ("nurse", "lead", "auditor", "admin")
_PUBLIC = {("GET", "/static/{name}"), ("GET", "/login"), ("POST", "/login"), ("GET", "/setup"), ("POST", "/setup"), ("GET", "/oidc/login"),
           ("GET", "/oidc/callback")}  # fmt: skip
_OWN_LOGIN = {("POST", "/unlock"), ("POST", "/lock"), ("POST", "/logout")}
_MATRIX: dict[tuple[str, str], tuple[str, ...]] = {
    ("GET", "/"): _ALL,
    ("GET", "/me"): _ALL,
    ("POST", "/me"): _ALL,
    ("POST", "/me/password"): _ALL,
    ("POST", "/me/codes"): _ALL,
    ("GET", "/queue"): _TEAM,
    ("GET", "/alarm"): _TEAM,
    ("POST", "/search"): _TEAM,
    ("POST", "/floods/{group}/close"): ("lead",),
    ("POST", "/views"): _TEAM,
    ("POST", "/views/{number}/delete"): _TEAM,
    ("GET", "/cases/{number}"): _ALL,
    ("GET", "/cases/{number}/print"): _ALL,
    ("GET", "/cases/{number}/live"): _TEAM,
    ("POST", "/cases/{number}/acknowledge"): _TEAM,
    ("POST", "/cases/{number}/assign"): _TEAM,
    ("POST", "/cases/{number}/note"): _TEAM,
    ("POST", "/cases/{number}/amend"): _TEAM,
    ("POST", "/cases/{number}/snooze"): _TEAM,
    ("POST", "/cases/{number}/wake"): _TEAM,
    ("POST", "/cases/{number}/outcome"): _TEAM,
    ("POST", "/cases/{number}/close"): _TEAM,
    ("POST", "/cases/{number}/reopen"): _TEAM,
    ("POST", "/cases/{number}/undo"): _TEAM,
    ("POST", "/cases/{number}/reply"): _TEAM,
    ("POST", "/cases/{number}/hold"): _TEAM,
    ("POST", "/cases/{number}/hand-back"): _TEAM,
    ("POST", "/cases/{number}/attempt"): _TEAM,
    ("POST", "/cases/{number}/join"): _TEAM,
    ("POST", "/cases/{number}/separate"): _TEAM,
    ("POST", "/cases/{number}/raise"): _TEAM,
    ("POST", "/cases/{number}/lower"): _TEAM,
    ("POST", "/cases/{number}/lower/confirm"): _TEAM,
    ("POST", "/cases/{number}/lower/refuse"): _TEAM,
    ("POST", "/cases/{number}/page"): _TEAM,
    ("POST", "/cases/{number}/reveal"): _TEAM,
    ("POST", "/cases/{number}/disagree"): _TEAM,
    ("POST", "/cases/{number}/break-glass"): ("auditor", "admin"),
    ("GET", "/notices"): ("nurse", "lead", "admin"),
    ("POST", "/notices/test"): ("lead", "admin"),
    ("GET", "/handover"): _TEAM,
    ("POST", "/handover"): _TEAM,
    ("GET", "/handover/waiting"): _TEAM,
    ("GET", "/handover/{number}"): _TEAM,
    ("POST", "/handover/{number}/take"): _TEAM,
    ("GET", "/reviews"): _TEAM,
    ("POST", "/reviews/{number}"): _TEAM,
    ("GET", "/replay"): ("lead",),
    ("POST", "/replay"): ("lead",),
    ("GET", "/export"): ("nurse", "lead", "auditor"),
    ("POST", "/export/preview"): ("nurse", "lead", "auditor"),
    ("POST", "/export"): ("nurse", "lead", "auditor"),
    ("GET", "/figures"): _ALL,
    ("GET", "/figures/{name}.csv"): _ALL,
    ("GET", "/audit"): ("lead", "auditor"),
    ("POST", "/audit/verify"): ("lead", "auditor"),
    ("GET", "/staff"): ("admin",),
    ("POST", "/staff"): ("admin",),
    ("POST", "/staff/{number}/invite"): ("admin",),
    ("POST", "/staff/{number}/role"): ("admin",),
    ("POST", "/staff/{number}/shut"): ("admin",),
    ("POST", "/staff/{number}/open"): ("admin",),
}
_NOT_ON_RECORD = ("/me", "/alarm", "/queue", "/export")
"""One's own account, numbers alone, a list that is on record once each ten minutes, and a form without a case."""
_POLICY = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "form-action": "'self'", "base-uri": "'none'",
           "frame-ancestors": "'none'", "connect-src": "'self'"}  # fmt: skip


def _routes() -> set[tuple[str, str]]:
    routes = [route for router in routers() for route in router.routes if isinstance(route, Route)]
    return {(method, route.path) for route in routes for method in route.methods or ()}


def _path(path: str, number: int = _UNKNOWN) -> str:
    return path.replace("{number}", str(number)).replace("{name}", "console.css")


def _ask(person: Person, method: str, path: str, **more: Any) -> httpx.Response:
    answer = person.get(path) if method == "GET" else person.post(path, **more)
    _check_headers(answer)
    return answer


def _check_headers(answer: httpx.Response) -> None:
    headers, where = answer.headers, f"{answer.request.method} {answer.url}"
    assert answer.status_code < 500, f"{where} failed; what was raised stands under “Captured stderr call”"
    assert headers["x-content-type-options"] == "nosniff", where
    assert headers["cache-control"] == "no-store", where
    assert headers["referrer-policy"] in ("no-referrer", "same-origin"), where
    assert headers["x-frame-options"] == "DENY", where
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'", where
    assert policy["frame-ancestors"] == "'none'", where
    assert "unsafe" not in headers["content-security-policy"], where
    if headers.get("content-type", "").startswith("text/html"):
        assert policy.items() >= _POLICY.items(), where
        assert foreign(answer.text) == [], f"{where} has what the content security policy forbids"
    for cookie in headers.get_list("set-cookie"):
        assert {"HttpOnly", "Secure", "Path=/"} <= set(cookie.split("; ")), where
        assert cookie.startswith("__Host-"), where
    assert "access-control-allow-origin" not in headers, where


def test_every_route_has_its_rule() -> None:
    routes, known = _routes(), _PUBLIC | _OWN_LOGIN | set(_MATRIX)
    assert routes - known == set(), "these routes have no line in _MATRIX, which says who gets in"
    assert known - routes == set(), "no page has these routes; is its router registered in gateway/console/pages/__init__.py?"


@pytest.mark.parametrize("number", [2**31, 2**63, 2**64, 10**30, "9" * 5_000, "-1", "1e3", "x"])
def test_a_number_that_no_row_can_have_is_not_found(hire: Hire, number: object) -> None:
    people = {role: hire(role) for role in ROLES}
    for (method, path), roles in _MATRIX.items():
        if "{number}" in path:
            answer = _ask(people[roles[0]], method, path.replace("{number}", str(number)), verdict="accepted")
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_in_where_it_may_and_nowhere_else(door: Door, hire: Hire, role: str) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    person, number, services = hire(role), case_of(door, patient), services_of(door)
    no_right = services.renderer.reason("no_right")
    refused = 0
    for (method, path), roles in _MATRIX.items():
        answers = [_ask(person, method, _path(path))]
        if method == "GET" or role not in roles:
            answers.append(_ask(person, method, _path(path, number)))
        for answer in answers:
            is_refused = answer.status_code == 403 and no_right in answer.text
            assert is_refused == (role not in roles), f"{role} {method} {path}: {answer.status_code}; _MATRIX lets in {', '.join(roles)}"
            assert answer.status_code not in (401, 423), f"{role} {method} {path}: {answer.status_code}"
            if role not in _TEAM:
                assert CANARY not in answer.text, f"{role} {method} {path}"
        refused += sum(answer.status_code == 403 for answer in answers)
    assert len(services.audit_log.read(Wanted(act="refused"), size=200).entries) == refused


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_links_only_to_pages_that_the_role_may_see(hire: Hire, role: str) -> None:
    menu = hire(role).get("/me").text.partition('<nav aria-label="Pages">')[2].partition("</nav>")[0]
    linked = re.findall(r'href="/console(/[^"]*)"', menu)
    assert linked
    assert [path for path in linked if role not in _MATRIX.get(("GET", path), ())] == [], "in gateway/console/templates/base.html"


def test_every_page_that_is_shown_is_on_record(door: Door, hire: Hire) -> None:
    people, log = {role: hire(role) for role in ROLES}, services_of(door).audit_log
    for (method, path), roles in _MATRIX.items():
        if method == "GET" and "{" not in path and path not in _NOT_ON_RECORD:
            before = log.read(Wanted(), size=1).entries[0].seq
            _ask(people[roles[0]], method, path)
            assert log.read(Wanted(), size=1).entries[0].seq > before, f"{path} leaves no entry in the audit"


def test_a_number_that_is_none_is_not_found(lead: Person, admin: Person) -> None:
    for (method, path), roles in _MATRIX.items():
        if "{number}" not in path or path.startswith("/views") or method != "GET":
            continue
        answer = _ask(lead if "lead" in roles else admin, method, _path(path))
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"


def test_nobody_forgets_anothers_view(door: Door, nurse: Person, lead: Person) -> None:
    nurse.post("/views", name="Mine")
    views = Views(services_of(door).records.engine)
    (mine,) = views.of(nurse.id)
    _ask(lead, "POST", f"/views/{mine.id}/delete")
    assert views.of(nurse.id) == [mine]
    _ask(nurse, "POST", f"/views/{mine.id}/delete")
    assert views.of(nurse.id) == []


def test_nobody_gets_in_without_a_login(door: Door) -> None:
    nobody = Person(door, "Nobody", "nurse")
    for method, path in sorted(_MATRIX | dict.fromkeys(_OWN_LOGIN, ())):
        answer = _ask(nobody, method, _path(path))
        if method == "GET":
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/console/login?next=/console/"), path
        else:
            assert answer.status_code == 401, path
        assert CANARY not in answer.text


def test_no_change_comes_from_elsewhere(door: Door, hire: Hire) -> None:
    people = {role: hire(role) for role in ROLES}
    not_ours = services_of(door).renderer.reason("not_ours")
    for (method, path), roles in sorted((_MATRIX | dict.fromkeys(_OWN_LOGIN, _ALL)).items()):
        if method == "GET":
            continue
        person = people[roles[0]]
        cookie = {"Cookie": f"{COOKIE}={person.token}"}
        tries = [
            ({"csrf": ""}, {"Origin": HOME}), ({"csrf": people[roles[0]].csrf[::-1]}, {"Origin": HOME}), ({}, {"Origin": HOME}),
            ({"csrf": person.csrf}, {}), ({"csrf": person.csrf}, {"Origin": EVIL}), ({"csrf": person.csrf}, {"Origin": "null"}),
            ({"csrf": person.csrf}, {"Origin": HOME, "Sec-Fetch-Site": "cross-site"}),
            ({"csrf": person.csrf}, {"Origin": HOME, "Sec-Fetch-Site": "same-site"}), ({"csrf": person.csrf}, {"Sec-Fetch-Site": "none"}),
        ]  # fmt: skip
        for fields, headers in tries:
            answer = door.client.post(f"/console{_path(path)}", data=fields, headers={**cookie, **headers})
            _check_headers(answer)
            assert answer.status_code == 403, f"{path} {fields} {headers}"
            assert not_ours in answer.text
    for person in people.values():
        assert person.get("/me").status_code == 200


def test_behind_a_lock_there_is_nothing(door: Door, hire: Hire) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    people = {role: hire(role) for role in ROLES}
    for person in people.values():
        assert person.post("/lock").status_code == 303
    for (method, path), roles in _MATRIX.items():
        if path == "/alarm":
            continue
        answer = _ask(people[roles[0]], method, _path(path, number))
        assert answer.status_code == 423, f"{method} {path}"
        assert CANARY not in answer.text


def test_behind_a_lock_the_alarm_goes_on_with_numbers_alone_and_keeps_nothing_awake(door: Door, hire: Hire, clock: Clock) -> None:
    nurse = hire("nurse")
    clock.travel(minutes=11)
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    assert nurse.get("/alarm").json() == {"red": [number], "emergency": [number], "call": [], "callback": []}
    assert nurse.get("/queue").status_code == 423


def test_what_is_public_gives_its_headers_too(door: Door) -> None:
    nobody = Person(door, "Nobody", "nurse")
    for method, path in sorted(_PUBLIC):
        if path.startswith("/static"):
            answer = door.client.get("/console/static/console.css")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-type"].startswith("text/css")
            continue
        assert _ask(nobody, method, path).status_code in (200, 403, 404, 422), path
    for path in ("/nowhere", "/static/../app.py", "/static/%2e%2e/rights.yml", "/docs", "/openapi.json", "/cases/x"):
        assert _ask(nobody, "GET", path).status_code in (303, 404, 422), path


# The console's own address.

_CONSOLE = "https://console.example"


@pytest.fixture
def apart(open_door: Callable[..., Door]) -> Callable[[str, str], httpx.Response]:
    """Ask a gateway whose console has an address of its own, by host and path."""
    door = open_door(console_origins=(_CONSOLE,))
    return lambda host, path: door.client.get(path, headers={"Host": host})


@pytest.mark.parametrize("host", ["console.example", "CONSOLE.example", "console.example:443"])
def test_the_console_answers_under_its_own_address(apart: Callable[[str, str], httpx.Response], host: str) -> None:
    assert apart(host, "/console/login").status_code == 200
    assert apart(host, "/console/").status_code == 303
    for path in ("/panel/demo", "/demo", "/aftercare.js", f"{API}/openapi.json", f"{API}/session", "/", "/consolex", "//console/login"):
        answer = apart(host, path)
        assert answer.status_code == 404, path
        _check_headers(answer)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "console.example.evil.example", "evil.example", "console.example:8443", "xconsole.example", "x@console.example", ""],
)
def test_the_console_answers_nowhere_else(apart: Callable[[str, str], httpx.Response], host: str) -> None:
    for path in ("/console/login", "/console/", "/console", "/console/static/console.css", "/console/nowhere"):
        answer = apart(host, path)
        assert answer.status_code == 404, path
        assert "set-cookie" not in answer.headers
        assert "login" not in answer.text
    assert apart(host, "/panel/demo").status_code == 200


def test_whether_it_is_well_is_told_under_each_address(apart: Callable[[str, str], httpx.Response]) -> None:
    for host in ("console.example", "127.0.0.1:8080"):
        assert apart(host, "/healthz").status_code == 200


def test_with_one_address_both_answer_there(door: Door) -> None:
    assert door.client.get("/console/login").status_code == 200
    assert door.client.get("/panel/demo").status_code == 200
