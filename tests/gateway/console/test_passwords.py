"""Passwords that are refused: leaked ones, those that are guessed soon, and those that are too short or too long; each with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from gateway.console.identity import passwords
from gateway.console.identity.passwords import LONGEST_PASSWORD, problem_of
from gateway.console.services import ConsoleServices
from tests.gateway.console.people import PASSWORD, Person
from tests.gateway.support import Door

LEAKED = "stands in lists of leaked passwords"
MORE = yaml.safe_load(Path(passwords.__file__).with_name("leaked.yml").read_text(encoding="utf-8"))
GOOD = "lantern orbit quiet spoon"


def test_every_leaked_password_that_is_long_enough_is_refused_as_leaked() -> None:
    known = [each for each in FREQUENCY_LISTS["passwords"] if len(each) >= passwords.SHORTEST_PASSWORD]
    assert len(known) > 200
    for each in (*known, *MORE, *map(str.upper, known)):
        assert LEAKED in problem_of(each, ()), each


@pytest.mark.parametrize(
    "leaked", ["kartoffelpuffer", "Telechargement", "telechargement1", "Ichliebedich!", "password1234!", "1q2w3e4r5t6y.."]
)
def test_a_leaked_password_with_something_added_is_refused(leaked: str) -> None:
    assert problem_of(leaked, ())


def test_the_reason_says_what_to_choose_instead() -> None:
    for bad in ("kartoffelpuffer", "aaaaaaaaaaaaaaaa"):
        assert problem_of(bad, ()).endswith("Choose four words that have nothing to do with each other, or with you.")
    assert problem_of(GOOD, ()) == ""


@pytest.mark.parametrize("length", [0, 11, LONGEST_PASSWORD + 1, LONGEST_PASSWORD + 500])
def test_a_length_that_is_none_is_refused_with_both_ends(length: int) -> None:
    assert problem_of((GOOD * 40)[:length], ()) == "Choose a password of 12 to 200 characters."


def test_every_character_of_the_longest_password_counts() -> None:
    longest = (GOOD * 40)[:LONGEST_PASSWORD]
    assert problem_of(longest, ()) == ""
    hashed = passwords.hash_of(longest)
    assert passwords.matches(hashed, longest)
    assert not passwords.matches(hashed, longest[:-1] + "#")
    assert not passwords.matches(hashed, longest + "#")


@pytest.mark.parametrize(("new", "why"), [("Kartoffelpuffer", LEAKED), (GOOD * 9, "12 to 200 characters"), ("qwertyuiop12", LEAKED)])
def test_it_is_refused_at_set_up_and_at_a_change(door: Door, nurse: Person, services: ConsoleServices, new: str, why: str) -> None:
    answer = nurse.post("/me/password", old=PASSWORD, password=new, again=new)
    assert answer.status_code == 422
    assert why in answer.text
    assert services.book.prove(nurse.name, PASSWORD, None) is not None
    _, code = services.book.invite("Cleo", "nurse")
    newcomer = Person(door, "Cleo", "nurse", "A" * 32)
    answer = newcomer.post("/setup", code=code, secret=newcomer.secret, password=new, again=new, one_time=newcomer.code())
    assert answer.status_code == 422
    assert why in answer.text
    assert services.book.invited(code) is not None
