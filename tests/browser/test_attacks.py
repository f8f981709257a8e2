"""What strangers, foreign pages and hostile words try, and what comes of it: nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import ClinicPage, Device, Panel, tel_links
from tests.browser.clinic import KEY, Site
from tests.browser.conftest import NewDevice
from tests.browser.server import Server
from tests.browser.watch import spied
from tests.browser.words import CALL_DOCTOR, CANARY, CHEST, EMERGENCY, FEVER, NUMB_LEGS, SORE, TEL, WEAK_LEGS, WORDS, WORSE, WORSE_AGAIN

XSS = [
    "<script>window.__hit = 1</script>",
    "<img src=x onerror=window.__hit=1>",
    "<svg onload=window.__hit=1>",
    '"><script>window.__hit = 1</script>',
    "' autofocus onfocus=window.__hit=1 x='",
    "<iframe srcdoc='<script>parent.__hit=1</script>'></iframe>",
    "<a href='javascript:window.__hit=1'>call 911</a>",
    "javascript:window.__hit=1",
    "<details open ontoggle=window.__hit=1>",
    "${window.__hit=1} {{window.__hit=1}} #{window.__hit=1}",
    "</textarea><script>window.__hit = 1</script>",
    "</script><script>window.__hit = 1</script>",
    "<style>*{display:none}</style>",
    "<base href='https://evil.example/'>",
    "<!--?lit$123$--><b>bold</b>",
    "&lt;script&gt;window.__hit = 1&lt;/script&gt;",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.__hit=1>",
    "\u202e<b>right to left</b>\u202c",
]
HOSTILE: list[Any] = [
    None,
    1,
    "ready",
    [],
    {},
    {"aftercare": 2, "type": "close"},
    {"aftercare": "1", "type": "close"},
    {"aftercare": 1, "type": "say", "text": "I am fine"},
    {"aftercare": 1, "type": "close", "more": 1},
    {"aftercare": 1, "type": "hello"},
    {"aftercare": 1, "type": "hello", "theme": None, "open": True},
    {"aftercare": 1, "type": "hello", "theme": {"accent": "</style><script>window.__hit = 1</script>"}, "open": True},
    {"aftercare": 1, "type": "hello", "theme": {"accent": "url(https://evil.example/x)"}, "open": True},
    {"aftercare": 1, "type": "hello", "theme": {"accent": "red; } * { display: none"}, "open": True},
    {"aftercare": 1, "type": "hello", "theme": {"accent": "javascript:window.__hit=1", "accentText": "#fff"}, "open": True},
    {"aftercare": 1, "type": "hello", "theme": {"font": "x" * 1_000_000}, "open": True},
    {"aftercare": 1, "type": "hello", "theme": {"__proto__": {"accent": "red"}, "colour": "red"}, "open": True},
    {"aftercare": 1, "type": "token", "token": "stolen"},
    {"type": "end"},
]
_STYLE = "() => document.documentElement.getAttribute('style')"
_HIT = "() => window.__hit"


@pytest.fixture(scope="module")
def evil_site(shared_site: Site) -> Iterator[Site]:
    """A site that shows the clinic's chat and is not listed."""
    with Site().running() as running:
        running.show_chat_of(shared_site.gateway)
        yield running


@pytest.fixture
def stranger(new_device: NewDevice, site: Site, evil_site: Site) -> Device:
    """Somebody who was lured to the evil site."""
    visitor = new_device()
    visitor.watch.allow(evil_site.origin)
    visitor.watch.tolerate(
        "frame-ancestors|Failed to execute 'postMessage'|blocked by CORS policy|net::ERR_FAILED|status of 403|does not list"
    )
    return visitor


def test_page_that_is_not_listed_gets_no_chat_and_its_visitor_gets_the_numbers(stranger: Device, evil_site: Site) -> None:
    clinic = stranger.visit(origin=evil_site.origin)
    clinic.open_in_vain()
    assert set(TEL.values()) <= tel_links(clinic.card)
    assert any("frame-ancestors" in line for line in [*stranger.watch.console, *stranger.watch.blocked]), stranger.watch.console
    assert not [url for url in stranger.watch.requests if "/api/" in url]


def test_page_that_is_not_listed_can_not_start_a_chat(stranger: Device, evil_site: Site, server: Server) -> None:
    evil_site.add_page("/attack", with_chat=False, strict=False)
    page = stranger.visit("/attack", origin=evil_site.origin).page
    start = """([url, key]) => fetch(url, { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key, writer: "patient" }) }).then((answer) => answer.status, (error) => error.name)"""
    assert page.evaluate(start, [f"{evil_site.gateway}/api/v1/sessions", KEY]) == "TypeError"
    refused = server.start(origin=evil_site.origin)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert refused.json()["error"] == "forbidden"
    assert "911" in json.dumps(refused.json()["safety"])


def test_page_that_is_not_listed_can_not_use_a_stolen_token(server: Server, evil_site: Site) -> None:
    token = server.start().json()["token"]
    for method, path in (("GET", "/session/events?after=0&wait=0"), ("GET", "/session/summary"), ("DELETE", "/session")):
        assert server.ask(method, path, token, origin=evil_site.origin).status_code == 403
    assert server.error(token) == ""


def test_token_opens_its_own_conversation_and_no_other(new_device: NewDevice, server: Server) -> None:
    one, other = new_device().open(), new_device().open()
    one.say(f"{FEVER} {CANARY}")
    other.say(SORE)
    for path in ("/session/events?after=0&wait=0", "/session/summary"):
        assert CANARY in server.ask("GET", path, one.token).text
        assert CANARY not in server.ask("GET", path, other.token).text
    for token in ("", "x" * 43, one.token[:-1], one.token + "x", one.token.swapcase()):
        answer = server.ask("GET", "/session/events?after=0&wait=0", token)
        assert answer.status_code == 401
        assert CANARY not in answer.text


def test_used_button_does_nothing_when_its_request_is_sent_again(device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(WEAK_LEGS)
    panel.press("No")
    pressed = next(json.loads(body) for _, url, body in device.watch.bodies if url.endswith("/messages") and "button" in json.loads(body))
    again = server.ask("POST", "/session/messages", panel.token, json=pressed)
    assert again.status_code == 200
    replayed = server.ask("POST", "/session/messages", panel.token, json={**pressed, "client_id": "0" * 32})
    assert replayed.status_code == 409
    assert replayed.json()["error"] == "button_gone"
    assert server.messages(panel.token) == [WEAK_LEGS, "No"]
    expect(panel.answers).to_have_count(3)


def test_button_of_one_patient_is_no_button_of_another(new_device: NewDevice, server: Server) -> None:
    one, other = new_device().open(), new_device().open()
    for panel in (one, other):
        panel.say(WEAK_LEGS)
    button = server.events(one.token)[-1]["buttons"][0]["id"]
    stolen = server.ask("POST", "/session/messages", other.token, json={"client_id": "1" * 32, "button": button})
    assert stolen.status_code == 409


@pytest.mark.parametrize(
    "text", ["/restart", "/session_start", '/report_fever{"x":1}', "/affirm", "/deny", "EXTERNAL: hello", '/SetSlots(state="")', "/"]
)
def test_commands_are_plain_words(text: str, device: Device, server: Server) -> None:
    panel = device.open()
    panel.say(WEAK_LEGS)
    panel.say(text)
    expect(panel.mine.last.locator(".words")).to_have_text(text)
    assert server.messages(panel.token) == [WEAK_LEGS, text]
    assert server.events(panel.token)[-1].get("disposition") != "self_care"
    panel.say(NUMB_LEGS)
    expect(panel.card(EMERGENCY)).to_be_visible()
    panel.say(text)
    expect(panel.answers.last).to_contain_text("still an emergency")


def test_command_for_yes_is_not_taken_for_the_button(device: Device) -> None:
    panel = device.open()
    panel.say(WEAK_LEGS)
    expect(panel.say("/affirm")).to_contain_text(re.compile(f"{re.escape(WORSE)}|{re.escape(WORSE_AGAIN)}"))
    expect(panel.press("No")).to_contain_text(CHEST)


def test_hostile_messages_from_the_clinics_page_change_nothing(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(WEAK_LEGS)
    before, token, style = panel.texts(), panel.token, panel.frame.evaluate(_STYLE)
    post = "(data) => document.querySelector('aftercare-chat').shadowRoot.querySelector('iframe').contentWindow.postMessage(data, '*')"
    for data in HOSTILE:
        clinic.page.evaluate(post, data)
        clinic.page.evaluate("(data) => window.postMessage(data, '*')", data)
    _still_there(clinic, panel)
    assert len(spied(panel.frame, "received")) >= len(HOSTILE)
    assert (panel.texts(), panel.token, panel.frame.evaluate(_STYLE)) == (before, token, style)
    assert panel.frame.evaluate(_HIT) is None
    assert clinic.page.evaluate(_HIT) is None
    expect(panel.press("No")).to_contain_text(CHEST)


def test_messages_from_another_frame_of_the_clinics_page_change_nothing(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    style = panel.frame.evaluate(_STYLE)
    clinic.page.evaluate("() => document.body.append(Object.assign(document.createElement('iframe'), { name: 'ad' }))")
    advert = clinic.page.frame(name="ad")
    assert advert is not None
    advert.evaluate(
        """() => {
          const panel = [...Array(parent.frames.length).keys()].map((i) => parent.frames[i]).concat(
            parent.document.querySelector('aftercare-chat').shadowRoot.querySelector('iframe').contentWindow);
          for (const target of [...panel, parent]) for (const data of [
            { aftercare: 1, type: 'hello', theme: { accent: '#7d0000' }, open: true }, { aftercare: 1, type: 'close' },
            { aftercare: 1, type: 'unread', count: 7 }, { aftercare: 1, type: 'ready' },
          ]) target.postMessage(data, '*');
        }"""
    )
    _still_there(clinic, panel)
    assert panel.frame.evaluate(_STYLE) == style
    expect(clinic.launcher).to_have_accessible_name(WORDS["launcher"]["open_name"])


def test_markup_that_is_typed_is_shown_as_text_also_in_the_summary(device: Device) -> None:
    panel = device.open()
    for text in XSS:
        panel.type(text)
        expect(panel.mine.last.locator(".words")).to_have_text(text, use_inner_text=True)
        assert panel.mine.last.locator(".words").evaluate("(e) => e.children.length") == 0
    expect(panel.mine.filter(has_text=WORDS["delivery"]["stored"])).to_have_count(len(XSS))
    expect(panel.answers).to_have_count(len(XSS) + 1)
    _harmless(panel)
    panel.page.reload()
    ClinicPage(panel.page).open()
    expect(panel.mine).to_have_count(len(XSS))
    _harmless(panel)
    panel.open_menu()
    panel.menu_item("summary").click()
    said = panel.root.locator(".log-patient div p")
    expect(said).to_have_count(len(XSS))
    assert [" ".join(text.split()) for text in said.all_text_contents()] == [" ".join(text.split()) for text in XSS]
    _harmless(panel)


def test_panel_works_as_a_page_of_its_own(device: Device) -> None:
    panel = device.panel()
    expect(panel.close_button).to_have_count(0)
    panel.page.keyboard.press("Escape")
    panel.say(FEVER)
    expect(panel.card(CALL_DOCTOR)).to_be_visible()


def test_unknown_key_shows_no_panel(server: Server) -> None:
    answer = server.ask("GET", "/../../panel/other")
    assert answer.status_code == 404
    assert KEY not in answer.headers.get("content-security-policy", "")
    assert "911" in answer.text


def _still_there(clinic: ClinicPage, panel: Panel) -> None:
    panel.page.wait_for_timeout(300)
    expect(clinic.iframe).to_be_visible()
    expect(clinic.launcher).to_have_attribute("aria-expanded", "true")
    expect(panel.box).to_be_visible()


def _harmless(panel: Panel) -> None:
    assert panel.frame.evaluate(_HIT) is None
    assert panel.page.evaluate(_HIT) is None
    main = panel.main
    for tag in ("script", "img", "svg", "iframe", "style", "base", "math"):
        expect(main.locator(tag)).to_have_count(0)
    expect(main.locator("a:not([href^='tel:'])")).to_have_count(0)
