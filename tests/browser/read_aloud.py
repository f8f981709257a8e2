"""Writes docs/screen-reader.md: what a screen reader says on the way through the chat. `python -m tests.browser.read_aloud`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from aftercare.protocol.compose import HOUSE
from scripts.common import run_script, say
from tests.browser.aloud import Step, walk_through
from tests.browser.chat import Device
from tests.browser.clinic import Site
from tests.browser.conftest import ARGUMENTS, chromium, new_stack
from tests.browser.ears import Thing, lines
from tests.browser.server import Server

PAGE = HOUSE / "docs" / "screen-reader.md"
BEGIN = "## The way through the chat\n"
_CLOCK = re.compile(r"\d{1,2}:\d{2}\s?[AP]M")


def page(steps: Sequence[Step], head: str) -> str:
    """The page in Markdown: its head as it is, and then what was heard; without the times of the day."""
    told: list[str] = []
    before: list[Thing] = []
    for number, step in enumerate(steps, start=1):
        told += ["", f"### {number}. {step.title}", "", *_heard(step, before)]
        before = step.focus
    return head + _CLOCK.sub("(time)", "\n".join(told)) + "\n"


def _heard(step: Step, before: Sequence[Thing]) -> Iterator[str]:
    for said in step.said:
        yield f"- {'At once' if said.urgent else 'By itself'}: “{said.text}”"
    yield f"- Here now: {'; '.join(thing.spoken for thing in _entered(step.focus, before))}"
    for thing in step.read:
        yield from ("", *(f"      {line}" for line in lines(thing)))


def _entered(focus: Sequence[Thing], before: Sequence[Thing]) -> Iterator[Thing]:
    """What has the focus, and of what it stands in that which the patient was not in before."""
    known = {(thing.role, thing.name) for thing in before}
    yield from (thing for thing in focus[:-1] if (thing.role, thing.name) not in known)
    yield focus[-1]


def main() -> None:
    """Start a bot, go through the chat in Chromium, and write the page."""
    with TemporaryDirectory() as name, Site().running() as site:
        folder = Path(name)
        with new_stack(folder, site) as stack, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            server = Server(stack)
            steps = walk_through(Device(browser, site, {}), server)
            server.close()
            browser.close()
    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0] + BEGIN
    PAGE.write_text(page(steps, head), encoding="utf-8")
    say(f"Wrote {PAGE.relative_to(HOUSE)}: {len(steps)} steps")


if __name__ == "__main__":
    run_script(main)
