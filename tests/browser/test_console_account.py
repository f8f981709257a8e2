"""One's own account at the console, by keyboard: recovery codes when they are made, kept, used and made anew."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from scripts.stack import Stack
from tests.browser import layout
from tests.browser.axe import WCAG, violations
from tests.browser.nurses import PASSWORD, WARD, Nurse

ZOOMED: ViewportSize = {"width": 683, "height": 384}


def _fits(nurse: Nurse) -> None:
    """Axe finds nothing, and nothing sticks out, at 200 % zoom neither."""
    assert violations(nurse.page.main_frame, WCAG) == []
    for size in (ZOOMED, WARD["viewport"]):
        nurse.page.set_viewport_size(size)
        found = [each for each in layout.sticking_out(nurse.page.main_frame) if "visually-hidden" not in each and "a.skip" not in each]
        assert found == []


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_recovery_codes_are_kept_used_and_made_anew_without_a_mouse(look: dict[str, str], browser: Browser, ward_stack: Stack) -> None:
    nurse = Nurse(browser, ward_stack, f"Nurse Recovery {len(look)}", "nurse", bypass_csp=True, **look).set_up()
    _fits(nurse)
    codes = nurse.page.locator("ol.codes code").all_inner_texts()
    assert len(set(codes)) == 10
    nurse.tab_to(nurse.page.get_by_role("link", name="I have kept them. Log in"))
    nurse.press("Enter")
    expect(nurse.page.get_by_label("Name")).to_be_focused()
    nurse.type(nurse.name, "Tab")
    nurse.type(PASSWORD, "Tab")
    nurse.type(codes[0], "Enter")
    expect(nurse.page.get_by_role("navigation", name="Pages")).to_be_visible()
    nurse.go("/me")
    expect(nurse.page.get_by_text("9 of 10 are left")).to_be_visible()
    expect(nurse.page.get_by_text("with a browser that was new to this account")).to_be_visible()
    _fits(nurse)
    nurse.tab_to(nurse.page.get_by_label("Your password, to make new codes"))
    nurse.type(PASSWORD, "Tab")
    nurse.type(nurse.one_time(), "Enter")
    expect(nurse.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    assert not set(nurse.page.locator("ol.codes code").all_inner_texts()) & set(codes)
    nurse.tab_to(nurse.page.get_by_role("link", name="I have kept them. Go on"))
    nurse.press("Enter")
    expect(nurse.page.get_by_text("10 of 10 are left")).to_be_visible()
    nurse.close()


def test_an_admin_reads_last_logins_and_what_closing_an_account_does(browser: Browser, ward_stack: Stack) -> None:
    nurse = Nurse(browser, ward_stack, "Nurse With A Long Name For The Table Of Accounts", "nurse").set_up().log_in()
    admin = Nurse(browser, ward_stack, "Admin of accounts", "admin", bypass_csp=True).set_up().log_in()
    admin.go("/staff")
    row = admin.page.get_by_role("row").filter(has=admin.page.get_by_role("rowheader", name=nurse.name))
    expect(row).not_to_contain_text("Never")
    row.locator("summary").click()
    expect(row).to_contain_text("go back to the queue")
    _fits(admin)
    nurse.close()
    admin.close()
