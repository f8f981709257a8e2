"""Takes the pictures in docs/screenshots: the chat on the demo clinic's page, in every state that matters."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, FrameLocator, Page, expect, sync_playwright

from scripts.common import ROOT, FailureError, run_script, say
from scripts.stack import Ports, Stack

PICTURES = ROOT / "docs" / "screenshots"
PHONE: Mapping[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 800}}
NARROW: Mapping[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LIMITS = "start: {address: 999 per minute, key: 999 per minute}\nmessage: {session: 999 per minute, address: 999 per minute}\n"
LIMITS += "read: {session: 999 per minute}\nrefused: {address: 999 per minute}\n"
SLOW_MS = 20_000


@dataclass
class Visit:
    """The demo page in a browser of its own, with the chat on it."""

    page: Page

    @property
    def panel(self) -> FrameLocator:
        """The chat."""
        return self.page.frame_locator("aftercare-chat #panel iframe")

    def open(self) -> None:
        """Open the chat and wait for its greeting."""
        self.page.locator("aftercare-chat button.open").click()
        expect(self.panel.locator("li.program").first).to_be_visible()

    def say(self, *texts: str) -> None:
        """Type each text and wait for its answer."""
        for text in texts:
            answers = self.panel.locator("li.program")
            before = answers.count()
            self.panel.locator("#words").fill(text)
            self.panel.locator("#words").press("Enter")
            expect(answers.nth(before)).to_be_visible()

    def menu(self, *choices: str) -> None:
        """Open the menu and use these things in it."""
        self.panel.locator("#menu-button").click()
        for choice in choices:
            self.panel.locator("#menu").get_by_text(choice, exact=True).first.click()

    def unplug(self) -> None:
        """Take the internet away."""
        self.page.context.set_offline(True)


def _launcher(visit: Visit) -> None:
    visit.page.locator("aftercare-chat button.open").wait_for()


def _greeting(visit: Visit) -> None:
    visit.open()


def _question(visit: Visit) -> None:
    visit.open()
    visit.say("My legs feel weak.")


def _emergency(visit: Visit) -> None:
    _question(visit)
    visit.say("Yes")


def _call_doctor(visit: Visit) -> None:
    visit.open()
    visit.say("I have a fever of 101.5 F.")


def _danger_check(visit: Visit) -> None:
    visit.open()
    visit.say("The needle site is sore.")
    expect(visit.panel.locator(".check fieldset[aria-disabled]")).to_have_count(0)


def _self_care(visit: Visit) -> None:
    visit.open()
    visit.say("The needle site is sore.", "none of these")


def _faq(visit: Visit) -> None:
    visit.open()
    visit.say("How long does the procedure take?")
    visit.panel.locator("li.program summary").last.click()


def _not_delivered(visit: Visit) -> None:
    visit.open()
    visit.unplug()
    visit.panel.locator("#words").fill("My back hurts.")
    visit.panel.locator("#words").press("Enter")
    expect(visit.panel.locator(".undelivered")).to_be_visible(timeout=SLOW_MS)


def _safety_card(visit: Visit) -> None:
    visit.unplug()
    visit.page.locator("aftercare-chat button.open").click()
    expect(visit.page.get_by_role("dialog")).to_be_visible(timeout=SLOW_MS)


def _menu(visit: Visit) -> None:
    visit.open()
    visit.menu()


def _summary(visit: Visit) -> None:
    _emergency(visit)
    visit.menu("Print or save a summary")
    expect(visit.panel.locator(".log")).to_be_visible()


def _high_contrast(visit: Visit) -> None:
    visit.open()
    visit.menu("High", "Very large", "Back to the chat")
    visit.say("I have a fever of 101.5 F.")


def _spanish(visit: Visit) -> None:
    page = visit.page
    page.goto(page.url.replace("/demo", "/panel/demo?lang=es"))
    expect(page.locator("li.program")).to_be_visible()
    page.locator("#words").fill("I have a fever of 101.5 F.")
    page.locator("#words").press("Enter")
    expect(page.locator(".care")).to_be_visible()


@dataclass(frozen=True)
class Scene:
    """A picture: what happens before it, and the windows that it is taken in."""

    steps: Callable[[Visit], None]
    windows: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"phone": PHONE, "desktop": DESKTOP})


_DARK = {"phone": {**PHONE, "color_scheme": "dark"}, "desktop": {**DESKTOP, "color_scheme": "dark"}}
SCENES: Mapping[str, Scene] = {
    "launcher": Scene(_launcher),
    "greeting": Scene(_greeting),
    "question": Scene(_question),
    "danger-check": Scene(_danger_check),
    "emergency": Scene(_emergency),
    "call-doctor": Scene(_call_doctor),
    "self-care": Scene(_self_care),
    "faq": Scene(_faq),
    "not-delivered": Scene(_not_delivered),
    "safety-card": Scene(_safety_card),
    "menu": Scene(_menu),
    "summary": Scene(_summary),
    "dark-emergency": Scene(_emergency, _DARK),
    "dark-call-doctor": Scene(_call_doctor, _DARK),
    "high-contrast-very-large-text": Scene(_high_contrast),
    "narrow-emergency": Scene(_emergency, {"320": NARROW}),
    "narrow-question": Scene(_question, {"320": NARROW}),
    "narrow-danger-check": Scene(_danger_check, {"320": NARROW}),
    "spanish": Scene(_spanish),
}


def take(browser: Browser, address: str, folder: Path) -> None:
    """Take every picture of the demo page at this address."""
    for name, scene in SCENES.items():
        for window, options in scene.windows.items():
            context = browser.new_context(**options)
            try:
                visit = Visit(context.new_page())
                visit.page.goto(address)
                scene.steps(visit)
                visit.page.wait_for_timeout(300)
                visit.page.screenshot(path=folder / f"{name}-{window}.png")
            finally:
                context.set_offline(False)
                context.close()
            say(f"  {name}-{window}.png")


def main() -> None:
    """Start the bot, take the pictures, stop it.

    Raises:
        FailureError: there is no Chromium, or the bot does not start.
    """
    chromium = shutil.which("chromium")
    if not chromium:
        raise FailureError("The pictures need Debian's Chromium; run: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        limits = folder / "limits.yml"
        limits.write_text(LIMITS)
        say("Starting the bot")
        stack = Stack(Ports.free(), folder / "conversations.db", folder / "logs", {"AFTERCARE_LIMITS": str(limits)}, report=say)
        with stack, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            say(f"Taking pictures into {PICTURES}")
            take(browser, f"{stack.gateway}/demo", PICTURES)
            browser.close()


if __name__ == "__main__":
    run_script(main)
