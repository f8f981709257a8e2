"""What whoever builds the clinic's pages meets: views that come and go, a chat inside the page, hard style sheets, frames, mistakes."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser.chat import ClinicPage, Device, tel_links
from tests.browser.clinic import KEY, Site
from tests.browser.words import FEVER, OUR_OWN, ROOT, TEL, WORDS

EXAMPLES = ROOT / "docs" / "examples"
_ESBUILD = str(ROOT / "widget" / "node_modules" / ".bin" / "esbuild")
_STAND_IN = ROOT / "tests" / "browser" / "react.js"
_REACT_PAGE = """
import { mount } from "react";
import { ChatBox, ChatLauncher } from "./docs/examples/chat.jsx";
const views = { launcher: ChatLauncher, box: ChatBox };
let leave = () => {};
window.show = (name) => { leave(); leave = views[name] ? mount(views[name], document.body) : () => {}; };
"""
_PACKAGE_PAGE = """
import { mount } from "./widget/package/index.js";
window.mount = mount;
"""
_CHATS = "() => document.querySelectorAll('aftercare-chat').length"
_LISTEN = "() => { window.__why = []; Aftercare.on('unavailable', (why) => window.__why.push(why)); }"
LAUNCHER = WORDS["launcher"]


def _own(text: str, site: Site) -> str:
    """An example with this site's gateway and key."""
    return text.replace("https://chat.clinic.example", site.gateway).replace("our-clinic", KEY)


def _bundle(entry: str) -> str:
    """A page's script, as a clinic's builder would make it."""
    command = [_ESBUILD, "--bundle", "--jsx=automatic", f"--alias:react/jsx-runtime={_STAND_IN}", f"--alias:react={_STAND_IN}"]
    done = subprocess.run(command, input=entry, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def _application(site: Site, path: str, script: str) -> None:
    site.add_file(f"{path}.js", "text/javascript", script)
    site.add_bare_page(path, f'<script src="{path}.js"></script>', site.policy)


@pytest.fixture
def example(device: Device, site: Site) -> ClinicPage:
    """The single-page example, its files as they stand in the documents."""
    for name, kind in (("single-page.html", "text/html"), ("single-page.js", "text/javascript")):
        site.add_file(f"/{name}", kind, _own((EXAMPLES / name).read_text(encoding="utf-8"), site), site.policy)
    return device.visit("/single-page.html")


def _go(clinic: ClinicPage, link: str) -> None:
    clinic.page.get_by_role("link", name=link).click()


def test_single_page_example_takes_the_chat_away_and_brings_it_back(example: ClinicPage) -> None:
    assert example.page.evaluate(_CHATS) == 0
    _go(example, "Recovery")
    example.open().say(FEVER)
    token = example.panel.token
    example.close()
    _go(example, "Home")
    expect(example.launcher).to_have_count(0)
    _go(example, "Recovery")
    panel = example.open()
    expect(panel.mine).to_contain_text(FEVER)
    assert panel.token == token
    example.close()
    _go(example, "The chat as a part")
    expect(panel.mine).to_contain_text(FEVER)
    expect(example.launcher).to_have_count(0)
    expect(example.page.locator("aftercare-chat")).to_have_count(1)
    _go(example, "Home")
    expect(example.page.locator("aftercare-chat")).to_have_count(0)


def test_react_example_mounts_and_unmounts(device: Device, site: Site) -> None:
    _application(site, "/react", _own(_bundle(_REACT_PAGE), site))
    clinic = device.visit("/react")
    for _ in range(2):
        clinic.page.evaluate("() => show('launcher')")
        clinic.open()
        clinic.page.evaluate("() => show('box')")
        clinic.panel.ready()
        expect(clinic.launcher).to_have_count(0)
        assert clinic.page.evaluate(_CHATS) == 1
        clinic.page.evaluate("() => show('')")
        assert clinic.page.evaluate(_CHATS) == 0


def test_package_mounts_with_options_and_unmounts(device: Device, site: Site) -> None:
    _application(site, "/package", _bundle(_PACKAGE_PAGE))
    clinic = device.visit("/package")
    mount = "([gateway, key]) => { window.unmount = mount({ gateway, key, label: 'Ask about your back', lang: undefined }); }"
    clinic.page.evaluate(mount, [site.gateway, KEY])
    button = clinic.page.get_by_role("button", name="Ask about your back")
    expect(button).to_be_visible()
    clinic.page.evaluate("() => unmount()")
    expect(button).to_have_count(0)
    clinic.page.evaluate("([gateway, key]) => { mount({ gateway, key })(); }", [site.gateway, KEY])
    clinic.page.wait_for_timeout(500)
    assert clinic.page.evaluate(_CHATS) == 0


def test_script_twice_makes_one_chat_and_open_brings_back_what_is_gone(device: Device, site: Site) -> None:
    site.add_bare_page("/twice", site.tag() * 2, site.policy)
    clinic = device.visit("/twice")
    assert clinic.page.evaluate(_CHATS) == 1
    clinic.page.evaluate("() => { window.__opened = 0; Aftercare.on('open', () => window.__opened++); }")
    clinic.open().say(FEVER)
    clinic.page.evaluate("() => { document.querySelector('aftercare-chat').remove(); Aftercare.close(); }")
    expect(clinic.launcher).to_have_count(0)
    clinic.page.evaluate("() => Aftercare.open()")
    expect(clinic.panel.mine).to_contain_text(FEVER)
    assert clinic.page.evaluate("() => window.__opened") == 2
    clinic.page.evaluate("() => document.body.prepend(document.querySelector('aftercare-chat'))")
    expect(clinic.iframe).to_have_count(0)
    clinic.open()
    assert clinic.page.evaluate(_CHATS) == 1


def test_unknown_event_is_refused_with_the_list_of_events(device: Device) -> None:
    said = device.visit().page.evaluate("() => { try { Aftercare.on('nonsense', () => {}); } catch (error) { return String(error); } }")
    assert said == 'TypeError: Aftercare.on: there is no event "nonsense"; there are open, close, ready, unread, unavailable'


@pytest.mark.parametrize(
    ("case", "why", "remedy"),
    [
        ("no key", "refused", r"data-key is missing; write it into the script tag"),
        ("wrong key", "refused", r'there is no embed key "nobody"\. Correct data-key'),
        ("unlisted", "refused", r"does not list http://127\.0\.0\.1:\d+\. Add it to the origins of the key"),
        ("blocked", "blocked", r"content security policy; add frame-src http://127\.0\.0\.1:\d+"),
    ],
)
def test_mistake_is_told_on_the_console_with_its_remedy(
    case: str, why: str, remedy: str, device: Device, site: Site, unlisted: Site
) -> None:
    key = {"no key": "", "wrong key": "nobody"}.get(case, KEY)
    place = unlisted if case == "unlisted" else site
    policy = site.policy if case != "blocked" else site.policy.replace(f"frame-src {site.gateway}", "frame-src 'none'")
    place.add_bare_page("/mistake", site.tag(key), policy)
    device.watch.allow(unlisted.origin)
    device.watch.tolerate(f"{OUR_OWN}|Aftercare: ")
    clinic = device.visit("/mistake", origin=place.origin)
    clinic.page.evaluate(_LISTEN)
    clinic.launcher.click()
    expect(clinic.card).to_be_visible(timeout=4_000)
    assert set(TEL.values()) <= tel_links(clinic.card)
    assert clinic.page.evaluate("() => window.__why") == [why]
    told = [line for line in device.watch.console if "Aftercare: " in line]
    assert len(told) == 1, told
    assert told[0].startswith("error: ")
    assert re.search(remedy, told[0]), told
    link = clinic.card.get_by_role("link", name=LAUNCHER["as_page"])
    expect(link).to_have_count(1 if case in ("unlisted", "blocked") else 0)


def test_launcher_keeps_words_side_and_colours_where_only_a_link_is_left(device: Device, site: Site) -> None:
    device.watch.tolerate(f"{OUR_OWN}|Aftercare: ")
    element = '<aftercare-chat data-label="Ask about your back" data-position="left"></aftercare-chat>'
    body = f'<link rel="stylesheet" href="/alone/style.css">{element}{site.tag()}'
    site.add_page("/alone", style=":root { --aftercare-accent: rgb(91, 42, 134); }", with_chat=False)
    site.add_bare_page("/alone", body, "frame-src 'none'")
    page = device.visit("/alone").page
    look = "(e) => [e.getBoundingClientRect().x, getComputedStyle(e).backgroundColor, e.getAttribute('aria-label'), e.innerText]"
    button = page.get_by_role("button", name="Ask about your back")
    before = button.evaluate(look)
    assert before == [16, "rgb(91, 42, 134)", "Ask about your back. A computer program, not a person.", "Ask about your back"]
    button.click()
    page.get_by_role("dialog").get_by_role("button", name=LAUNCHER["close"]).click()
    link = page.get_by_role("link", name="Ask about your back")
    expect(link).to_be_focused()
    assert link.evaluate(look) == before
    with page.expect_popup() as opened:
        link.click()
    expect(opened.value.get_by_role("navigation", name=WORDS["phones"]["label"])).to_be_visible()


def test_begun_chat_is_offered_after_a_reload_and_no_longer_when_it_has_ended(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.say(FEVER)
    clinic.page.reload()
    expect(clinic.launcher).to_have_text(LAUNCHER["continue"], use_inner_text=True)
    expect(clinic.launcher).to_have_accessible_name(f"{LAUNCHER['continue']}. A computer program, not a person.")
    clinic.open()
    expect(panel.mine).to_contain_text(FEVER)
    panel.open_menu()
    panel.menu_item("end").click()
    panel.root.get_by_role("button", name=WORDS["menu"]["end_yes"]).click()
    expect(panel.root.locator("#words")).to_have_count(0)
    _has_forgotten(clinic)


def test_tab_of_another_visitor_offers_a_new_chat(device: Device) -> None:
    device.open().say(FEVER)
    clinic = device.visit()
    clinic.page.evaluate("() => sessionStorage.setItem('aftercare.begun', '1')")
    _has_forgotten(clinic)


def _has_forgotten(clinic: ClinicPage) -> None:
    """After a reload the launcher offers a new chat, and the page's storage is empty."""
    clinic.page.reload()
    clinic.page.wait_for_function("() => sessionStorage.length === 0")
    expect(clinic.launcher).to_have_text(LAUNCHER["open"], use_inner_text=True)
