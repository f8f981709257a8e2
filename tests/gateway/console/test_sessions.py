"""Logins: they lock when nobody is there, end in any case, and give nothing that was typed away."""

from __future__ import annotations

import hashlib
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from gateway.console.access import BASE
from gateway.console.audit.log import Wanted
from gateway.console.identity.sessions import COOKIE
from gateway.console.services import ConsoleServices
from gateway.records.tables import staff_session
from tests.gateway.console.people import PASSWORD, Person
from tests.gateway.support import EVIL, HOME, Clock, Door

WRONG = "not the password"


def _main(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def _is_out(person: Person) -> bool:
    answer = person.get("/")
    return answer.status_code == 303 and answer.headers["location"].startswith("/console/login")


def test_a_login_is_a_cookie_that_only_our_own_pages_send(door: Door, nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    clock.travel(minutes=1)
    answer = nurse.post("/login", name=nurse.name, password=PASSWORD, code=nurse.code())
    cookie, device = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=strict"} <= set(device.split("; "))
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=strict", f"Max-Age={12 * 3600}"} <= set(cookie.split("; "))
    assert cookie.startswith("__Host-")
    assert "Domain" not in cookie
    with services.records.engine.connect() as connection:
        stored = connection.scalars(select(staff_session.c.token_hash)).all()
    token = cookie.partition("=")[2].partition(";")[0]
    assert hashlib.sha256(token.encode()).digest() in stored
    assert token.encode() not in stored


def test_a_token_that_was_there_before_is_not_the_one_after(nurse: Person, clock: Clock) -> None:
    before = nurse.token
    clock.travel(minutes=1)
    nurse.log_in()
    assert nurse.token != before
    old = Person(nurse.door, nurse.name, "nurse", token=before)
    assert _is_out(old)
    assert not _is_out(nurse)


@pytest.mark.parametrize("token", ["", "x", "chosen-by-somebody", "ü".encode().hex(), "a" * 4_000])
def test_a_token_that_was_not_given_out_counts_for_nothing(door: Door, token: str) -> None:
    assert _is_out(Person(door, "Nobody", "nurse", token=token))


def test_a_login_locks_when_nobody_is_there(nurse: Person, clock: Clock) -> None:
    clock.travel(minutes=9)
    assert nurse.get("/").status_code == 200
    clock.travel(minutes=9)
    assert nurse.get("/").status_code == 200
    clock.travel(minutes=10)
    answer = nurse.get("/")
    assert answer.status_code == 423
    assert "Locked" in answer.text


def test_what_asks_by_itself_keeps_no_login_awake(nurse: Person, clock: Clock) -> None:
    for _ in range(3):
        clock.travel(minutes=4)
        answer = nurse.get("/queue", headers={"X-Live": "1"})
    assert answer.status_code == 423


def test_a_locked_login_shows_nothing_and_changes_nothing(door: Door, nurse: Person, services: ConsoleServices) -> None:
    assert nurse.post("/lock").status_code == 303
    for answer in (nurse.get("/"), nurse.get("/queue"), nurse.get("/me"), nurse.post("/views", name="mine"), nurse.post("/me")):
        assert answer.status_code == 423
        assert 'action="/console/unlock"' in answer.text
    found = services.book.named(nurse.name)
    assert found is not None
    assert found.single_keys
    assert nurse.post("/unlock", password=WRONG).status_code == 422
    assert nurse.get("/").status_code == 423
    assert nurse.post("/unlock", password=PASSWORD, then="/console/me").headers["location"] == "/console/me"
    assert nurse.get("/").status_code == 200
    assert len(services.audit_log.read(Wanted(act="unlock_failed")).entries) == 1


def test_what_was_typed_is_kept_over_the_lock_without_scripts_and_not_sent(nurse: Person, clock: Clock, services: ConsoleServices) -> None:
    clock.travel(minutes=30)
    typed = 'Mine "and" <b>yours</b>'
    answer = nurse.post("/views", name=typed, password="a secret of a form")
    assert answer.status_code == 423
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', _main(answer.text)))
    assert fields["then"] == "/console/views"
    assert fields["draft.name"] == "Mine &#34;and&#34; &lt;b&gt;yours&lt;/b&gt;"
    assert "a secret of a form" not in answer.text
    wrong = nurse.post("/unlock", then="/console/views", write="1", **{"draft.name": typed, "password": WRONG})
    assert wrong.status_code == 422
    assert "draft.name" in wrong.text
    page = nurse.post("/unlock", then="/console/views", write="1", **{"draft.name": typed, "password": PASSWORD})
    assert page.status_code == 200
    assert 'action="/console/views"' in page.text
    assert ">Mine &#34;and&#34; &lt;b&gt;yours&lt;/b&gt;</textarea>" in page.text
    assert "has not been sent" in page.text
    assert "Mine" not in nurse.get("/").text


def test_five_wrong_passwords_at_a_locked_screen_end_the_login(door: Door, nurse: Person, clock: Clock) -> None:
    nurse.post("/lock")
    for _ in range(4):
        assert nurse.post("/unlock", password=WRONG).status_code == 422
    assert nurse.post("/unlock", password=WRONG).status_code == 401
    assert nurse.post("/unlock", password=PASSWORD).status_code == 401
    assert _is_out(nurse)
    clock.travel(minutes=1)
    assert not _is_out(nurse.log_in())


def test_a_stranger_does_not_shut_out_who_is_at_work(door: Door, nurse: Person) -> None:
    stranger = Person(door, nurse.name, "nurse")
    for _ in range(6):
        stranger.post("/login", name=nurse.name, password=WRONG, code="000000")
    assert nurse.get("/").status_code == 200
    nurse.post("/lock")
    assert nurse.post("/unlock", password=PASSWORD).status_code == 303


def test_a_login_ends_after_twelve_hours_however_busy(nurse: Person, clock: Clock) -> None:
    for _ in range(87):
        clock.travel(minutes=8)
        assert nurse.get("/me").status_code == 200
    clock.travel(minutes=25)
    assert _is_out(nurse)
    assert nurse.post("/unlock", password=PASSWORD).status_code == 401


def test_a_login_ends_when_the_account_is_shut_and_does_not_come_back(nurse: Person, services: ConsoleServices) -> None:
    number = nurse.id
    services.book.change(number, disabled=True)
    assert _is_out(nurse)
    services.book.change(number, disabled=False)
    assert _is_out(nurse)


def test_logging_out_ends_the_login_for_good(nurse: Person) -> None:
    answer = nurse.post("/logout")
    assert answer.status_code == 303
    assert any(cookie.startswith(f'{COOKIE}=""') for cookie in answer.headers.get_list("set-cookie"))
    assert _is_out(nurse)
    assert nurse.post("/unlock", password=PASSWORD).status_code == 401


def test_one_persons_form_is_not_anothers(hire: object, nurse: Person, lead: Person) -> None:
    assert nurse.post("/lock", csrf=lead.csrf).status_code == 403
    assert nurse.post("/lock", csrf="").status_code == 403
    assert nurse.get("/").status_code == 200


def test_logging_in_from_a_page_of_somebody_else_is_refused(door: Door, nurse: Person, clock: Clock) -> None:
    clock.travel(minutes=1)
    form = {"name": nurse.name, "password": PASSWORD, "code": nurse.code(), "next": ""}
    for headers in ({}, {"Origin": EVIL}, {"Origin": HOME, "Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = door.client.post("/console/login", data=form, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert door.client.post("/console/login", data=form, headers={"Origin": HOME}).status_code == 303


def test_too_many_failed_logins_of_an_address_wait(door: Door, nurse: Person, clock: Clock) -> None:
    stranger = Person(door, "Nobody", "nurse")
    for number in range(20):
        assert stranger.post("/login", name=f"Nobody {number}", password=WRONG, code="000000").status_code == 401
    answer = stranger.post("/login", name="Nobody", password=WRONG, code="000000")
    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    clock.travel(seconds=30)
    assert nurse.post("/login", name=nurse.name, password=PASSWORD, code=nurse.code()).status_code == 303, "who has logged in there before"


@pytest.mark.parametrize(("path", "most"), [("/login", 21), ("/unlock", 6)])
def test_a_crowd_of_tries_at_once_gets_no_more_of_them(
    nurse: Person, services: ConsoleServices, monkeypatch: pytest.MonkeyPatch, path: str, most: int
) -> None:
    tried: list[str] = []

    def prove(name: str, *_: str | None) -> None:
        tried.append(name)
        time.sleep(0.05)

    monkeypatch.setattr(services.book, "prove", prove)
    with ThreadPoolExecutor(40) as crowd:
        list(crowd.map(lambda _: nurse.post(path, name=nurse.name, password=WRONG, code="123456"), range(40)))
    assert 0 < len(tried) <= most


def test_a_failed_login_does_not_say_what_was_wrong(door: Door, nurse: Person, clock: Clock) -> None:
    clock.travel(minutes=1)
    code = nurse.code()
    pages = [
        Person(door, "x", "nurse").post("/login", **form)
        for form in (
            {"name": nurse.name, "password": WRONG, "code": code},
            {"name": nurse.name, "password": PASSWORD, "code": "000000"},
            {"name": "Nobody", "password": WRONG, "code": code},
        )
    ]
    assert {page.status_code for page in pages} == {401}
    assert len({page.text for page in pages}) == 1


@pytest.mark.parametrize(
    "next", ["https://evil.example", "//evil.example", "/\\evil.example", "/console/../x", "javascript:alert(1)", "/consolex", "\n//evil"]
)
def test_a_login_leads_nowhere_else(door: Door, nurse: Person, clock: Clock, next: str) -> None:
    clock.travel(minutes=1)
    answer = nurse.post("/login", name=nurse.name, password=PASSWORD, code=nurse.code(), next=next)
    assert answer.headers["location"] == f"{BASE}/"
