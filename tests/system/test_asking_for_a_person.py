"""How many of a hundred messages that no training saw are heard right: requests for a person, and others that only speak of one."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import yaml

from tests.system.conftest import Say

TOLD: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("asks_for_a_person.yml").read_text(encoding="utf-8"))
MOST_MISSED, MOST_WRONG = 3, 4


def _offered(say: Say, text: str) -> bool:
    return "callback" in say(uuid4().hex, text).custom.get("offers", ())


def test_requests_for_a_person_are_heard(say: Say) -> None:
    missed = [text for text in TOLD["asks"] if not _offered(say, text)]
    assert len(missed) <= MOST_MISSED, missed


def test_what_only_speaks_of_a_person_is_no_request(say: Say) -> None:
    wrong = [text for text in TOLD["asks_not"] if _offered(say, text)]
    assert len(wrong) <= MOST_WRONG, wrong


def test_who_leaves_a_number_is_offered_the_form_that_takes_it(say: Say) -> None:
    assert all(_offered(say, text) for text in TOLD["leaves_number"])
