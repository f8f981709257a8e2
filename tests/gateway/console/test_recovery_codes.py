"""Recovery codes: each lets its owner in once in place of the authenticator's code, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select, update

from gateway.console.audit.log import Wanted, stored_head
from gateway.console.identity import one_time_codes, passwords, recovery_codes
from gateway.console.identity.accounts import StaffError
from gateway.console.identity.staff import StaffBook
from gateway.console.notify.delivery import NoticeDelivery
from gateway.console.services import ConsoleServices
from gateway.records.database import writing
from gateway.records.sealing import Keyring
from gateway.records.tables import staff
from tests.gateway.console.people import PASSWORD, Person, shown_codes
from tests.gateway.support import MASTER_KEY, Clock, Door

Hire = Callable[..., Person]
WRONG, NO_CODE = "not the password", "0000 0000 0000"


@pytest.fixture
def book(engine: Engine, clock: Clock) -> StaffBook:
    return StaffBook(engine, Keyring((MASTER_KEY,)), clock)


def _made(book: StaffBook, clock: Clock, name: str = "Anna") -> tuple[int, tuple[str, ...]]:
    """An account that is set up, and its recovery codes."""
    _, code = book.invite(name, "nurse")
    secret = one_time_codes.new_secret()
    person, codes = book.set_up(code, PASSWORD, secret, pyotp.TOTP(secret).at(clock()))
    return person.id, codes


def _written(book: StaffBook, number: int, **values: Any) -> None:
    """Somebody changes an account in the database."""
    with writing(book._engine) as connection:
        connection.execute(update(staff).where(staff.c.id == number).values(**values))


def _stored(book: StaffBook, number: int) -> dict[str, Any]:
    with book._engine.connect() as connection:
        return dict(connection.execute(select(staff).where(staff.c.id == number)).mappings().one())


def test_there_are_ten_and_each_counts_once(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    assert len(set(codes)) == recovery_codes.COUNT == 10
    for left, code in zip(range(9, -1, -1), codes, strict=True):
        found = book.prove_by_recovery_code("Anna", PASSWORD, code)
        assert found is not None
        assert (found[0].id, found[1]) == (number, left)
        assert book.prove_by_recovery_code("Anna", PASSWORD, code) is None
        assert book.recovery_codes_left(number) == left
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[0]) is None


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0[0]}-{0[1]}-{0[2]}", "{0[0]}{0[1]}{0[2]}"])
def test_spaces_and_hyphens_do_not_matter(book: StaffBook, clock: Clock, typed: str) -> None:
    _, codes = _made(book, clock)
    written = typed.format(codes[3] if "[" not in typed else codes[3].split())
    assert recovery_codes.is_code(written)
    assert book.prove_by_recovery_code("Anna", PASSWORD, written) is not None


@pytest.mark.parametrize("typed", ["", "123456", "1234 5678 901", "1234 5678 90123", "1234 5678 901x", "１２３４５６７８９０１２"])
def test_what_looks_otherwise_is_no_recovery_code(book: StaffBook, clock: Clock, typed: str) -> None:
    _made(book, clock)
    assert not recovery_codes.is_code(typed)
    assert book.prove_by_recovery_code("Anna", PASSWORD, typed) is None


def test_a_code_without_its_password_or_its_account_is_none_and_stays(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    _, others = _made(book, clock, "Ben")
    assert book.prove_by_recovery_code("Anna", WRONG, codes[0]) is None
    assert book.prove_by_recovery_code("Nobody", PASSWORD, codes[0]) is None
    assert book.prove_by_recovery_code("Anna", PASSWORD, others[0]) is None
    assert book.prove_by_recovery_code("Anna", PASSWORD, NO_CODE) is None
    assert book.recovery_codes_left(number) == 10


def test_two_logins_with_one_code_at_once_are_one(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    ready, found = threading.Barrier(4), list[Any]()

    def work() -> None:
        ready.wait()
        found.append(book.prove_by_recovery_code("Anna", PASSWORD, codes[0]))

    crowd = [threading.Thread(target=work) for _ in range(4)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert len([each for each in found if each is not None]) == 1
    assert book.recovery_codes_left(number) == 9


def test_new_codes_end_those_from_before(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    again = book.make_recovery_codes(number)
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[0]) is None
    assert book.prove_by_recovery_code("Anna", PASSWORD, again[0]) is not None


def test_codes_count_on_after_the_cost_of_hashing_changed(book: StaffBook, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    _, codes = _made(book, clock)
    monkeypatch.setattr(recovery_codes, "_HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[0]) is not None


def test_a_new_invitation_takes_them_away_and_a_closed_account_has_no_use_of_them(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    book.change(number, disabled=True)
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[0]) is None
    with pytest.raises(StaffError):
        book.make_recovery_codes(number)
    book.reinvite(number)
    assert book.recovery_codes_left(number) == 0
    with pytest.raises(StaffError, match="no recovery codes"):
        book.make_recovery_codes(number)


def test_an_account_of_the_hospitals_has_none(book: StaffBook) -> None:
    person = book.adopt("https://login.example|ben", "Ben", "nurse", None)
    assert book.recovery_codes_left(person.id) == 0
    with pytest.raises(StaffError, match="no recovery codes"):
        book.make_recovery_codes(person.id)
    assert book.prove_by_recovery_code("Ben", PASSWORD, NO_CODE) is None


def test_what_is_stored_gives_no_code_away_even_to_the_key(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    stored = _stored(book, number)["recovery"]
    opened = str(book._keyring.open(stored, f"staff/{number}/recovery"))
    for code in codes:
        for written in (code, code.replace(" ", "")):
            assert written.encode() not in stored
            assert written not in opened
    assert opened.count("$argon2id$") == 10


def test_a_change_in_the_database_is_noticed(book: StaffBook, clock: Clock) -> None:
    number, codes = _made(book, clock)
    other, theirs = _made(book, clock, "Ben")
    before = _stored(book, number)["recovery"]
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[0]) is not None
    after = _stored(book, number)["recovery"]
    for forged in (None, b"", b"x" * 60, before, _stored(book, other)["recovery"]):
        _written(book, number, recovery=forged)
        person = book.get(number)
        assert person is not None
        assert person.tampered
        for code in (*codes[:2], theirs[0]):
            assert book.prove_by_recovery_code("Anna", PASSWORD, code) is None
    _written(book, number, recovery=after)
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[1]) is not None


def test_another_accounts_codes_do_not_count_even_where_the_account_is_let_count_as_it_stands(book: StaffBook, clock: Clock) -> None:
    number, _ = _made(book, clock)
    other, theirs = _made(book, clock, "Ben")
    _written(book, number, recovery=_stored(book, other)["recovery"])
    book.accept("Anna")
    assert book.prove_by_recovery_code("Anna", PASSWORD, theirs[0]) is None
    assert book.recovery_codes_left(number) == 0


def test_the_seal_of_an_account_from_before_there_were_codes_holds(book: StaffBook, clock: Clock) -> None:
    number, _ = _made(book, clock)
    row = {**_stored(book, number), "recovery": None}
    columns = ("id", "name", "email", "role", "subject", "password", "totp", "invitation", "invited_until", "disabled_at")
    written = {name: row[name].hex() if isinstance(row[name], bytes) else row[name] for name in columns}
    with book._engine.connect() as connection:
        sealed = book._keyring.seal({"row": written, "audit": str(stored_head(connection))}, "seal of an account")
    _written(book, number, recovery=None, seal=sealed)
    person = book.get(number)
    assert person is not None
    assert not person.tampered
    codes = book.make_recovery_codes(number)
    assert book.prove_by_recovery_code("Anna", PASSWORD, codes[0]) is not None


def test_a_wrong_try_costs_the_same_work_whatever_was_wrong(book: StaffBook, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _ = _made(book, clock)
    book.change(_made(book, clock, "Closed")[0], disabled=True)
    _made(book, clock, "None left")
    _written(book, number + 2, recovery=None)
    book.accept("None left")
    done: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def work(*given: Any) -> Any:
            done.append(name)
            return real(*given)

        return work

    for module, name in ((passwords, "matches"), (recovery_codes, "_hash_like")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    for name, password in (("Anna", PASSWORD), ("Anna", WRONG), ("Nobody", PASSWORD), ("Closed", PASSWORD), ("None left", PASSWORD)):
        done.clear()
        assert book.prove_by_recovery_code(name, password, NO_CODE) is None
        assert done == ["matches", "_hash_like"], name


# The pages.


def _acts(services: ConsoleServices, act: str) -> list[dict[str, Any]]:
    return [dict(entry.detail) for entry in services.audit_log.read(Wanted(act=act)).entries]


def _log_in(person: Person, code: str) -> int:
    """Try to log in with another browser."""
    return Person(person.door, person.name, person.role).post("/login", name=person.name, password=PASSWORD, code=code).status_code


def test_they_are_shown_once_at_set_up(nurse: Person, services: ConsoleServices) -> None:
    assert len(set(nurse.recovery)) == 10
    page = nurse.get("/me").text
    assert "10 of 10 are left" in page
    assert not any(code in page for code in nurse.recovery)
    assert _acts(services, "recovery_codes_made") == [{"codes": 10, "where": "set_up"}]
    assert not any(code in str(services.audit_log.read(Wanted()).entries) for code in nurse.recovery)


def test_one_lets_in_once_in_place_of_the_apps_code(nurse: Person, services: ConsoleServices) -> None:
    assert _log_in(nurse, nurse.recovery[0]) == 303
    assert _log_in(nurse, nurse.recovery[0]) == 401
    assert _acts(services, "recovery_code_used") == [{"left": 9}]
    assert _acts(services, "login")[0] == {"how": "recovery_code"}
    assert len(_acts(services, "login_failed")) == 1
    assert "9 of 10 are left" in nurse.get("/me").text


def test_wrong_ones_are_counted_like_any_code(nurse: Person) -> None:
    assert [_log_in(nurse, NO_CODE) for _ in range(7)] == [401] * 5 + [429] * 2
    assert _log_in(nurse, nurse.recovery[0]) == 429


def test_few_are_said_to_be_few(nurse: Person) -> None:
    assert "These are few." not in nurse.get("/me").text
    for code in nurse.recovery[:8]:
        assert _log_in(nurse, code) == 303
    page = nurse.get("/me").text
    assert "2 of 10 are left" in page
    assert "These are few." in page
    for code in nurse.recovery[8:]:
        assert _log_in(nurse, code) == 303
    assert "You have none." in nurse.get("/me").text


def test_new_ones_are_made_with_password_and_code_and_shown_once(nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    clock.travel(minutes=1)
    answer = nurse.post("/me/codes", password=PASSWORD, code=nurse.code())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    codes = shown_codes(answer.text)
    assert len(codes) == 10
    assert not set(codes) & set(nurse.recovery)
    assert codes[0] not in nurse.get("/me").text
    assert _log_in(nurse, nurse.recovery[0]) == 401
    assert _log_in(nurse, codes[0]) == 303
    assert _acts(services, "recovery_codes_made")[0] == {"codes": 10, "where": "own_account"}


def test_they_are_not_made_by_a_wrong_form(nurse: Person, services: ConsoleServices, clock: Clock) -> None:
    clock.travel(minutes=1)
    used = nurse.code()
    assert nurse.post("/me/codes", password=PASSWORD, code=used).status_code == 200
    before = services.book.recovery_codes_left(nurse.id)
    for password, code in (("", ""), (PASSWORD, used), (WRONG, nurse.code()), (PASSWORD, NO_CODE)):
        answer = nurse.post("/me/codes", password=password, code=code)
        assert answer.status_code == 422
        assert services.renderer.reason("wrong_proof") in answer.text
        assert shown_codes(answer.text) == ()
    assert services.book.recovery_codes_left(nurse.id) == before


def test_a_recovery_code_does_not_make_new_ones(nurse: Person, services: ConsoleServices) -> None:
    assert nurse.post("/me/codes", password=PASSWORD, code=nurse.recovery[0]).status_code == 422
    assert services.book.recovery_codes_left(nurse.id) == 10


def test_guessing_the_proof_ends_the_login(nurse: Person) -> None:
    answers = [nurse.post("/me/codes", password=PASSWORD, code="000000").status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 401]
    assert nurse.get("/me").status_code == 303


def test_no_lead_is_written_to_about_them(lead: Person, services: ConsoleServices, clock: Clock) -> None:
    clock.travel(minutes=1)
    lead.post("/me/codes", password=PASSWORD, code=lead.code())
    _log_in(lead, lead.recovery[0])
    assert NoticeDelivery(services.records.engine, services.settings, services.records.clock, services.clinic).latest(50) == []
    assert 'id="newcomers"' not in lead.get("/").text


def test_an_account_of_the_hospitals_is_offered_none(door: Door, services: ConsoleServices) -> None:
    person = Person(door, "Ben", "nurse")
    adopted = services.book.adopt("https://login.example|ben", "Ben", "nurse", None)
    person.token = services.sessions.start(adopted)
    login = services.sessions.find(person.token)
    assert login is not None
    person.csrf = login.csrf
    assert "/console/me/codes" not in person.get("/me").text
    answer = person.post("/me/codes", password=PASSWORD, code="123456")
    assert answer.status_code == 422
    assert "no recovery codes here" in answer.text
