"""The whole way through the chat as a screen reader has it: what is said, how urgently and how often, and where the focus is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.aloud import WET_BED, Step, walk_through
from tests.browser.chat import Device
from tests.browser.clinic import Site
from tests.browser.ears import flowing, lines
from tests.browser.read_aloud import PAGE
from tests.browser.server import Server
from tests.browser.words import EMERGENCY, SORE, WORDS


@pytest.fixture(scope="module")
def steps(browser: Browser, shared_site: Site, shared_server: Server) -> Iterator[list[Step]]:
    device = Device(browser, shared_site, {})
    yield walk_through(device, shared_server)
    device.close()
    assert device.watch.complaints == []


def _step(steps: list[Step], title: str) -> Step:
    return next(step for step in steps if title in step.title)


def test_the_emergency_is_said_at_once_and_once_with_its_heading_first(steps: list[Step]) -> None:
    step = _step(steps, WET_BED)
    assert [said.urgent for said in step.said] == [True]
    heading = next(thing for thing in step.read[0].all() if thing.role == "heading")
    assert flowing(heading).startswith(EMERGENCY)
    assert step.said[0].text.startswith(flowing(heading))


def test_only_emergencies_are_urgent(steps: list[Step]) -> None:
    said = [said for step in steps for said in step.said]
    assert {said.urgent for said in said} == {True, False}
    assert all(said.urgent == said.text.startswith(EMERGENCY) for said in said)


def test_the_focus_is_never_lost(steps: list[Step]) -> None:
    assert [step.title for step in steps if step.focus[-1].role in ("RootWebArea", "Iframe")] == []


def test_every_control_has_a_name(steps: list[Step]) -> None:
    met = [thing for step in steps for place in (*step.read, *step.focus) for thing in place.all() if thing.is_control]
    assert len(met) > 100
    assert [thing.spoken for thing in met if not thing.name] == []


def test_nothing_is_said_twice(steps: list[Step]) -> None:
    assert [step.title for step in steps if len(set(step.said)) < len(step.said)] == []


def test_a_question_is_read_once(steps: list[Step]) -> None:
    step = _step(steps, SORE)
    question = "Before I say more: "
    assert sum(question in line for line in lines(step.read[0])) == 1


def test_what_came_in_while_the_chat_was_closed_is_said_when_it_is_opened(steps: list[Step]) -> None:
    assert _step(steps, "while it is closed").said == []
    assert [said.urgent for said in _step(steps, "Opens it again").said] == [True]


def test_the_end_is_said(steps: list[Step]) -> None:
    assert [said.text for said in _step(steps, "Says yes").said] == [f"{WORDS['expiry']['ended_title']}. {WORDS['expiry']['ended']}"]


def test_frame_and_card_say_what_they_are(steps: list[Step]) -> None:
    frame = _step(steps, "Presses Enter").focus[0]
    assert (frame.role, frame.name) == ("Iframe", WORDS["launcher"]["frame_title"])
    card = _step(steps, "waits five seconds")
    assert [(thing.role, thing.name) for thing in card.read] == [("dialog", WORDS["launcher"]["card_label"])]
    assert card.focus[-1].role == "dialog"


def test_the_page_tells_of_the_same_steps(steps: list[Step]) -> None:
    told = re.findall(r"(?m)^### \d+\. (.+)$", PAGE.read_text(encoding="utf-8"))
    assert told == [step.title for step in steps]
