"""Goes through the whole chat by keyboard, and keeps what a screen reader says on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Locator, expect

from tests.browser.chat import ClinicPage, Device, Panel
from tests.browser.ears import Ears, Said, Thing, listen
from tests.browser.server import Server
from tests.browser.words import EMERGENCY, HOW_LONG, SORE, WEAK_LEGS, WORDS

WET_BED = "mom wet the bed and didnt feel it"
NUMBER = "312 555 0177"
_MOST_TABS = 60


@dataclass(frozen=True)
class Step:
    """What the patient did, and what came of it.

    Attributes:
        said: by itself, in this order.
        focus: where the patient is now, behind what that stands in; the page alone where the focus is lost.
        read: what is found there when it is read on, if that is new.
    """

    title: str
    said: list[Said]
    focus: list[Thing]
    read: list[Thing]


@dataclass
class Walk:
    """One patient with one screen reader."""

    clinic: ClinicPage
    ears: Ears
    device: Device
    steps: list[Step] = field(default_factory=list)

    @property
    def panel(self) -> Panel:
        return self.clinic.panel

    @contextmanager
    def step(self, title: str, *read: Locator) -> Iterator[None]:
        """What the patient does in here is a step; when nothing more is said, what is at these places is read."""
        before = len(self.ears.said)
        yield
        self.ears.settle()
        frame = self.panel.frame if self.clinic.iframe.is_visible() else None
        found = [self.ears.thing(place) for place in read]
        self.steps.append(Step(title, self.ears.said[before:], self.ears.focused(frame), found))

    def press(self, key: str, place: Locator | None = None) -> None:
        """Press a key, at a place that Tab has to reach."""
        if place:
            self.tab_to(place)
        self.clinic.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Go to the text box, type and press Enter."""
        self.tab_to(self.panel.box)
        self.clinic.page.keyboard.type(text)
        self.clinic.page.keyboard.press("Enter")

    def write(self, text: str) -> None:
        """Type, press Enter and wait for the answer."""
        answers = self.panel.answers.count()
        self.type(text)
        expect(self.panel.answers.nth(answers)).to_be_visible(timeout=15_000)

    def tab_to(self, place: Locator) -> None:
        """Press Tab until it is reached, if need be over the end of the page."""
        for _ in range(_MOST_TABS):
            if place.evaluate("(element) => element.matches(':focus')"):
                return
            self.clinic.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {place}")


def walk_through(device: Device, server: Server) -> list[Step]:
    """The whole way, from the clinic's page to the end of the chat."""
    said = listen(device.context)
    clinic = device.visit()
    walk = Walk(clinic, Ears(clinic.page, said), device)
    for part in (_open, _symptom, _question, _call, _leaflet, _emergency, _menu, _away, _warning, _close, _end):
        part(walk, server)
    clinic.page.close()
    later = device.visit()
    walk = Walk(later, Ears(later.page, said), device, walk.steps)
    _unreachable(walk)
    return walk.steps


def _open(walk: Walk, _: Server) -> None:
    clinic, panel = walk.clinic, walk.panel
    with walk.step("On the clinic's page, goes to the chat's button"):
        clinic.tab_to(clinic.words["open_name"])
    with walk.step("Presses Enter", panel.root.locator(".panel")):
        walk.press("Enter")
        panel.ready()
    with walk.step("Goes back to the first of the ways to begin, and presses it"):
        walk.press("Enter", panel.root.get_by_role("button", name=WORDS["start"]["symptom"]))


def _symptom(walk: Walk, _: Server) -> None:
    panel = walk.panel
    with walk.step(f"Types “{SORE}” and presses Enter", panel.answers.last):
        walk.write(SORE)
    rows = panel.check.get_by_role("group").all()
    with walk.step("Goes back to the first of the short questions"):
        walk.tab_to(rows[0].get_by_role("radio").first)
    with walk.step("Presses the arrow down: No"):
        _deny(walk, rows[0])
    with walk.step("Does the same with all others"):
        for row in rows[1:]:
            _deny(walk, row)
    answers = panel.answers.count()
    with walk.step("Sends the answers", panel.answers.nth(answers)):
        walk.press("Enter", panel.check.get_by_role("button", name=WORDS["check"]["send"]))
        expect(panel.answers).to_have_count(answers + 1)


def _deny(walk: Walk, row: Locator) -> None:
    walk.press("ArrowDown", row.get_by_role("radio").first)
    expect(row.get_by_role("radio", name=WORDS["check"]["no"], exact=True)).to_be_checked()


def _question(walk: Walk, _: Server) -> None:
    panel = walk.panel
    with walk.step(f"Types “{WEAK_LEGS}” and presses Enter", panel.answers.last):
        walk.write(WEAK_LEGS)
    answers = panel.answers.count()
    with walk.step("Goes back to the answers and presses “No”", panel.answers.nth(answers)):
        expect(panel.choice("No")).not_to_have_attribute("aria-disabled", "true")
        walk.press("Enter", panel.choice("No"))
        expect(panel.answers).to_have_count(answers + 1)


def _call(walk: Walk, _: Server) -> None:
    panel, words = walk.panel, WORDS["callback"]
    form = panel.root.locator("form.callback")
    send = form.get_by_role("button", name=words["send"])
    with walk.step(f"Presses “{words['ask']}”", form):
        walk.press("Enter", panel.root.get_by_role("button", name=words["ask"]))
        expect(send).to_be_visible()
    with walk.step("Sends it without a number"):
        walk.press("Enter", send)
    with walk.step(f"Types {NUMBER} and presses Enter", panel.answers.last):
        walk.clinic.page.keyboard.type(NUMBER)
        walk.press("Enter")
        expect(form).to_have_count(0)


def _leaflet(walk: Walk, _: Server) -> None:
    panel = walk.panel
    with walk.step(f"Types “{HOW_LONG}” and presses Enter", panel.answers.last):
        walk.write(HOW_LONG)
    with walk.step("Opens where that comes from", panel.answers.last.locator("details")):
        walk.press("Enter", panel.answers.last.locator("summary"))


def _emergency(walk: Walk, _: Server) -> None:
    panel = walk.panel
    with walk.step(f"Types “{WET_BED}” and presses Enter", panel.card(EMERGENCY)):
        walk.write(WET_BED)
    with walk.step("Types “thank you” and presses Enter", panel.answers.last):
        walk.write("thank you")


def _menu(walk: Walk, _: Server) -> None:
    panel = walk.panel
    menu = panel.root.locator("#menu")
    with walk.step("Opens the menu", menu):
        walk.press("Enter", panel.menu_button)
        expect(menu).to_be_visible()
    with walk.step("Chooses to write for someone else"):
        walk.press("ArrowDown", panel.menu_item("writer_patient", "radio"))
    with walk.step("Goes back to the chat"):
        walk.press("Enter", panel.menu_item("back"))
    with walk.step("Goes to the text box"):
        walk.tab_to(panel.box)


def _away(walk: Walk, _: Server) -> None:
    panel = walk.panel
    words = "I feel better today."
    with walk.step(f"The internet goes away; types “{words}” and presses Enter", panel.mine.last, panel.safety.last):
        walk.device.go_offline()
        walk.type(words)
        expect(panel.undelivered).to_be_visible(timeout=20_000)
    answers = panel.answers.count()
    with walk.step("The internet comes back"):
        walk.device.context.set_offline(False)
        expect(panel.answers).to_have_count(answers + 1, timeout=20_000)


def _warning(walk: Walk, _: Server) -> None:
    keep = walk.panel.root.get_by_role("button", name=WORDS["expiry"]["keep"])
    with walk.step("Does nothing for 28 minutes", walk.panel.root.locator(".notes")):
        walk.clinic.page.clock.set_system_time(time.time() + 28.5 * 60)
        expect(keep).to_be_visible()
    with walk.step("Keeps the chat open"):
        walk.press("Enter", keep)
        expect(keep).to_have_count(0)


def _close(walk: Walk, server: Server) -> None:
    clinic, panel = walk.clinic, walk.panel
    with walk.step("Closes the chat with Escape"):
        walk.press("Escape")
        expect(clinic.iframe).to_be_hidden()
    with walk.step("Something comes in while it is closed"):
        server.say(panel.token, HOW_LONG)
        expect(clinic.launcher).to_contain_text(WORDS["launcher"]["unread_one"])
    with walk.step("Opens it again"):
        walk.press("Enter")
        expect(panel.box).to_be_focused()


def _end(walk: Walk, _: Server) -> None:
    panel = walk.panel
    over = panel.root.locator(".over")
    with walk.step("Opens the menu"):
        walk.press("Enter", panel.menu_button)
    with walk.step("Asks to end the chat"):
        walk.press("Enter", panel.menu_item("end"))
    with walk.step("Says yes", over):
        walk.press("Enter")
        expect(over).to_be_visible()


def _unreachable(walk: Walk) -> None:
    clinic = walk.clinic
    walk.device.go_offline()
    with walk.step("Another day, and the chat is out of order: goes to its button"):
        clinic.tab_to(clinic.words["open_name"])
    with walk.step("Presses Enter and waits five seconds", clinic.card):
        walk.press("Enter")
        expect(clinic.card).to_be_visible(timeout=15_000)
    with walk.step("Tries again"):
        walk.press("Enter", clinic.card.get_by_role("button", name=clinic.words["try_again"]))
        expect(clinic.card.get_by_role("status")).to_have_text(clinic.words["still_down"], timeout=15_000)
    with walk.step("Closes it with Escape"):
        walk.press("Escape")
        expect(clinic.card).to_be_hidden()
