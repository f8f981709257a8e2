"""What whoever builds the clinic's pages meets: views that come and go, a chat inside the page, hard style sheets, frames, mistakes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import ClinicPage, Device, tel_links
from tests.browser.clinic import KEY, Site
from tests.browser.conftest import NewDevice
from tests.browser.words import FEVER, ROOT, TEL, WORDS

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
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>{body}</body></html>"""
_CHATS = "() => document.querySelectorAll('aftercare-chat').length"
_LISTEN = "() => { window.__why = []; Aftercare.on('unavailable', (why) => window.__why.push(why)); }"
_OUR_OWN = r"net::ERR_|Failed to execute 'postMessage'|[Cc]ontent [Ss]ecurity [Pp]olicy|frame-ancestors|status of 404|blocked by policy"
LAUNCHER = WORDS["launcher"]


def _policy(site: Site, more: str = "") -> str:
    return f"default-src 'none'; script-src 'self' {site.gateway}; frame-src {site.gateway} {more}; style-src 'self'; img-src 'self'"


def _own(text: str, site: Site) -> str:
    """An example with this site's gateway and key."""
    return text.replace("https://chat.clinic.example", site.gateway).replace("our-clinic", KEY)


def _tag(site: Site, key: str = KEY) -> str:
    return f'<script src="{site.gateway}/aftercare.js" data-key="{key}" defer></script>'


def _bundle(entry: str) -> str:
    """A page's script, as a clinic's builder would make it."""
    command = [_ESBUILD, "--bundle", "--jsx=automatic", f"--alias:react/jsx-runtime={_STAND_IN}", f"--alias:react={_STAND_IN}"]
    done = subprocess.run(command, input=entry, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def _application(site: Site, path: str, script: str) -> None:
    site.add_file(f"{path}.js", "text/javascript", script)
    site.add_file(path, "text/html", _PAGE.format(title="Application", body=f'<script src="{path}.js"></script>'), _policy(site))


@pytest.fixture
def example(device: Device, site: Site) -> ClinicPage:
    """The single-page example, its files as they stand in the documents."""
    for name, kind in (("single-page.html", "text/html"), ("single-page.js", "text/javascript")):
        site.add_file(f"/{name}", kind, _own((EXAMPLES / name).read_text(encoding="utf-8"), site), _policy(site))
    return device.visit("/single-page.html")


@pytest.fixture
def unlisted(site: Site) -> Iterator[Site]:
    """A site that no key lists."""
    with Site().running() as running:
        running.show_chat_of(site.gateway)
        yield running


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
    assert example.page.evaluate(_CHATS) == 1
    _go(example, "Home")
    assert example.page.evaluate(_CHATS) == 0


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
    site.add_file("/twice", "text/html", _PAGE.format(title="Twice", body=_tag(site) * 2), _policy(site))
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
    policy = _policy(site) if case != "blocked" else _policy(site).replace(f"frame-src {site.gateway}", "frame-src 'none'")
    place.add_file("/mistake", "text/html", _PAGE.format(title="Mistake", body=_tag(site, key)), policy)
    device.watch.allow(unlisted.origin)
    device.watch.tolerate(f"{_OUR_OWN}|Aftercare: ")
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
    device.watch.tolerate(f"{_OUR_OWN}|Aftercare: ")
    element = '<aftercare-chat data-label="Ask about your back" data-position="left"></aftercare-chat>'
    body = f'<link rel="stylesheet" href="/alone/style.css">{element}{_tag(site)}'
    site.add_page("/alone", style=":root { --aftercare-accent: rgb(91, 42, 134); }", with_chat=False)
    site.add_file("/alone", "text/html", _PAGE.format(title="Alone", body=body), "frame-src 'none'")
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


def _boxed(site: Site, path: str = "/boxed", style: str = "", policy: str = "") -> None:
    site.add_page(path, style=style or "aftercare-chat { height: 500px; width: 600px; }", with_chat=False)
    box = f'<link rel="stylesheet" href="{path}/style.css"><a href="/visits">Before</a>'
    box += f'<aftercare-chat data-key="{KEY}" data-mode="inline"></aftercare-chat><a href="/visits">After</a>'
    script = f'<script src="{site.gateway}/aftercare.js" defer></script>'
    site.add_file(path, "text/html", _PAGE.format(title="Boxed", body=box + script), policy or _policy(site))


def test_inline_chat_fills_its_box_without_a_launcher_and_stays(device: Device, site: Site) -> None:
    _boxed(site)
    clinic = device.visit("/boxed")
    panel = clinic.panel.ready()
    assert clinic.page.evaluate("() => document.activeElement === document.body")
    expect(clinic.launcher).to_have_count(0)
    box = clinic.iframe.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (600, 500)
    clinic.page.evaluate("() => { window.__closed = 0; Aftercare.on('close', () => window.__closed++); }")
    clinic.page.evaluate("() => { Aftercare.open(); Aftercare.close(); Aftercare.open(); }")
    panel.say(FEVER)
    panel.close_button.click()
    expect(clinic.iframe).to_be_visible()
    clinic.page.wait_for_function("() => window.__closed === 1")


def test_inline_chat_stands_in_the_tab_order_where_it_stands_in_the_page(device: Device, site: Site) -> None:
    _boxed(site)
    clinic = device.visit("/boxed")
    clinic.panel.ready()
    reached: list[str] = []
    for _ in range(40):
        clinic.page.keyboard.press("Tab")
        if clinic.focused not in reached[-1:]:
            reached.append(clinic.focused)
        if clinic.focused == "After":
            break
    assert reached == ["Before", LAUNCHER["frame_title"], "After"]


def test_inline_chat_that_does_not_come_leaves_the_numbers_and_takes_no_focus(device: Device, site: Site) -> None:
    device.watch.tolerate(f"{_OUR_OWN}|Aftercare: ")
    _boxed(site, "/boxed-in", policy=_policy(site).replace(f"frame-src {site.gateway}", "frame-src 'none'"))
    page = device.visit("/boxed-in").page
    card = page.locator("aftercare-chat").get_by_role("alert")
    expect(card).to_be_visible()
    assert set(TEL.values()) <= tel_links(card)
    expect(card.get_by_role("button", name=LAUNCHER["close"])).to_have_count(0)
    assert page.evaluate("() => document.activeElement === document.body")


@pytest.mark.parametrize(
    "reset",
    [
        "* { all: unset; }",
        "* { all: unset !important; }",
        "html { font-size: 5px; } body * { font: 6px/1 serif !important; letter-spacing: 9px !important; scale: 0.5 !important; }",
        "body > * { position: relative !important; opacity: 0.1 !important; zoom: 0.5; contain: strict !important; }",
    ],
)
def test_hard_style_sheet_changes_nothing_of_the_chat(reset: str, device: Device, site: Site) -> None:
    look = """(e) => [e.getBoundingClientRect().toJSON(), getComputedStyle(e).font, getComputedStyle(e).letterSpacing,
      getComputedStyle(e.getRootNode().host).opacity]"""
    plain = device.visit()
    site.add_page("/reset", style=reset)
    clinic = device.visit("/reset")
    assert clinic.launcher.evaluate(look) == plain.launcher.evaluate(look)
    plain.open()
    clinic.open()
    assert clinic.iframe.bounding_box() == plain.iframe.bounding_box()
    _boxed(site, "/boxed-reset", style=reset)
    boxed = device.visit("/boxed-reset")
    boxed.panel.ready()
    box = boxed.iframe.bounding_box()
    assert box is not None
    assert box["height"] >= 100


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


def _framed(page: Page, site: Site, outer: Site, inner: str, attributes: str = "") -> None:
    body = f'<iframe src="{inner}" width="900" height="700" {attributes}></iframe>'
    outer.add_file("/outer", "text/html", _PAGE.format(title="Outer", body=body), f"frame-src {site.origin}")
    page.goto(f"{outer.origin}/outer")


def test_page_in_a_frame_shows_the_chat_when_every_page_around_it_is_listed(device: Device, site: Site, unlisted: Site) -> None:
    device.watch.allow(unlisted.origin)
    device.watch.tolerate("can escape its sandboxing")
    page = device.context.new_page()
    _framed(page, site, site, f"{site.origin}/", 'sandbox="allow-scripts allow-same-origin allow-forms allow-popups"')
    inner = page.frame_locator("iframe")
    inner.get_by_role("button", name=LAUNCHER["open_name"]).click()
    chat = inner.frame_locator("aftercare-chat #panel iframe")
    chat.locator("#words").fill(FEVER)
    chat.locator("#words").press("Enter")
    expect(chat.locator("li.you")).to_contain_text(FEVER)
    device.watch.tolerate(f"{_OUR_OWN}|does not list {re.escape(unlisted.origin)}")
    page = device.context.new_page()
    _framed(page, site, unlisted, f"{site.origin}/")
    inner = page.frame_locator("iframe")
    inner.get_by_role("button", name=LAUNCHER["open_name"]).click()
    expect(inner.get_by_role("dialog", name=LAUNCHER["card_label"])).to_be_visible(timeout=4_000)
    assert any("does not list" in line for line in device.watch.console)


def test_sandbox_without_an_origin_is_told_which_word_it_lacks(new_device: NewDevice, site: Site) -> None:
    device = new_device()
    device.watch.tolerate(f"{_OUR_OWN}|allow-same-origin|sandbox")
    page = device.context.new_page()
    _framed(page, site, site, f"{site.origin}/", 'sandbox="allow-scripts"')
    inner = page.frame_locator("iframe")
    inner.get_by_role("button", name=LAUNCHER["open_name"]).click()
    expect(inner.get_by_role("dialog", name=LAUNCHER["card_label"])).to_be_visible(timeout=4_000)
    assert any("add allow-same-origin to the sandbox attribute" in line for line in device.watch.console)
