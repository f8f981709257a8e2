"""Accounts: invitations, passwords and one-time codes, roles, and the page on which an admin keeps them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, select, update

from gateway.console.audit.log import Wanted
from gateway.console.identity import one_time_codes
from gateway.console.identity.accounts import Staff, StaffError
from gateway.console.identity.staff import StaffBook
from gateway.console.notify.delivery import NoticeDelivery
from gateway.console.services import ConsoleServices
from gateway.records.sealing import Keyring
from gateway.records.tables import staff
from tests.gateway.console.people import PASSWORD, Person
from tests.gateway.support import MASTER_KEY, Clock, Door

Hire = Callable[..., Person]
WRONG = "not the password"


@pytest.fixture
def book(engine: Engine, clock: Clock) -> StaffBook:
    return StaffBook(engine, Keyring((MASTER_KEY,)), clock)


def _made(book: StaffBook, clock: Clock, name: str, role: str) -> tuple[Staff, str]:
    """An account that is set up, and the secret of its app."""
    secret = one_time_codes.new_secret()
    _, code = book.invite(name, role)
    return book.set_up(code, PASSWORD, secret, pyotp.TOTP(secret).at(clock()))[0], secret


def _later(clock: Clock, secret: str) -> str:
    clock.travel(seconds=60)
    return pyotp.TOTP(secret).at(clock())


def test_a_one_time_code_counts_once(book: StaffBook, clock: Clock) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    assert book.prove("Anna", PASSWORD, pyotp.TOTP(secret).at(clock())) is None
    code = _later(clock, secret)
    assert book.prove("Anna", PASSWORD, code) is not None
    assert book.prove("Anna", PASSWORD, code) is None


def test_a_code_from_before_the_last_one_does_not_count(book: StaffBook, clock: Clock) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    before = _later(clock, secret)
    clock.travel(seconds=30)
    assert book.prove("Anna", PASSWORD, pyotp.TOTP(secret).at(clock())) is not None
    assert book.prove("Anna", PASSWORD, before) is None


@pytest.mark.parametrize("ahead", [{"minutes": 5}, {"days": 1}, {"days": 400}])
def test_a_clock_that_jumped_ahead_and_back_locks_nobody_out(book: StaffBook, clock: Clock, ahead: dict[str, float]) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    clock.travel(**ahead)
    assert book.prove("Anna", PASSWORD, pyotp.TOTP(secret).at(clock())) is not None
    clock.travel(**{unit: -much for unit, much in ahead.items()})
    code = _later(clock, secret)
    assert book.prove("Anna", PASSWORD, code) is not None
    assert book.prove("Anna", PASSWORD, code) is None, "a code counts once all the same"


def test_unlocking_by_password_lets_no_used_code_count_again(book: StaffBook, clock: Clock) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    code = _later(clock, secret)
    assert book.prove("Anna", PASSWORD, code) is not None
    assert book.prove("Anna", PASSWORD, None) is not None
    assert book.prove("Anna", PASSWORD, code) is None


def test_two_logins_with_one_code_at_once_are_one(book: StaffBook, clock: Clock) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    code = _later(clock, secret)
    found = _at_once(6, lambda: book.prove("Anna", PASSWORD, code))
    assert len([person for person in found if person is not None]) == 1


def _at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    ready, found = threading.Barrier(times), []

    def work() -> None:
        ready.wait()
        try:
            found.append(act())
        except StaffError as error:
            found.append(error)

    threads = [threading.Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == times
    return found


def test_who_is_at_work_is_not_shut_out_by_a_stranger(book: StaffBook, clock: Clock) -> None:
    _made(book, clock, "Anna", "nurse")
    for _ in range(6):
        book.prove("Anna", WRONG, "000000")
    assert book.prove("Anna", PASSWORD, None) is not None
    assert book.prove("Anna", WRONG, None) is None


@pytest.mark.parametrize("password", [PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], "", "x" * 300])
def test_another_password_is_none(book: StaffBook, clock: Clock, password: str) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    assert book.prove("Anna", password, _later(clock, secret)) is None


def test_who_is_not_known_or_not_ready_costs_the_same_work(book: StaffBook, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    import gateway.console.identity.passwords as module

    looked: list[str] = []
    real = module.matches

    def counted(hashed: str, password: str) -> bool:
        looked.append(hashed)
        return real(hashed, password)

    monkeypatch.setattr(module, "matches", counted)
    book.invite("Ben", "nurse")
    assert book.prove("Ben", PASSWORD, "000000") is None
    assert book.prove("Nobody", PASSWORD, "000000") is None
    assert len(looked) == 2
    assert all(hashed.startswith("$argon2id$") for hashed in looked)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Winter2026!!",
        "qwertyuiop12",
        "123456789012",
        "letmeinletmein",
        "aaaaaaaaaaaa",
        "annaannaanna",
        "AnnaLarssonAnna",
        "short",
    ],
)
def test_a_password_that_is_guessed_soon_is_refused(book: StaffBook, clock: Clock, password: str) -> None:
    _, code = book.invite("Anna Larsson", "nurse")
    secret = one_time_codes.new_secret()
    with pytest.raises(StaffError, match=r"[Cc]hoose"):
        book.set_up(code, password, secret, pyotp.TOTP(secret).at(clock()))
    assert book.invited(code) is not None
    book.set_up(code, "lantern orbit quiet spoon", secret, pyotp.TOTP(secret).at(clock()))


def test_a_very_long_password_is_looked_at_in_time(book: StaffBook, clock: Clock) -> None:
    _, code = book.invite("Anna", "nurse")
    for password in ("x" * 200, "Tr0ub4dor&3" * 18, "1l|1l|1l|" * 22):
        began = time.monotonic()
        with suppress(StaffError):
            book.set_up(code, password, one_time_codes.new_secret(), "000000")
        assert time.monotonic() - began < 2


def test_an_invitation_counts_once_and_for_a_day(book: StaffBook, clock: Clock) -> None:
    _, code = book.invite("Anna", "nurse")
    secret = one_time_codes.new_secret()
    assert book.invited(code) is not None
    clock.travel(hours=23)
    book.set_up(code, PASSWORD, secret, pyotp.TOTP(secret).at(clock()))
    assert book.invited(code) is None
    with pytest.raises(StaffError):
        book.set_up(code, PASSWORD, secret, _later(clock, secret))
    _, late = book.invite("Ben", "nurse")
    clock.travel(hours=25)
    assert book.invited(late) is None


@pytest.mark.parametrize("secret", ["", "x", "A" * 8, "1" * 32, "ä" * 32, "A" * 33])
def test_a_secret_that_is_none_is_refused(book: StaffBook, secret: str) -> None:
    _, code = book.invite("Anna", "nurse")
    with pytest.raises(StaffError, match="app"):
        book.set_up(code, PASSWORD, secret, "000000")


def test_who_was_shut_before_setting_up_stays_out(book: StaffBook, clock: Clock) -> None:
    person, code = book.invite("Anna", "nurse")
    book.change(person.id, disabled=True)
    assert book.invited(code) is None


def test_what_is_stored_gives_nothing_away(book: StaffBook, clock: Clock, engine: Engine) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    _, code = book.invite("Ben", "nurse")
    with engine.connect() as connection:
        stored = b"".join(repr(tuple(row)).encode() for row in connection.execute(select(staff)))
    for told in (secret, code, PASSWORD):
        assert told.encode() not in stored


def test_a_second_factor_does_not_open_in_another_account(book: StaffBook, clock: Clock, engine: Engine) -> None:
    _, secret = _made(book, clock, "Anna", "nurse")
    other, _ = _made(book, clock, "Ben", "admin")
    with engine.begin() as connection:
        mine = connection.scalar(select(staff.c.totp).where(staff.c.name == "Anna"))
        connection.execute(update(staff).where(staff.c.id == other.id).values(totp=mine))
    assert book.prove("Ben", PASSWORD, _later(clock, secret)) is None
    book.accept("Ben")
    with pytest.raises(RuntimeError):
        book.prove("Ben", PASSWORD, _later(clock, secret))


def test_the_last_admin_stays(book: StaffBook, clock: Clock) -> None:
    first, _ = _made(book, clock, "Anna", "admin")
    book.invite("Not ready", "admin")
    for change in ({"disabled": True}, {"role": "nurse"}):
        with pytest.raises(StaffError, match="last admin"):
            book.change(first.id, **change)
    second, _ = _made(book, clock, "Ben", "admin")
    book.change(first.id, role="nurse")
    with pytest.raises(StaffError, match="last admin"):
        book.change(second.id, disabled=True)


def test_two_admins_who_shut_each_other_out_at_once_leave_one(book: StaffBook, clock: Clock) -> None:
    people = [_made(book, clock, name, "admin")[0] for name in ("Anna", "Ben")]
    numbers = iter([person.id for person in people])
    found = _at_once(2, lambda: book.change(next(numbers), disabled=True))
    assert len([each for each in found if isinstance(each, StaffError)]) == 1
    assert len([person for person in book.everybody() if not person.disabled]) == 1


def test_an_account_that_is_none_is_not_changed(book: StaffBook) -> None:
    for act in (lambda: book.change(99, role="lead"), lambda: book.reinvite(99)):
        with pytest.raises(StaffError):
            act()


def test_a_new_invitation_ends_the_old_account_and_is_for_local_ones(book: StaffBook, clock: Clock) -> None:
    person, secret = _made(book, clock, "Anna", "nurse")
    book.change(person.id, disabled=True)
    code = book.reinvite(person.id)
    assert book.prove("Anna", PASSWORD, _later(clock, secret)) is None
    assert book.invited(code) == book.get(person.id)
    adopted = book.adopt("https://login.example|ben", "Ben", "nurse", None)
    with pytest.raises(StaffError):
        book.reinvite(adopted.id)


def test_a_name_from_the_provider_is_made_to_fit(book: StaffBook) -> None:
    long = book.adopt("https://login.example|1", "Anna\r\n\x00 " + "x" * 300, "nurse", None)
    again = book.adopt("https://login.example|2", "Anna\r\n\x00 " + "x" * 300, "nurse", None)
    assert long.name.isprintable()
    assert len(long.name) == 80
    assert again.name != long.name
    assert book.adopt("https://login.example|3", "\x00", "nurse", None).name


# The page.


def _row(page: str, number: int) -> str:
    found = re.search(rf'<tr id="account-{number}">.*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_an_admin_invites_and_the_code_is_shown_once(door: Door, admin: Person, services: ConsoleServices) -> None:
    answer = admin.post("/staff", name="Cleo Ruiz", role="lead", email="cleo@clinic.example")
    found = re.search(r'<code id="code">([0-9a-f]{40})</code>', answer.text)
    assert found is not None, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert found[1] not in admin.get("/staff").text
    made = services.book.invited(found[1])
    assert made is not None
    assert (made.name, made.role, made.email) == ("Cleo Ruiz", "lead", "cleo@clinic.example")
    assert "Invited, not set up" in _row(admin.get("/staff").text, made.id)
    (noted,) = services.audit_log.read(Wanted(act="account_made")).entries
    assert noted.person == admin.name
    assert noted.detail == {"account": made.id, "role": "lead"}
    assert found[1] not in str(services.audit_log.read(Wanted()).entries)


@pytest.mark.parametrize(
    "form", [{"name": "", "role": "nurse"}, {"name": "Cleo", "role": "king"}, {"name": "Cleo", "role": "nurse", "email": "no address"}]
)
def test_an_invitation_that_is_wrong_says_so(admin: Person, services: ConsoleServices, form: dict[str, str]) -> None:
    before = services.book.everybody()
    answer = admin.post("/staff", **form)
    assert answer.status_code == 422
    assert 'class="refusal"' in answer.text
    assert services.book.everybody() == before


def test_a_role_is_changed_at_once(door: Door, admin: Person, nurse: Person, services: ConsoleServices) -> None:
    assert admin.post(f"/staff/{nurse.id}/role", role="auditor").status_code == 303
    assert nurse.get("/").status_code == 303
    found = services.book.named(nurse.name)
    assert found is not None
    assert found.role == "auditor"
    (noted,) = services.audit_log.read(Wanted(act="account_role")).entries
    assert noted.detail == {"account": nurse.id, "role": "auditor"}


def test_an_account_that_is_shut_is_out_at_once_until_it_is_invited_again(
    door: Door, admin: Person, nurse: Person, services: ConsoleServices
) -> None:
    assert admin.post(f"/staff/{nurse.id}/shut").status_code == 303
    assert nurse.get("/").headers["location"].startswith("/console/login")
    assert ">Shut" in _row(admin.get("/staff").text, nurse.id).replace("\n", "").replace(" ", "")
    door.clock.travel(minutes=1)
    assert nurse.post("/login", name=nurse.name, password=PASSWORD, code=nurse.code()).status_code == 401
    answer = admin.post(f"/staff/{nurse.id}/invite")
    found = re.search(r'<code id="code">([0-9a-f]{40})</code>', answer.text)
    assert found is not None
    assert services.book.invited(found[1]) is not None
    assert services.audit_log.read(Wanted(act="account_shut")).entries
    assert services.audit_log.read(Wanted(act="account_invited")).entries


@pytest.mark.parametrize("act", ["role", "shut", "invite", "open"])
def test_nobody_changes_their_own_account(hire: Hire, admin: Person, services: ConsoleServices, act: str) -> None:
    hire("admin", "Second Admin")
    before = services.book.get(admin.id)
    answer = admin.post(f"/staff/{admin.id}/{act}", role="nurse")
    assert answer.status_code == 422
    assert "another admin" in answer.text
    assert services.book.get(admin.id) == before


@pytest.mark.parametrize("act", ["role", "shut", "invite", "open"])
def test_an_account_that_is_not_there_is_not_found(admin: Person, act: str) -> None:
    assert admin.post(f"/staff/999/{act}", role="nurse").status_code == 404


def test_a_login_that_is_a_while_old_gives_the_password_again(
    door: Door, admin: Person, nurse: Person, clock: Clock, services: ConsoleServices
) -> None:
    for _ in range(3):
        clock.travel(minutes=6)
        admin.get("/staff")
    assert "Your password" in admin.get("/staff").text
    assert admin.post(f"/staff/{nurse.id}/shut").status_code == 422
    assert admin.post(f"/staff/{nurse.id}/shut", password=WRONG).status_code == 422
    assert admin.post("/staff", name="Cleo", role="admin").status_code == 422
    found = services.book.named(nurse.name)
    assert found is not None
    assert not found.disabled
    assert services.book.named("Cleo") is None
    assert admin.post(f"/staff/{nurse.id}/shut", password=PASSWORD).status_code == 303
    assert "Your password" not in admin.get("/staff").text


def test_guessing_the_password_of_an_old_login_ends_it(admin: Person, nurse: Person, clock: Clock) -> None:
    for _ in range(3):
        clock.travel(minutes=6)
        admin.get("/staff")
    for _ in range(4):
        assert admin.post(f"/staff/{nurse.id}/shut", password=WRONG).status_code == 422
    assert admin.post(f"/staff/{nurse.id}/shut", password=WRONG).status_code == 401
    assert admin.get("/staff").headers["location"].startswith("/console/login")


def test_the_provider_decides_on_the_role_of_its_own(admin: Person, services: ConsoleServices) -> None:
    person = services.book.adopt("https://login.example|ben", "Ben", "nurse", None)
    assert admin.post(f"/staff/{person.id}/role", role="admin").status_code == 422
    assert admin.post(f"/staff/{person.id}/invite").status_code == 422
    assert admin.post(f"/staff/{person.id}/shut").status_code == 303
    assert admin.post(f"/staff/{person.id}/open").status_code == 303
    found = services.book.get(person.id)
    assert found is not None
    assert not found.disabled


def test_a_name_cannot_break_the_page(admin: Person) -> None:
    page = admin.post("/staff", name="<script>alert(1)</script>", role="nurse").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


OTHER = "lantern orbit quiet spoon"


def test_somebody_changes_their_own_password_and_other_logins_end(
    door: Door, nurse: Person, services: ConsoleServices, clock: Clock
) -> None:
    clock.travel(minutes=1)
    elsewhere = Person(door, nurse.name, "nurse", nurse.secret, _steps=nurse._steps).log_in()
    answer = nurse.post("/me/password", old=PASSWORD, password=OTHER, again=OTHER)
    assert answer.status_code == 200
    assert "was changed" in answer.text
    assert nurse.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 303
    clock.travel(minutes=1)
    assert nurse.post("/login", name=nurse.name, password=PASSWORD, code=nurse.code()).status_code == 401
    assert nurse.post("/login", name=nurse.name, password=OTHER, code=nurse.code()).status_code == 303
    assert len(services.audit_log.read(Wanted(act="password_changed")).entries) == 1


@pytest.mark.parametrize(
    ("old", "password", "again"),
    [(WRONG, OTHER, OTHER), (PASSWORD, OTHER, PASSWORD), (PASSWORD, PASSWORD, PASSWORD), (PASSWORD, "password1234", "password1234")],
)
def test_a_password_is_not_changed_by_a_wrong_form(nurse: Person, services: ConsoleServices, old: str, password: str, again: str) -> None:
    assert nurse.post("/me/password", old=old, password=password, again=again).status_code == 422
    assert services.book.prove(nurse.name, PASSWORD, None) is not None


def test_guessing_the_password_to_change_it_ends_the_login(nurse: Person) -> None:
    answers = [nurse.post("/me/password", old=WRONG, password=OTHER, again=OTHER).status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 401]
    assert nurse.get("/me").status_code == 303


def test_all_leads_are_told_of_an_account_that_may_read_words(
    door: Door, admin: Person, services: ConsoleServices, lead: Person, nurse: Person
) -> None:
    services.book.invite("Second Lead", "lead", "second@clinic.example")
    outbox = NoticeDelivery(services.records.engine, services.settings, services.records.clock, services.clinic)
    before = len(outbox.latest(50))
    admin.post("/staff", name="Auditor Only", role="auditor")
    assert len(outbox.latest(50)) == before
    admin.post("/staff", name="Cleo Ruiz", role="nurse")
    found = services.book.named("Auditor Only")
    assert found is not None
    admin.post(f"/staff/{found.id}/role", role="lead")
    told = [(posted.recipient, posted.about) for posted in outbox.latest(50)][: -before or None]
    assert told == [("second@clinic.example", "account")] * 2
    page = lead.get("/").text
    assert "Cleo Ruiz (nurse): made by Admin Example" in page
    assert "Auditor Only (lead): new role by Admin Example" in page
    assert "Cleo Ruiz" not in nurse.get("/").text.partition("<details")[0]
    assert 'id="newcomers"' not in nurse.get("/").text
    assert "An account that may read words" in lead.get("/notices").text


def test_a_new_code_for_a_nurse_is_told_too_and_nobody_to_tell_is_said(admin: Person, nurse: Person, services: ConsoleServices) -> None:
    admin.post(f"/staff/{nurse.id}/invite")
    (posted,) = NoticeDelivery(services.records.engine, services.settings, services.records.clock, services.clinic).latest(50)
    assert (posted.channel, posted.problem) == ("none", "no lead has e-mail")


def test_setting_up_with_made_up_codes_is_slowed_down(door: Door, services: ConsoleServices) -> None:
    stranger = Person(door, "Nobody", "nurse")
    for _ in range(20):
        assert stranger.post("/setup", code="made up").status_code == 422
    assert stranger.post("/setup", code="made up").status_code == 429
    assert services.book.everybody() == []
    _, code = services.book.invite("Cleo", "nurse")
    assert stranger.post("/setup", code=code).status_code == 200, "a right code is none the worse for it"


def test_a_made_up_secret_breaks_no_page(door: Door, services: ConsoleServices) -> None:
    _, code = services.book.invite("Cleo", "nurse")
    stranger = Person(door, "Cleo", "nurse")
    answer = stranger.post("/setup", code=code, secret="x", password=PASSWORD, again=PASSWORD, one_time="000000")
    assert answer.status_code == 422
    assert "The code of the app is not right" in answer.text
