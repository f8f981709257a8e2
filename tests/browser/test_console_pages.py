"""Every page of the console for everybody: axe, a ward's screen, 200 % zoom, dark rooms, forced colours, no scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize

from scripts.stack import Stack
from tests.browser import layout
from tests.browser.axe import WCAG, violations
from tests.browser.nurses import Nurse
from tests.browser.server import Server
from tests.browser.test_console_work import emergency

PAGES = (
    "/", "/?view=all", "/?view=closed&tier=1", "/cases/{case}", "/cases/{case}/print", "/notices", "/handover", "/reviews", "/figures",
    "/replay", "/export", "/audit", "/me",
)  # fmt: skip
LOOKS = {"light": {}, "dark": {"color_scheme": "dark"}, "forced colours": {"forced_colors": "active"}}
ZOOMED: ViewportSize = {"width": 683, "height": 384}


@pytest.fixture(scope="module", params=list(LOOKS))
def lead(request: pytest.FixtureRequest, browser: Browser, ward_stack: Stack, ward: Server) -> Iterator[Nurse]:
    """A team lead with a case, in each look; the page's policy is off so that axe can be put into it."""
    emergency(ward, "no fever, but I can not breathe well. my number is 212-664-7665")
    person = Nurse(browser, ward_stack, f"Lead {request.param}", "lead", bypass_csp=True, **LOOKS[request.param])
    yield person.set_up().log_in()
    person.close()


@pytest.fixture(scope="module")
def case(lead: Nurse) -> int:
    lead.go("/")
    return lead.first_case()


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violation_and_nothing_sticks_out(path: str, lead: Nurse, case: int) -> None:
    lead.go(path.format(case=case))
    assert violations(lead.page.main_frame, WCAG) == []
    assert lead.page.locator("h1").count() == 1
    assert _sticking_out(lead) == []
    lead.page.set_viewport_size(ZOOMED)  # a 1366-pixel screen at 200 %
    try:
        assert _sticking_out(lead) == []
    finally:
        lead.page.set_viewport_size({"width": 1366, "height": 768})


def _sticking_out(lead: Nurse) -> list[str]:
    """What does not fit, but for wide tables that scroll by themselves."""
    allowed = ("visually-hidden", "a.skip", "div.wide", "pre.wide")
    return [found for found in layout.sticking_out(lead.page.main_frame) if not any(each in found for each in allowed)]


@pytest.mark.parametrize("look", list(LOOKS))
def test_pages_before_logging_in(look: str, browser: Browser, ward_stack: Stack) -> None:
    person = Nurse(browser, ward_stack, f"New {look}", "nurse", bypass_csp=True, **LOOKS[look])
    for path in ("/login", "/setup"):
        person.go(path)
        assert violations(person.page.main_frame, WCAG) == []
    person.set_up()
    person.close()


def test_an_admins_pages(browser: Browser, ward_stack: Stack) -> None:
    person = Nurse(browser, ward_stack, "Admin of pages", "admin", bypass_csp=True).set_up().log_in()
    for path in ("/staff", "/figures", "/me"):
        person.go(path)
        assert violations(person.page.main_frame, WCAG) == []
        assert _sticking_out(person) == []
    person.close()


def test_the_tiers_are_told_in_words_not_by_colour(lead: Nurse) -> None:
    lead.go("/")
    for row in lead.page.locator("#live tbody tr").all():
        assert row.locator(".tier").inner_text() in ("Emergency", "Call doctor", "Self-care", "No advice")


def test_without_scripts_the_pages_work_and_reload_by_themselves(browser: Browser, ward_stack: Stack, ward: Server) -> None:
    emergency(ward)
    nurse = Nurse(browser, ward_stack, "Nurse Noscript", "nurse", java_script_enabled=False).set_up().log_in()
    assert nurse.page.locator("noscript meta[http-equiv=refresh]").count() or "refresh" in nurse.page.content()
    nurse.go(f"/cases/{nurse.first_case()}")
    nurse.page.get_by_role("button", name="Acknowledge").click()
    assert "Acknowledged" in nurse.page.locator(".case-head").inner_text()
    nurse.close()
