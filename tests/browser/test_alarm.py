"""The alarm: an emergency is heard and told wherever a nurse is in the console, and behind a locked screen."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.nurses import Nurse
from tests.browser.server import Server
from tests.browser.test_console_work import emergency

Hire = Callable[..., Nurse]


def _beeps(page: Page) -> int:
    return int(page.evaluate("() => document.body.dataset.beeps ?? 0"))


def test_an_emergency_is_heard_on_every_page(ward: Server, hire: Hire) -> None:
    nurse = hire()
    nurse.go("/handover")
    nurse.press("Tab")  # a browser makes no sound before somebody has touched it
    emergency(ward)
    expect(nurse.page.locator("body[data-beeps]")).to_have_count(1, timeout=5_000)
    expect(nurse.page.locator("#alarm")).to_contain_text("for a nurse")
    assert nurse.page.title().startswith("Emergency (")


def test_no_filter_keeps_an_emergency_from_being_heard(ward: Server, hire: Hire) -> None:
    nurse = hire()
    nurse.go("/?view=closed")
    nurse.press("Tab")
    emergency(ward)
    expect(nurse.page.locator("#arrived")).to_contain_text("Emergency: case", timeout=5_000)
    assert _beeps(nurse.page) == 1


def test_an_emergency_is_heard_and_told_behind_the_lock(ward: Server, hire: Hire) -> None:
    nurse = hire()
    nurse.press("Tab")
    nurse.watch.tolerate("423")  # the browser's own line about the queue, which a locked screen does not get
    nurse.page.evaluate("(csrf) => fetch('/console/lock', {method: 'POST', headers: {'X-CSRF': csrf}})", _csrf(nurse))
    lock = nurse.page.get_by_role("dialog", name="Locked")
    expect(lock).to_be_visible(timeout=5_000)
    before = _beeps(nurse.page)
    emergency(ward)
    expect(lock.locator("#lock-alarm")).to_contain_text("for a nurse", timeout=5_000)
    nurse.page.wait_for_function("(before) => Number(document.body.dataset.beeps ?? 0) > before", arg=before, timeout=5_000)


def _csrf(nurse: Nurse) -> str:
    return str(nurse.page.locator("input[name=csrf]").first.get_attribute("value"))
