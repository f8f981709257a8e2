"""The choice of a language: where it stands, what it changes, and what it leaves alone."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from aftercare.protocol import Library, load_protocol
from gateway.app import create_app
from gateway.records.database import connect, migrate
from gateway.settings import EmbedKey, from_environment
from tests.browser.axe import BEST_PRACTICE, WCAG, violations
from tests.browser.chat import PHONE, Device, Panel
from tests.browser.clinic import KEY, Site
from tests.browser.conftest import NewDevice
from tests.browser.layout import cut_off, sticking_out, too_close, too_small
from tests.browser.words import FEVER, ROOT, SPANISH, WORDS
from tests.gateway.support import served
from tests.tongues import MARK, in_language, marked, widget_with

_NAMES = {"en": "English", "es": "Español", "ar": "العربية"}
_ARABIC: Mapping[str, Any] = marked(WORDS)
_NO_RASA = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A clinic's page whose key offers three languages, the last of them invented and written from right to left; no Rasa stands behind."""
    folder = tmp_path_factory.mktemp("languages")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    records = f"sqlite:///{folder / 'records.db'}"
    environ = {"AFTERCARE_GATEWAY_PORT": str(port), "AFTERCARE_RECORDS": records, "AFTERCARE_RASA_URL": _NO_RASA}
    settings, protocol = from_environment(environ, demo=True), load_protocol(ROOT / "protocols" / "vertebroplasty")
    migrate(connect(records))
    with Site().running() as found:
        keys = {
            KEY: EmbedKey(KEY, (found.origin,), "en", languages=tuple(_NAMES)),
            "one": EmbedKey("one", (found.origin,), "en", languages=("en",)),
        }
        settings = replace(settings, embed_keys=keys, widget=widget_with(folder / "widget", settings.widget, {"ar": _NAMES["ar"]}))
        library = Library([protocol, in_language(protocol, "es"), in_language(protocol, "ar")])
        with served(create_app(settings, library), port) as gateway:
            found.show_chat_of(gateway)
            yield found


def _choice(panel: Panel) -> Locator:
    """The languages to choose from, on the first screen or in the menu."""
    return panel.root.locator(".languages:visible")


def _button(panel: Panel, language: str) -> Locator:
    return _choice(panel).get_by_role("button", name=_NAMES[language], exact=True)


def _speaks(panel: Panel, language: str, words: Mapping[str, Any], direction: str = "ltr") -> None:
    html = panel.root.locator("html")
    expect(html).to_have_attribute("lang", language)
    expect(html).to_have_attribute("dir", direction)
    expect(panel.root.locator("#menu-button")).to_have_text(words["header"]["menu"])
    assert panel.frame.title().startswith(words["title"].split(" - ")[0])


def _kept(panel: Panel) -> dict[str, str]:
    kept: dict[str, str] = json.loads(panel.frame.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})"))
    return kept


def _alone(device: Device, language: str = "", key: str = KEY) -> Panel:
    """The chat as a page of its own, whatever it says."""
    page = device.context.new_page()
    page.goto(f"{device.site.gateway}/panel/{key}" + (f"?lang={language}" if language else ""))
    return Panel(page, page).ready()


def test_with_one_language_there_is_nothing_to_choose(device: Device) -> None:
    panel = _alone(device, "es", "one")
    expect(panel.root.locator("html")).to_have_attribute("lang", "en")
    panel.menu_button.click()
    expect(panel.root.locator("#menu")).to_be_visible()
    expect(panel.root.locator(".languages")).to_have_count(0)


def test_on_the_first_screen_the_whole_chat_begins_in_the_language_that_is_chosen(new_device: NewDevice) -> None:
    panel = new_device(**PHONE).open()
    expect(_choice(panel)).to_be_in_viewport(ratio=1)
    assert _choice(panel).get_by_role("button").all_inner_texts() == list(_NAMES.values())
    for language in _NAMES:
        expect(_button(panel, language)).to_have_attribute("lang", language)
        expect(_button(panel, language)).to_have_attribute("aria-pressed", str(language == "en").lower())
    before = panel.token
    panel.box.fill("half a sentence")
    _button(panel, "es").click()
    _speaks(panel, "es", SPANISH)
    expect(panel.answers).to_have_count(1)
    expect(panel.answers.first).to_contain_text(MARK)
    expect(_button(panel, "es")).to_be_focused()
    expect(_button(panel, "es")).to_have_attribute("aria-pressed", "true")
    expect(panel.root.locator(".bubble[lang]")).to_have_count(0)
    expect(panel.box).to_have_value("half a sentence")
    assert panel.token not in ("", before)
    assert panel.say(FEVER).inner_text().count(MARK) > 0


def test_in_the_menu_the_panel_changes_and_the_conversation_stays(device: Device) -> None:
    panel = device.open()
    panel.say(FEVER)
    said, token = panel.texts(), panel.token
    panel.open_menu()
    _button(panel, "ar").click()
    _speaks(panel, "ar", _ARABIC, "rtl")
    expect(_button(panel, "ar")).to_be_focused()
    expect(panel.root.locator("#menu")).to_contain_text(_ARABIC["language"]["stays"])
    panel.root.locator("#menu-button").click()
    expect(panel.answers.last.locator(".bubble")).to_have_attribute("lang", "en")
    assert panel.token == token
    assert len(panel.texts()) == len(said)
    assert panel.answers.last.get_by_text("Why: fever.").evaluate("(e) => e.closest('[lang]').lang") == "en"


def test_a_reload_keeps_the_language_and_a_new_tab_begins_with_the_pages_own(device: Device) -> None:
    panel = _alone(device)
    _button(panel, "es").click()
    expect(panel.answers.first).to_contain_text(MARK)
    token = panel.token
    assert _kept(panel) == {"aftercare.token": token, "aftercare.language": "es"}
    panel.page.reload()
    _speaks(panel, "es", SPANISH)
    expect(panel.answers.first).to_contain_text(MARK)
    assert panel.token == token
    assert _kept(panel) == {"aftercare.token": token, "aftercare.language": "es"}
    expect(_alone(device, "ar").root.locator("html")).to_have_attribute("dir", "rtl")


def test_to_clear_the_device_forgets_the_language(device: Device) -> None:
    panel = _alone(device)
    _button(panel, "es").click()
    expect(panel.answers.first).to_contain_text(MARK)
    panel.root.locator("#menu-button").click()
    device.watch.tolerate("status of 401")
    panel.root.get_by_role("button", name=SPANISH["menu"]["clear"]).click()
    expect(panel.root.locator(".over")).to_be_visible()
    assert _kept(panel) == {}


def test_by_keyboard_alone(device: Device) -> None:
    panel = device.open()
    _button(panel, "en").focus()
    panel.page.keyboard.press("Tab")
    expect(_button(panel, "es")).to_be_focused()
    panel.page.keyboard.press("Enter")
    _speaks(panel, "es", SPANISH)
    expect(_button(panel, "es")).to_be_focused()
    panel.page.keyboard.press("Tab")
    panel.page.keyboard.press("Space")
    _speaks(panel, "ar", _ARABIC, "rtl")


def test_without_a_network_the_language_stays_and_the_panel_says_so(device: Device) -> None:
    panel = device.open()
    device.watch.tolerate(r"net::ERR_")
    panel.page.route(re.compile(r"/words\?"), lambda route: route.abort())
    _button(panel, "es").click()
    expect(panel.root.locator(".menu-note")).to_have_text(WORDS["menu"]["failed"])
    _speaks(panel, "en", WORDS)


@pytest.mark.parametrize("language", ["es", "ar"])
def test_axe_finds_nothing_and_every_button_can_be_hit(language: str, new_device: NewDevice) -> None:
    panel = new_device(**PHONE, bypass_csp=True).open()
    _button(panel, language).click()
    expect(panel.answers.first).to_contain_text(MARK)
    _sound(panel)
    panel.root.locator("#menu-button").click()
    expect(_choice(panel)).to_be_visible()
    _sound(panel)


def _sound(panel: Panel) -> None:
    frame = panel.frame
    assert not violations(frame, (*WCAG, *BEST_PRACTICE))
    assert not [*too_small(frame), *too_close(frame), *sticking_out(frame), *cut_off(frame)]
