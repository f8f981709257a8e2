"""One's own account: when it logged in last and with which browser, and forms whose secrets no page repeats."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from gateway.console.identity import passwords
from gateway.console.pages.entry import DEVICE
from gateway.console.services import ConsoleServices
from gateway.console.times import moment
from tests.gateway.console.people import PASSWORD, Person
from tests.gateway.support import HOME, Clock, Door

OTHER = "lantern orbit quiet spoon"
NEW, KNOWN = "with a browser that was new to this account", "with a browser that had logged in to this account before"


def _logins(person: Person) -> list[str]:
    """What the page says of this login and of the last other one."""
    return re.findall(r"login</dt><dd>([^<]*)</dd>", person.get("/me").text)


def test_the_first_login_is_said_to_be_the_only_one(nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    this, other = _logins(nurse)
    assert this == f"{moment(services.clinic, clock())}, {NEW}"
    assert other == "None"


def test_the_last_other_login_is_shown_with_its_browser(nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    first, _ = _logins(nurse)
    clock.travel(hours=2)
    form = {"name": nurse.name, "password": PASSWORD, "code": nurse.code()}
    answer = nurse.post("/login", **form)
    (device,) = [cookie.partition(";")[0] for cookie in answer.headers.get_list("set-cookie") if cookie.startswith(f"{DEVICE}=")]
    clock.travel(minutes=1)
    again = {**form, "code": nurse.code()}
    answer = nurse.door.client.post("/console/login", data=again, headers={"Origin": HOME, "Cookie": device})
    token = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    this, other = _logins(Person(nurse.door, nurse.name, "nurse", token=token))
    assert this == f"{moment(services.clinic, clock())}, {KNOWN}"
    assert other.endswith(NEW)
    assert other != first, "the latest of the others"


def test_a_login_elsewhere_is_seen_by_who_is_at_work(door: Door, nurse: Person, clock: Clock) -> None:
    clock.travel(minutes=1)
    Person(door, nurse.name, "nurse", nurse.secret, _steps=nurse._steps).log_in()
    this, other = _logins(nurse)
    assert NEW in this
    assert other != "None"


def test_of_a_login_by_the_provider_no_browser_is_said(door: Door, services: ConsoleServices) -> None:
    person = services.book.adopt("https://login.example|ben", "Ben", "nurse", None)
    page = Person(door, "Ben", "nurse", token=services.sessions.start(person)).get("/me").text
    assert "with a browser" not in page
    assert "Tell an admin at once." in page


def test_an_admin_sees_when_each_logged_in_last(admin: Person, nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    def last(name: str) -> str:
        person = services.book.named(name)
        assert person is not None
        row = re.search(rf'<tr id="account-{person.id}">.*?</tr>', admin.get("/staff").text, re.DOTALL)
        assert row is not None
        return str(re.findall(r"<td>([^<]*)</td>", row[0])[-1])

    services.book.invite("Newcomer", "nurse")
    assert last("Newcomer") == "Never"
    first = last(nurse.name)
    assert first == moment(services.clinic, clock())
    clock.travel(minutes=5)
    nurse.log_in()
    assert last(nurse.name) == moment(services.clinic, clock()) != first


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/me/password", {"old": PASSWORD, "password": OTHER, "again": OTHER}),
        ("/me/codes", {"password": PASSWORD, "code": "123456"}),
    ],
)
def test_no_page_repeats_a_secret_that_was_typed_as_the_screen_locked(nurse: Person, path: str, form: dict[str, str]) -> None:
    nurse.post("/lock")
    page = nurse.post(path, **form)
    assert page.status_code == 423
    for secret in form.values():
        assert secret not in page.text
    assert "draft." not in page.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    assert "write" not in fields
    answer = nurse.post("/unlock", then=fields["then"], password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/me")
    assert nurse.get("/me").status_code == 200


def test_a_password_is_not_given_to_an_account_that_was_invited_anew_meanwhile(
    nurse: Person, services: ConsoleServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, number = passwords.problem_of, nurse.id

    def meanwhile(password: str, about: Iterable[str]) -> str:
        services.book.reinvite(number)
        return check(password, about)

    monkeypatch.setattr(passwords, "problem_of", meanwhile)
    answer = nurse.post("/me/password", old=PASSWORD, password=OTHER, again=OTHER)
    assert answer.status_code == 422
    assert "changed meanwhile" in answer.text
    person = services.book.get(number)
    assert person is not None
    assert not person.ready
