"""Two procedures in one gateway: each embed key's panel speaks of its own, in the same browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from aftercare.protocol import load_protocol
from scripts.stack import Ports, Stack
from tests.browser.chat import Panel
from tests.browser.words import WORDS
from tests.procedures import BACK, BOWEL, FIRST, SECOND, environment_of_both, model_of_both

pytestmark = pytest.mark.timeout(1_800)  # the first test waits for the training
_QUESTION = "When should I call the doctor?"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("both")
    env = environment_of_both(folder, ["http://127.0.0.1:9"])
    with Stack(Ports.free(), folder / "conversations.db", folder / "logs", env, model=model_of_both()) as running:
        yield running


def test_each_panel_answers_from_its_own_leaflet(both: Stack, browser: Browser) -> None:
    context = browser.new_context()
    panels = {}
    for key, folder in ((BACK, FIRST), (BOWEL, SECOND)):
        page = context.new_page()
        page.goto(f"{both.gateway}/panel/{key}")
        panels[key] = (Panel(page, page, WORDS).ready(), load_protocol(folder))
    for panel, _ in panels.values():
        panel.say(_QUESTION)
    for panel, protocol in panels.values():
        expect(panel.page.get_by_text(protocol.clinic.details["clinic"]).first).to_be_visible()
        expect(panel.page.get_by_text(protocol.topic_of_suppositions.sentences[0].quote).first).to_be_visible()
    context.close()
