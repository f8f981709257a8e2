"""Takes the pictures of the nurse console in docs/screenshots, over a demo day of its own."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyotp
from playwright.sync_api import Page, expect, sync_playwright

from gateway.console.identity import one_time_codes
from gateway.console.identity.staff import StaffBook
from gateway.records.database import connect
from gateway.records.store import utc_now
from gateway.settings import from_environment
from scripts.common import FailureError, run_script, say
from scripts.demo_data import make_day
from scripts.screenshots import ARGUMENTS, LIMITS, PICTURES
from scripts.stack import Ports, Stack

_WARD: Mapping[str, Any] = {"viewport": {"width": 1366, "height": 768}}
_PATIENTS = 80
_NAME = "Ann Lee"


class Desk:
    """A team lead at the console."""

    def __init__(self, stack: Stack) -> None:
        settings = from_environment(stack.environment(), demo=True)
        self._book = StaffBook(connect(settings.records_url), settings.keyring, utc_now)
        self._console = f"{stack.gateway}/console"
        self._password, self._secret = secrets.token_urlsafe(12), one_time_codes.new_secret()
        _, code = self._book.invite(_NAME, "lead")
        self._book.set_up(code, self._password, self._secret, pyotp.TOTP(self._secret).at(int(utc_now().timestamp()) - 30))

    def log_in(self, page: Page, later: int) -> None:
        """Log in; `later` half minutes from now, because each code counts once."""
        self.go(page, "/login")
        page.get_by_label("Name").fill(_NAME)
        page.get_by_label("Password").fill(self._password)
        page.get_by_label("Code of").fill(pyotp.TOTP(self._secret).at(int(utc_now().timestamp()) + 30 * later))
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()

    def go(self, page: Page, path: str) -> None:
        """Open a page."""
        page.goto(self._console + path)


def _case(desk: Desk, page: Page) -> None:
    desk.go(page, "/")
    address = page.locator("#live tr.tier-3 a.case").first.get_attribute("href") or ""
    desk.go(page, address.removeprefix("/console"))
    expect(page.get_by_role("heading", name="Situation")).to_be_visible()


def _print(desk: Desk, page: Page) -> None:
    _case(desk, page)
    page.get_by_role("link", name="Page for printing").click()


def _lost(desk: Desk, page: Page) -> None:
    desk.go(page, "/")
    page.context.set_offline(True)
    expect(page.locator("#stale")).to_be_visible(timeout=12_000)


def _preview(desk: Desk, page: Page) -> None:
    desk.go(page, "/export")
    page.get_by_role("radio").nth(1).check()
    page.get_by_label("Reason").select_option(index=1)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name=re.compile("preview"))).to_be_visible()


def _page(path: str) -> Callable[[Desk, Page], None]:
    return lambda desk, page: desk.go(page, path)


SCENES: Mapping[str, Callable[[Desk, Page], None]] = {
    "queue": _page("/"),
    "case": _case,
    "print": _print,
    "handover": _page("/handover"),
    "figures": _page("/figures"),
    "reviews": _page("/reviews"),
    "export-preview": _preview,
    "audit": _page("/audit"),
    "notices": _page("/notices"),
    "lost-connection": _lost,
}
_WHOLE = ("case", "print", "handover", "figures")
_DARK = ("queue", "case")


def main() -> None:
    """Start the bot with a demo day, take the pictures, stop it.

    Raises:
        FailureError: there is no Chromium, or the bot does not start.
    """
    chromium = shutil.which("chromium")
    if not chromium:
        raise FailureError("The pictures need Debian's Chromium; run: apt-get install chromium")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "limits.yml").write_text(LIMITS)
        env = {"AFTERCARE_LIMITS": str(folder / "limits.yml")}
        with Stack(Ports.free(), folder / "conversations.db", folder / "logs", env, report=say) as stack:
            make_day(stack.environment(), _PATIENTS)
            _take(stack, chromium)


def _take(stack: Stack, chromium: str) -> None:
    with sync_playwright() as playwright:
        desk = Desk(stack)
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for later, (look, names) in enumerate({"light": tuple(SCENES), "dark": _DARK}.items()):
            context = browser.new_context(**{**_WARD, "color_scheme": look})
            page = context.new_page()
            desk.log_in(page, later)
            for scene in names:
                SCENES[scene](desk, page)
                file = f"console-{scene}{'' if look == 'light' else '-dark'}.png"
                page.screenshot(path=PICTURES / file, full_page=scene in _WHOLE)
                context.set_offline(False)
                say(f"  {file}")
            context.close()
        browser.close()


if __name__ == "__main__":
    run_script(main)
