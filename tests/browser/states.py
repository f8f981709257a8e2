"""Every state that a patient can see, and how to get there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from playwright.sync_api import Frame, Page, expect

from tests.browser.chat import PHONE, ClinicPage, Device, Panel
from tests.browser.server import Server
from tests.browser.words import CHEST, EMERGENCY, FEVER, HOW_LONG, NUMB_LEGS, SEAT, SHOWER, SORE, SPANISH, WEAK_LEGS, WORDS


@dataclass
class Shown:
    """A state on the screen.

    Attributes:
        clinic: the clinic's page.
        panel: the chat on it.
        inside: whether the chat is what is seen, and not the clinic's page alone.
    """

    device: Device
    clinic: ClinicPage
    inside: bool = True

    @property
    def page(self) -> Page:
        return self.clinic.page

    @property
    def panel(self) -> Panel:
        return self.clinic.panel

    @property
    def documents(self) -> list[Frame]:
        """The documents that are on the screen."""
        return [self.page.main_frame, self.panel.frame] if self.inside else [self.page.main_frame]

    @property
    def document(self) -> Frame:
        """The document that this state is about."""
        return self.documents[-1]


Steps = Callable[[Shown, Server], None]


@dataclass(frozen=True)
class State:
    """How to get to a state: a fresh browser with these options on this page of the clinic's, and then some steps."""

    steps: Steps
    options: Mapping[str, Any] = field(default_factory=dict)
    path: str = "/"
    words: Mapping[str, Any] = field(default_factory=lambda: WORDS)
    opened: bool = True

    def show(self, new_device: Callable[..., Device], server: Server, **options: Any) -> Shown:
        """Get there."""
        device = new_device(**{**PHONE, "bypass_csp": True, **self.options, **options})
        shown = Shown(device, device.visit(self.path, self.words), self.opened)
        if self.opened:
            shown.clinic.open()
        self.steps(shown, server)
        return shown


def _nothing(shown: Shown, _: Server) -> None:
    expect(shown.clinic.launcher).to_be_visible()


def _greeting(shown: Shown, _: Server) -> None:
    shown.panel.root.locator(".notice summary").click()


def _question(shown: Shown, _: Server) -> None:
    shown.panel.say(WEAK_LEGS)


def _emergency(shown: Shown, _: Server) -> None:
    shown.panel.say(NUMB_LEGS)
    shown.panel.card(EMERGENCY).wait_for()


def _call_doctor(shown: Shown, _: Server) -> None:
    shown.panel.say(FEVER)


def _check(shown: Shown, _: Server) -> None:
    shown.panel.say(SORE)
    shown.panel.tick(CHEST, "no")
    shown.panel.tick(SEAT, "unsure")


def _check_behind(shown: Shown, _: Server) -> None:
    shown.panel.say(SHOWER)
    expect(shown.panel.unfold).to_be_visible()


def _check_answered(shown: Shown, _: Server) -> None:
    shown.panel.say(SORE)
    shown.panel.tick(CHEST, "no")
    shown.panel.tick(SEAT, "yes")
    shown.panel.card(EMERGENCY).wait_for()
    shown.panel.mine.last.locator("summary").click()


def _self_care(shown: Shown, _: Server) -> None:
    shown.panel.settle(SORE)


def _faq(shown: Shown, _: Server) -> None:
    answer = shown.panel.say(HOW_LONG)
    answer.locator("summary").click()
    expect(answer.locator("details blockquote").first).to_be_visible()


def _everything(shown: Shown, server: Server) -> None:
    _greeting(shown, server)
    _faq(shown, server)
    shown.panel.settle(SORE)
    for text in (WEAK_LEGS, "No", NUMB_LEGS):
        shown.panel.say(text)
    closed = shown.panel.root.locator("details:not([open]) > summary")
    while closed.count():
        closed.first.click()
    shown.panel.box.fill("I want to say more. " * 8)


def _not_delivered(shown: Shown, _: Server) -> None:
    shown.device.go_offline()
    shown.page.clock.install()
    shown.panel.type("My back hurts.")
    expect(shown.panel.mine.last).to_contain_text(shown.panel.words["delivery"]["waiting"])
    shown.page.clock.fast_forward(10_100)
    expect(shown.panel.undelivered).to_be_visible()


def _safety_card(shown: Shown, _: Server) -> None:
    shown.device.go_offline()
    shown.clinic.open_in_vain()


def _menu(shown: Shown, _: Server) -> None:
    shown.panel.open_menu()


def _shared_computer(shown: Shown, _: Server) -> None:
    shown.panel.open_menu()
    shown.panel.menu_item("shared", "checkbox").check()
    shown.panel.menu_item("end").click()
    expect(shown.panel.menu_item("end_yes")).to_be_focused()


def _summary(shown: Shown, server: Server) -> None:
    _question(shown, server)
    _emergency(shown, server)
    shown.panel.open_menu()
    shown.panel.menu_item("summary").click()
    expect(shown.panel.root.locator(".log")).to_be_visible()


def _expired(shown: Shown, server: Server) -> None:
    shown.device.watch.tolerate("status of 401")
    _question(shown, server)
    server.age(shown.panel.token, timedelta(hours=5))
    shown.panel.box.fill("And my foot is numb.")
    expect(shown.panel.root.get_by_role("heading", name=shown.panel.words["expiry"]["expired_title"])).to_be_visible()


def _ended(shown: Shown, server: Server) -> None:
    shown.panel.open_menu()
    shown.panel.menu_item("end").click()
    shown.panel.menu_item("end_yes").click()
    expect(shown.panel.root.get_by_role("heading", name=shown.panel.words["expiry"]["ended_title"])).to_be_visible()


def _idle_warning(shown: Shown, server: Server) -> None:
    server.say(shown.panel.token, "Thank you.")  # once its answer has come, the stream is open and the clocks are compared
    expect(shown.panel.answers).to_have_count(2)
    shown.page.clock.set_system_time(time.time() + 28.5 * 60)
    expect(shown.panel.root.get_by_role("button", name=shown.panel.words["expiry"]["keep"])).to_be_visible()


STATES: Mapping[str, State] = {
    "launcher": State(_nothing, opened=False),
    "greeting": State(_greeting),
    "question": State(_question),
    "emergency": State(_emergency),
    "call_doctor": State(_call_doctor),
    "check": State(_check),
    "check_behind": State(_check_behind),
    "check_answered": State(_check_answered),
    "spanish_check": State(_check, path="/spanish", words=SPANISH),
    "self_care": State(_self_care),
    "faq": State(_faq),
    "everything": State(_everything),
    "not_delivered": State(_not_delivered),
    "safety_card": State(_safety_card, opened=False),
    "menu": State(_menu),
    "shared_computer": State(_shared_computer),
    "summary": State(_summary),
    "idle_warning": State(_idle_warning),
    "expired": State(_expired),
    "ended": State(_ended),
    "spanish": State(_everything, path="/spanish", words=SPANISH),
    "spanish_menu": State(_menu, path="/spanish", words=SPANISH),
}
