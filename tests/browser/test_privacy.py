"""What a patient types stays between the patient and the gateway: not on the device, not in logs, not with the clinic's scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from scripts.stack import Stack
from tests.browser.chat import DESKTOP, PHONE, ClinicPage, Device
from tests.browser.conftest import NewDevice
from tests.browser.server import Server
from tests.browser.watch import spied
from tests.browser.words import CANARY, EMERGENCY, HOW_LONG, SEAT, WEAK_LEGS

_STORAGE = """async () => ({
  local: Object.entries(localStorage), session: Object.entries(sessionStorage), cookies: document.cookie,
  databases: (await indexedDB.databases()).map((one) => one.name), caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length, name: window.name,
})"""
_VIEWS = 3
_PLACE = "() => [document.title, location.href, JSON.stringify(history.state), document.referrer]"


def _whole_flow(clinic: ClinicPage) -> None:
    """Everything a patient can do, with a word in every message that nothing else contains."""
    panel = clinic.open()
    panel.say(HOW_LONG).locator("summary").click()
    panel.say(f"{WEAK_LEGS} {CANARY}")
    panel.press("No")
    panel.say(f"no chest pain {CANARY}")
    panel.tick(SEAT, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()
    clinic.close()
    clinic.launcher.click()
    panel.open_menu()
    for choice in ("writer_helper", "size_larger", "contrast_high"):
        panel.menu_item(choice, "radio").check()
    panel.menu_item("summary").click()
    expect(panel.root.locator(".log")).to_contain_text(CANARY)
    panel.root.get_by_role("button", name=panel.words["summary"]["back"]).click()
    panel.box.fill(f"not sent {CANARY}")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_whole_flow_breaks_no_policy_raises_no_error_and_asks_no_stranger(size: Mapping[str, Any], new_device: NewDevice) -> None:
    device = new_device(**size)
    clinic = device.visit()
    _whole_flow(clinic)
    clinic.page.reload()
    clinic.open()
    assert device.watch.blocked == []
    assert device.watch.console == []
    assert device.watch.errors == []
    assert device.watch.foreign == []
    asked = {url.split("?")[0].removeprefix(device.site.gateway) for url in device.watch.requests if url.startswith(device.site.gateway)}
    assert {"/aftercare.js", "/panel/demo", "/assets/panel.js", "/api/v1/sessions", "/api/v1/session/stream"} <= asked


def test_typed_words_are_nowhere_on_the_device(device: Device) -> None:
    clinic = device.visit()
    _whole_flow(clinic)
    token = clinic.panel.token
    assert token
    direct = device.panel()
    at_gateway = [clinic.panel.frame.evaluate(_STORAGE), direct.frame.evaluate(_STORAGE)]
    at_clinic = clinic.page.evaluate(_STORAGE)
    for stored in at_gateway:
        assert {key for key, _ in stored["local"]} == {"aftercare.view"}
        assert {key for key, _ in stored["session"]} == {"aftercare.token"}
    for stored in (*at_gateway, at_clinic):
        assert stored["cookies"] == ""
        assert stored["databases"] == stored["caches"] == []
        assert stored["workers"] == 0
        assert CANARY not in json.dumps(stored)
    assert at_clinic["local"] == []
    assert at_clinic["session"] == [["aftercare.begun", "1"]]
    assert device.context.cookies() == []
    assert CANARY not in json.dumps(device.context.storage_state(indexed_db=True))
    kept = {entry.partition("=")[0] for entry in spied(clinic.panel.frame, "kept")}
    assert kept == {"aftercare.token", "aftercare.view"}
    assert CANARY not in " ".join(spied(clinic.panel.frame, "kept"))


def test_typed_words_are_in_no_address_title_or_history(device: Device) -> None:
    clinic = device.visit()
    before = clinic.page.evaluate("() => history.length")
    _whole_flow(clinic)
    token = clinic.panel.token
    places = [text for frame in clinic.page.frames for text in frame.evaluate(_PLACE)]
    for secret in (CANARY, token):
        assert not [url for url in device.watch.requests if secret in url]
        assert not [text for text in places if text and secret in text]
    entries = clinic.page.evaluate("() => history.length") - before
    assert entries <= _VIEWS, "one entry a view that was opened, so that the way back closes it"
    sent = [body for method, url, body in device.watch.bodies if CANARY in body]
    assert sent
    assert all(url == f"{device.site.gateway}/api/v1/session/messages" for _, url, body in device.watch.bodies if CANARY in body)


def test_other_tabs_are_told_the_token_and_no_words(device: Device) -> None:
    clinic = device.visit()
    _whole_flow(clinic)
    other = device.open()
    assert other.token == clinic.panel.token
    told = [*spied(clinic.panel.frame, "told"), *spied(other.frame, "told")]
    assert told
    assert CANARY not in " ".join(told)


def test_clinics_scripts_cannot_read_the_chat(device: Device) -> None:
    clinic = device.visit()
    _whole_flow(clinic)
    reach = """() => {
      const frame = document.querySelector("aftercare-chat").shadowRoot.querySelector("iframe");
      try { %s } catch (error) { return error.name; }
    }"""
    assert clinic.page.evaluate(reach % "return frame.contentDocument;") is None
    assert clinic.page.evaluate(reach % "return frame.contentWindow.document.body.innerText;") == "SecurityError"
    assert clinic.page.evaluate(reach % "return frame.contentWindow.sessionStorage.length;") == "SecurityError"
    shown = clinic.page.evaluate("() => document.documentElement.innerHTML + document.querySelector('aftercare-chat').shadowRoot.innerHTML")
    assert CANARY not in shown
    address = f"{device.site.gateway}/api/v1/session/events?after=0&wait=0"
    device.watch.tolerate("Content Security Policy|connect-src")
    read = "(url) => fetch(url).then((answer) => answer.status, (error) => error.name)"
    assert clinic.page.evaluate(read, address) in ("TypeError", 401)


def test_clinics_page_is_told_nothing_but_ready_close_and_unread(device: Device) -> None:
    clinic = device.visit()
    _whole_flow(clinic)
    clinic.close()
    received = spied(clinic.page.main_frame, "received")
    assert received
    origins = {message.split(" ", 1)[0] for message in received}
    assert origins == {device.site.gateway}
    for message in received:
        data = json.loads(message.split(" ", 1)[1])
        assert data.pop("aftercare") == 1
        assert data.pop("type") in ("ready", "close", "unread")
        assert set(data) <= {"count"}
    assert CANARY not in " ".join(received)


def test_only_the_panel_and_the_page_about_it_may_be_framed_and_nothing_is_cached(server: Server) -> None:
    panel = server.ask("GET", "/../../panel/demo")
    policy = panel.headers["content-security-policy"]
    assert "frame-ancestors 'self' http://127.0.0.1:" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert panel.headers["cache-control"] == "no-store"
    about = server.ask("GET", "/../../panel/demo/embedding")
    assert "frame-ancestors *" in about.headers["content-security-policy"]
    assert about.headers["cache-control"] == "no-store"
    assert server.start().headers["x-frame-options"] == "DENY"


def test_browsers_find_an_icon_and_need_not_complain(server: Server) -> None:
    page = server.ask("GET", "/../../panel/demo").text
    assert 'rel="icon"' in page or server.ask("GET", "/../../favicon.ico").is_success


def test_no_log_holds_typed_words_or_tokens(stack: Stack, device: Device) -> None:
    clinic = device.visit()
    _whole_flow(clinic)
    token = clinic.panel.token
    files = [file for file in stack.logs.iterdir() if file.is_file()]
    assert {"gateway.log", "rasa.log", "supervisord.log"} <= {file.name for file in files}
    for file in files:
        text = file.read_text(errors="replace")
        assert CANARY not in text.lower(), file.name
        assert token not in text, file.name


def test_records_hold_typed_words_only_sealed(server: Server, device: Device) -> None:
    _whole_flow(device.visit())
    for suffix in ("", "-wal"):
        with open(server.records + suffix, "rb") as file:
            assert CANARY.encode() not in file.read()


def test_a_frame_that_is_refused_storage_works_all_the_same(device: Device) -> None:
    clinic = device.visit(origin=device.site.origin_of_another_site)
    panel = clinic.open()
    read = "() => { try { return sessionStorage.length; } catch (error) { return error.name; } }"
    assert panel.frame.evaluate(read) == "SecurityError"
    panel.say(WEAK_LEGS)
    panel.press("No")
    panel.tick(SEAT, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()
    panel.open_menu()
    panel.menu_item("size_larger", "radio").check()
    expect(panel.root.locator("html")).to_have_attribute("data-size", "larger")
