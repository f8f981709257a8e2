"""Those who work at the console, in Chromium, by keyboard alone."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import time
from typing import Any

import pyotp
from playwright.sync_api import Browser, Locator, Page, expect

from aftercare.protocol import load_library
from gateway.console import commands as console
from gateway.patient_copy import is_demo
from gateway.settings import Settings, from_environment
from scripts.stack import Stack
from tests.browser.watch import Watch

WARD: dict[str, Any] = {"viewport": {"width": 1366, "height": 768}}
PASSWORD = "a long password for tests"
_CODE_SECONDS = 30


class Nurse:
    """Somebody at the console with a browser of their own."""

    def __init__(self, browser: Browser, stack: Stack, name: str, role: str, **options: Any) -> None:
        self.stack, self.name = stack, name
        self.context = browser.new_context(**{**WARD, **options})
        self.watch = Watch(self.context, (stack.gateway,))
        self.page: Page = self.context.new_page()
        self._code = invitation(stack, name, role)
        self._secret = ""
        self._used = 0

    @property
    def at(self) -> str:
        """The path of the page that is shown."""
        return self.page.url.removeprefix(self.stack.gateway)

    def go(self, path: str = "/") -> None:
        """Type an address behind /console."""
        answer = self.page.goto(f"{self.stack.gateway}/console{path}")
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def set_up(self) -> Nurse:
        """Accept the invitation by keyboard."""
        self.go("/setup")
        expect(self.page.get_by_label("The code that you were given")).to_be_focused()
        self.type(self._code, "Enter")
        expect(self.page.locator("#secret")).to_be_visible()
        self._secret = self.page.locator("#secret").inner_text()
        self.tab_to(self.page.get_by_label("The code that the app shows now"))
        self.type(self.one_time(), "Tab")
        self.type(PASSWORD, "Tab")
        self.type(PASSWORD, "Enter")
        expect(self.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        return self

    def log_in(self) -> Nurse:
        """Log in by keyboard; the name field has the focus."""
        self.go("/login")
        expect(self.page.get_by_label("Name")).to_be_focused()
        self.type(self.name, "Tab")
        self.type(PASSWORD, "Tab")
        self.type(self.one_time(), "Enter")
        expect(self.page.get_by_role("navigation", name="Pages")).to_be_visible()
        return self

    def one_time(self) -> str:
        """A code of the authenticator app; each counts once, so the next one may have to be waited for."""
        now = int(time.time() // _CODE_SECONDS)
        self._used = max(self._used + 1, now)
        while self._used > int(time.time() // _CODE_SECONDS) + 1:
            time.sleep(0.5)
        return pyotp.TOTP(self._secret).generate_otp(self._used)

    def type(self, text: str, then: str = "") -> None:
        """Type, and press a key."""
        self.page.keyboard.type(text)
        if then:
            self.page.keyboard.press(then)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, target: Locator, most: int = 80) -> None:
        """Press Tab until something has the focus."""
        for _ in range(most):
            if target.evaluate("(e) => e === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {target}")

    def case_link(self, number: int) -> Locator:
        """A case's line in the queue."""
        return self.page.locator(f"#case-{number}")

    def waiting(self) -> list[int]:
        """The emergencies in the queue that nobody has acknowledged."""
        rows = self.page.locator("#live tr.tier-3", has_text="Not acknowledged")
        expect(rows.first).to_be_visible()
        return [int(text.split()[1]) for text in rows.locator("a.case").all_inner_texts()]

    def first_case(self) -> int:
        """The number of the case on top."""
        link = self.page.locator("#live a.case").first
        expect(link).to_be_visible()
        found = re.search(r"\d+", link.inner_text())
        assert found is not None
        return int(found[0])

    def close(self) -> None:
        """Close the browser."""
        self.context.set_offline(False)
        self.context.close()


def invitation(stack: Stack, name: str, role: str) -> str:
    """The code that the command prints for a new account; made in this process, which has read the settings once."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert console.add_staff(_settings(tuple(stack.environment().items())), name, role, None) == 0
    return printed.getvalue().strip().splitlines()[-1].strip()


@functools.cache
def _settings(environment: tuple[tuple[str, str], ...]) -> Settings:
    library = load_library()
    return from_environment(dict(environment), demo=is_demo(library), protocols=[protocol.key for protocol in library])
