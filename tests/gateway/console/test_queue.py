"""The queue: what is in it, in which order, and what is live."""

from __future__ import annotations

import re

from tests.gateway.console.people import Person, case_of
from tests.gateway.support import HARMLESS, RED_FLAG, Door


def test_an_emergency_stands_above_what_came_before_it(door: Door, nurse: Person) -> None:
    fever, red = door.patient(), door.patient()
    fever.say("I have a fever of 101")
    red.say(RED_FLAG)
    page = nurse.get("/")
    assert page.status_code == 200, page.text
    assert re.findall(r'id="case-(\d+)"', page.text) == [str(case_of(door, red)), str(case_of(door, fever))]
    assert "quokkaberry" not in page.text


def test_self_care_needs_no_nurse_and_is_found_among_all(door: Door, nurse: Person) -> None:
    sore = door.patient()
    sore.say(HARMLESS)
    assert "Nothing here" in nurse.get("/").text
    assert f'id="case-{case_of(door, sore)}"' in nurse.get("/", params={"view": "all"}).text


def test_the_live_part_is_silent_until_something_changes(door: Door, nurse: Person) -> None:
    part = nurse.get("/queue").text
    seen = re.search(r'data-fingerprint="([^"]+)"', part)
    assert seen is not None
    assert nurse.get("/queue", params={"seen": seen[1]}).status_code == 204
    door.patient().say(RED_FLAG)
    again = nurse.get("/queue", params={"seen": seen[1]})
    assert again.status_code == 200
    assert "Emergency" in again.text
