"""The chat as a part of a page, under hard style sheets, in frames and sandboxes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Device, tel_links
from tests.browser.clinic import KEY, Site
from tests.browser.conftest import NewDevice
from tests.browser.words import FEVER, OUR_OWN, TEL, WORDS

LAUNCHER = WORDS["launcher"]


def _boxed(site: Site, path: str = "/boxed", style: str = "", policy: str = "") -> None:
    site.add_page(path, style=style or "aftercare-chat { height: 500px; width: 600px; }", with_chat=False)
    box = f'<link rel="stylesheet" href="{path}/style.css"><a href="/visits">Before</a>'
    box += f'<aftercare-chat data-key="{KEY}" data-mode="inline"></aftercare-chat><a href="/visits">After</a>'
    script = f'<script src="{site.gateway}/aftercare.js" defer></script>'
    site.add_bare_page(path, box + script, policy or site.policy)


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
    expect(panel.close_button).to_have_count(0)
    clinic.page.keyboard.press("Escape")
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
    device.watch.tolerate(f"{OUR_OWN}|Aftercare: ")
    _boxed(site, "/boxed-in", policy=site.policy.replace(f"frame-src {site.gateway}", "frame-src 'none'"))
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


def _framed(page: Page, site: Site, outer: Site, inner: str, attributes: str = "") -> None:
    body = f'<iframe src="{inner}" width="900" height="700" {attributes}></iframe>'
    outer.add_bare_page("/outer", body, f"frame-src {site.origin}")
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
    device.watch.tolerate(f"{OUR_OWN}|does not list {re.escape(unlisted.origin)}")
    page = device.context.new_page()
    _framed(page, site, unlisted, f"{site.origin}/")
    inner = page.frame_locator("iframe")
    inner.get_by_role("button", name=LAUNCHER["open_name"]).click()
    expect(inner.get_by_role("dialog", name=LAUNCHER["card_label"])).to_be_visible(timeout=4_000)
    assert any("does not list" in line for line in device.watch.console)


def test_sandbox_without_an_origin_is_told_which_word_it_lacks(new_device: NewDevice, site: Site) -> None:
    device = new_device()
    device.watch.tolerate(f"{OUR_OWN}|allow-same-origin|sandbox")
    page = device.context.new_page()
    _framed(page, site, site, f"{site.origin}/", 'sandbox="allow-scripts"')
    inner = page.frame_locator("iframe")
    inner.get_by_role("button", name=LAUNCHER["open_name"]).click()
    expect(inner.get_by_role("dialog", name=LAUNCHER["card_label"])).to_be_visible(timeout=4_000)
    assert any("add allow-same-origin to the sandbox attribute" in line for line in device.watch.console)
