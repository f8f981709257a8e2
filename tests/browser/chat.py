"""The clinic's page and the chat on it, as a patient uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Frame, FrameLocator, Locator, Page, expect

from tests.browser.clinic import KEY, Site
from tests.browser.watch import Watch
from tests.browser.words import WORDS, beginning

ANSWER_MS = 8_000
_PANEL = "aftercare-chat #panel iframe"
PHONE: Mapping[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 800}}
_FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body) return "";
  return element.getAttribute("aria-label") || element.title || element.textContent.trim() || element.id;
}"""


class Panel:
    """The chat, in the clinic's page or as a page of its own."""

    def __init__(self, page: Page, root: FrameLocator | Page, words: Mapping[str, Any] = WORDS) -> None:
        self.page = page
        self.root = root
        self.words = words
        self.box = root.locator("#words")
        self.send = root.locator("form").get_by_role("button")
        self.answers = root.locator("li.program")
        self.mine = root.locator("li.you")
        self.main = root.locator("main")
        self.menu_button = root.get_by_role("button", name=words["header"]["menu"], exact=True)
        self.close_button = root.get_by_role("button", name=words["header"]["close_name"])
        self.safety = root.locator("li.safe")
        self.choices = root.get_by_role("group", name=words["chat"]["answers"])
        self.undelivered = root.locator(".undelivered")
        self.check = root.locator(".check")
        self.unfold = root.locator(".check-line").get_by_role("button")

    @property
    def frame(self) -> Frame:
        """The panel's document."""
        return next(frame for frame in self.page.frames if re.search(rf"/panel/{KEY}(\?|$)", frame.url))

    @property
    def token(self) -> str:
        """This tab's key to the conversation."""
        return str(self.frame.evaluate("() => sessionStorage.getItem('aftercare.token') ?? ''"))

    @property
    def focused(self) -> str:
        """The name, text or id of what has the focus."""
        return str(self.frame.evaluate(_FOCUSED))

    def ready(self) -> Panel:
        """Wait for the greeting."""
        expect(self.answers.first).to_be_visible()
        return self

    def type(self, text: str) -> None:
        """Type and send, without waiting."""
        self.box.fill(text)
        self.box.press("Enter")

    def say(self, text: str) -> Locator:
        """Type and send; the answer."""
        before = self.answers.count()
        self.type(text)
        return self._answer(before)

    def press(self, title: str) -> Locator:
        """Press a button of the last question; the answer."""
        before = self.answers.count()
        self.choice(title).click()
        return self._answer(before)

    def choice(self, title: str) -> Locator:
        """A button of the last question."""
        return self.choices.get_by_role("button", name=title, exact=True)

    def row(self, text: str) -> Locator:
        """The row of the danger check that begins with this text."""
        return self.check.get_by_role("group", name=re.compile(r"^\d+\. " + re.escape(text)))

    def radio(self, text: str, answer: str) -> Locator:
        """One answer to a row of the danger check: `yes`, `no` or `unsure`."""
        return self.row(text).get_by_role("radio", name=self.words["check"][answer], exact=True)

    def tick(self, text: str, answer: str) -> None:
        """Answer a row of the danger check, which is unfolded first where it begins as a line."""
        self._open_check()
        self.radio(text, answer).click()

    def deny_all(self) -> Locator:
        """No to every row of the danger check, and send them; the answer."""
        self._open_check()
        before = self.answers.count()
        for radio in self.check.get_by_role("radio", name=self.words["check"]["no"], exact=True).all():
            radio.click()
        self.check.get_by_role("button", name=self.words["check"]["send"]).click()
        return self._answer(before)

    def _open_check(self) -> None:
        """Unfold the danger check where it begins as a line, and wait until it takes taps: a card that is new takes none."""
        if self.unfold.count():
            self.unfold.last.click()
        expect(self.check.locator("fieldset[aria-disabled]")).to_have_count(0)

    def settle(self, text: str) -> Locator:
        """Type and send; where the danger check stands before the answer, No to all of it. The answer."""
        answer = self.say(text)
        return self.deny_all() if self.check.count() else answer

    def card(self, level: str) -> Locator:
        """The newest care card that begins with this level."""
        return self.root.get_by_role("group", name=beginning(level)).last

    def open_menu(self) -> Locator:
        """The menu, open."""
        self.menu_button.click()
        return self.root.get_by_role("region", name=self.words["menu"]["label"], exact=True)

    def menu_item(self, name: str, role: Any = "button") -> Locator:
        """Something in the open menu, by the key of its words; the way back, which stands on top and at the end, on top."""
        return self.root.locator("#menu").get_by_role(role, name=self.words["menu"][name], exact=True).first

    def texts(self) -> list[str]:
        """The words of both sides, without times and states, and without the way to take a tap back, which only one tab has."""
        said = self.root.locator("li.program .bubble, li.you .bubble").all_inner_texts()
        return [" ".join(text.replace(WORDS["chat"]["mistake"], "").split()) for text in said]

    def _answer(self, before: int) -> Locator:
        answer = self.answers.nth(before)
        expect(answer).to_be_visible(timeout=ANSWER_MS)
        return answer


class ClinicPage:
    """A page of the clinic's."""

    def __init__(self, page: Page, words: Mapping[str, Any] = WORDS) -> None:
        self.page = page
        self.words = words["launcher"]
        self.launcher = page.get_by_role("button", name=beginning(self.words["open_name"], self.words["continue"]))
        self.iframe = page.locator(_PANEL)
        self.card = page.get_by_role("dialog", name=self.words["card_label"])
        self.panel = Panel(page, page.frame_locator(_PANEL), words)

    @property
    def focused(self) -> str:
        """The name or text of what has the focus, also inside the launcher."""
        return str(self.page.evaluate(_FOCUSED))

    def open(self) -> Panel:
        """The chat, open and with its greeting."""
        self.launcher.click()
        return self.panel.ready()

    def close(self) -> None:
        """Close the chat by its own button, and wait until the launcher has the focus again."""
        self.panel.close_button.click()
        expect(self.iframe).to_be_hidden()
        expect(self.launcher).to_be_focused()

    def open_in_vain(self) -> None:
        """Use the launcher while the gateway is not there, and let the time pass in which it waits."""
        self.page.clock.install()
        self.launcher.click()
        self.page.clock.fast_forward(5_100)
        expect(self.card).to_be_visible()

    def tab_to(self, name: str, *, most: int = 15) -> None:
        """Press Tab until the thing of this name has the focus."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.focused.startswith(name):
                return
        raise AssertionError(f"Tab does not reach {name!r}")


class Device:
    """One browser with its own storage; a tab for each page that is visited."""

    def __init__(self, browser: Browser, site: Site, options: Mapping[str, Any]) -> None:
        self.site = site
        self.context: BrowserContext = browser.new_context(**{**DESKTOP, **options})
        self.watch = Watch(self.context, (site.origin, site.origin_of_another_site, site.gateway))

    def visit(self, path: str = "/", words: Mapping[str, Any] = WORDS, origin: str = "") -> ClinicPage:
        """A page of the clinic's in a new tab."""
        page = self.context.new_page()
        page.goto((origin or self.site.origin) + path)
        return ClinicPage(page, words)

    def open(self, path: str = "/", words: Mapping[str, Any] = WORDS) -> Panel:
        """The chat on a page of the clinic's, open."""
        return self.visit(path, words).open()

    def panel(self, language: str = "", words: Mapping[str, Any] = WORDS) -> Panel:
        """The chat as a page of its own."""
        page = self.context.new_page()
        page.goto(f"{self.site.gateway}/panel/{KEY}" + (f"?lang={language}" if language else ""))
        return Panel(page, page, words).ready()

    def close(self) -> None:
        """Close every tab."""
        self.context.set_offline(False)
        self.context.close()

    def go_offline(self) -> None:
        """Pull the plug."""
        self.watch.tolerate(r"net::ERR_|Failed to execute 'postMessage'")
        self.context.set_offline(True)


def tel_links(place: Locator) -> set[str]:
    """The telephone numbers that can be called from here."""
    links = place.locator("a[href^='tel:']").all()
    return {str(link.get_attribute("href")) for link in links if link.is_visible()}


def text_of(place: Locator) -> str:
    """The shown text on one line."""
    return re.sub(r"\s+", " ", place.inner_text()).strip()
