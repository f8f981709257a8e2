"""The chat in a browser as it comes, on a clinic's page of another site: storage is kept apart, and left pages are kept alive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat import ClinicPage, Device
from tests.browser.clinic import Site
from tests.browser.server import Server
from tests.browser.words import CANARY, CHEST, EMERGENCY, FEVER, NUMB_LEGS, SORE, WEAK_LEGS

_STORED = "() => [Object.keys(localStorage), Object.keys(sessionStorage)]"


@pytest.fixture
def clinic(browser_at_home: Browser, site: Site) -> Iterator[ClinicPage]:
    device = Device(browser_at_home, site, {})
    device.watch.tolerate("status of 401")
    yield device.visit(origin=site.origin_of_another_site)
    device.close()
    assert device.watch.complaints == []


def _leave(clinic: ClinicPage) -> None:
    clinic.page.get_by_role("link", name="Visits").click()
    clinic.page.wait_for_url("**/visits")


def _come_back(clinic: ClinicPage) -> None:
    clinic.page.go_back()
    clinic.page.wait_for_url(lambda url: not url.endswith("/visits"))
    if not clinic.iframe.count() or clinic.iframe.is_hidden():
        clinic.launcher.click()


def test_storage_is_there_and_reload_keeps_the_dialogue(clinic: ClinicPage) -> None:
    panel = clinic.open()
    panel.say(f"{WEAK_LEGS} {CANARY}")
    panel.press("No")
    assert panel.frame.evaluate(_STORED) == [[], ["aftercare.token"]]
    before, token = panel.texts(), panel.token
    clinic.page.reload()
    clinic.open()
    expect(panel.answers.last).to_contain_text(CHEST)
    assert (panel.texts(), panel.token) == (before, token)
    panel.tick(CHEST, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_dialogue_lives_on_after_the_way_back(clinic: ClinicPage, server: Server) -> None:
    panel = clinic.open()
    panel.say(FEVER)
    token = panel.token
    _leave(clinic)
    server.say(token, SORE)
    _come_back(clinic)
    expect(panel.answers).to_have_count(3)
    assert panel.token == token
    panel.say(NUMB_LEGS)
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_shared_computer_shows_nothing_after_the_way_back(clinic: ClinicPage, server: Server) -> None:
    panel = clinic.open()
    panel.say(f"{FEVER} {CANARY}")
    token = panel.token
    panel.open_menu()
    panel.menu_item("shared", "checkbox").check()
    panel.menu_item("back").click()
    _leave(clinic)
    _come_back(clinic)
    expect(panel.root.locator("header")).to_be_visible()
    clinic.page.wait_for_timeout(500)
    expect(panel.root.locator("body")).not_to_contain_text(CANARY)
    expect(panel.mine).to_have_count(0)
    assert server.error(token) == "session_ended"
