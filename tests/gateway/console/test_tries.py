"""How often somebody may be wrong: guessing gets slow, and no stranger shuts a nurse out."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, select

from gateway.console.audit.log import Wanted
from gateway.console.identity.tries import UNLOCK, Tries
from gateway.console.pages.entry import DEVICE
from gateway.console.services import ConsoleServices
from gateway.records.tables import login_try
from tests.gateway.console.people import PASSWORD, Person
from tests.gateway.support import Clock, Door

_HOME, _HOSPITAL = "198.51.100.7", "192.0.2.1"
WRONG = "not the password"


@pytest.fixture
def tries(engine: Engine, clock: Clock) -> Tries:
    return Tries(engine, clock)


def _log_in(tries: Tries, name: str, address: str, device: str = "") -> None:
    made = tries.begin(name, address, device)
    assert made is not None
    tries.right(made, device)


def _wrong(tries: Tries, times: int, name: str, address: str, device: str = "") -> int:
    """How many of so many wrong tries may be made."""
    return sum(tries.begin(name, address, device) is not None for _ in range(times))


def test_five_wrong_tries_lock_an_account_for_their_address_alone(tries: Tries, clock: Clock) -> None:
    assert _wrong(tries, 9, "Anna", _HOME) == 5
    assert tries.begin("Anna", _HOSPITAL) is not None
    assert tries.begin("Ben", _HOME) is not None
    clock.travel(minutes=14)
    assert tries.begin("Anna", _HOME) is None
    clock.travel(minutes=2)
    assert tries.begin("Anna", _HOME) is not None


def test_a_right_try_forgets_the_wrong_ones_before(tries: Tries) -> None:
    for _ in range(3):
        assert _wrong(tries, 4, "Anna", _HOME) == 4
        _log_in(tries, "Anna", _HOME)


def test_a_stranger_at_the_same_address_does_not_lock_a_known_browser(tries: Tries) -> None:
    _log_in(tries, "Anna", _HOSPITAL, "her browser")
    assert _wrong(tries, 9, "Anna", _HOSPITAL) == 5
    assert tries.begin("Anna", _HOSPITAL, "her browser") is not None
    assert _wrong(tries, 9, "Anna", _HOSPITAL, "made up") == 0
    assert _wrong(tries, 9, "Anna", _HOSPITAL, "her browser") == 4


def test_many_addresses_slow_an_account_down_but_never_a_place_with_a_login(tries: Tries, clock: Clock) -> None:
    _log_in(tries, "Anna", _HOSPITAL)
    assert sum(_wrong(tries, 5, "Anna", f"203.0.113.{each}") for each in range(20)) == 20
    assert tries.begin("Anna", "203.0.113.99") is None
    assert tries.begin("Anna", _HOSPITAL) is not None
    assert tries.begin("Ben", "203.0.113.99") is not None
    clock.travel(minutes=16)
    assert tries.begin("Anna", "203.0.113.99") is not None


def test_one_address_that_goes_over_many_names_is_slowed_down_but_nobody_who_logged_in_there(tries: Tries, clock: Clock) -> None:
    _log_in(tries, "Anna", _HOSPITAL)
    assert sum(_wrong(tries, 1, f"Nobody {each}", _HOSPITAL) for each in range(50)) == 20
    assert tries.begin("Ben", _HOSPITAL) is None
    assert tries.begin("Anna", _HOSPITAL) is not None
    clock.travel(minutes=1, seconds=1)
    assert tries.begin("Ben", _HOSPITAL) is not None


def test_what_counts_outlasts_a_restart_and_holds_for_all_processes(engine: Engine, clock: Clock) -> None:
    assert _wrong(Tries(engine, clock), 3, "Anna", _HOME) == 3
    assert _wrong(Tries(engine, clock), 3, "Anna", _HOME) == 2
    for _ in range(5):
        Tries(engine, clock).failed(UNLOCK, "token")
    assert not Tries(engine, clock).left(UNLOCK, "token")


def test_a_crowd_at_once_gets_no_more(tries: Tries) -> None:
    made: list[object] = []
    crowd = [threading.Thread(target=lambda: made.append(tries.begin("Anna", _HOME))) for _ in range(12)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert len([each for each in made if each is not None]) <= 5


def test_nothing_is_kept_for_long_or_in_clear(tries: Tries, engine: Engine, clock: Clock) -> None:
    _log_in(tries, "Anna", _HOME, "her browser")
    _wrong(tries, 3, "Anna", _HOSPITAL)
    with engine.connect() as connection:
        stored = repr(connection.execute(select(login_try)).all())
    assert "Anna" not in stored
    assert _HOSPITAL not in stored
    assert "browser" not in stored
    clock.travel(days=91)
    assert tries.begin("Ben", _HOME) is not None
    with engine.connect() as connection:
        assert len(connection.execute(select(login_try)).all()) == 1


# By the pages.


def _stranger(door: Door, name: str, times: int) -> list[int]:
    stranger = Person(door, name, "nurse")
    return [stranger.post("/login", name=name, password=WRONG, code="000000").status_code for _ in range(times)]


def test_a_browser_that_logged_in_before_gets_in_while_a_stranger_tries_from_its_address(door: Door, nurse: Person, clock: Clock) -> None:
    clock.travel(minutes=1)
    answer = nurse.post("/login", name=nurse.name, password=PASSWORD, code=nurse.code())
    (device,) = [cookie.partition(";")[0] for cookie in answer.headers.get_list("set-cookie") if cookie.startswith(f"{DEVICE}=")]
    assert _stranger(door, nurse.name, 7) == [401] * 5 + [429] * 2
    clock.travel(minutes=1)
    form = {"name": nurse.name, "password": PASSWORD, "code": nurse.code()}
    assert nurse.post("/login", **form).status_code == 429
    known = door.client.post("/console/login", data=form, headers={"Origin": "http://127.0.0.1:8080", "Cookie": device})
    assert known.status_code == 303


def test_who_is_locked_out_is_told_and_a_name_that_is_none_looks_the_same(door: Door, nurse: Person, services: ConsoleServices) -> None:
    assert _stranger(door, "Nobody At All", 7) == _stranger(door, nurse.name, 7) == [401] * 5 + [429] * 2
    assert len(services.audit_log.read(Wanted(act="login_failed")).entries) == 10
