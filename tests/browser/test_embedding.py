"""What a clinic may do with the chat on its page: open it, listen, colour it, place it; and what works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from playwright.sync_api import expect

from tests.browser.chat import PHONE, ClinicPage, Device, tel_links
from tests.browser.clinic import KEY
from tests.browser.conftest import NewDevice
from tests.browser.words import FEVER, SPANISH, TEL, WORDS

_LISTEN = """() => {
  window.__heard = [];
  window.__off = ["open", "close", "ready", "unread", "unavailable"].map((name) =>
    Aftercare.on(name, (detail) => window.__heard.push(detail === undefined ? name : `${name} ${detail}`)));
}"""
_HEARD = "() => window.__heard"
_ACCENT = "() => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
DEFAULT = "#005eb8"


def test_page_opens_closes_and_listens(device: Device) -> None:
    clinic = device.visit()
    clinic.page.evaluate(_LISTEN)
    clinic.page.evaluate("() => Aftercare.open()")
    clinic.panel.ready()
    expect(clinic.panel.box).to_be_focused()
    clinic.page.evaluate("() => { Aftercare.open(); Aftercare.close(); Aftercare.close(); }")
    expect(clinic.iframe).to_be_hidden()
    assert clinic.page.evaluate(_HEARD) == ["open", "ready", "close"]
    other = device.open()
    other.say(FEVER)
    expect(clinic.launcher).to_contain_text(WORDS["launcher"]["unread_one"])
    assert clinic.page.evaluate(_HEARD)[-1] == "unread 1"
    clinic.page.evaluate("() => { for (const off of window.__off) off(); }")
    before = clinic.page.evaluate(_HEARD)
    clinic.page.evaluate("() => Aftercare.open()")
    expect(clinic.iframe).to_be_visible()
    assert clinic.page.evaluate(_HEARD) == before


def test_page_hears_that_the_chat_is_unavailable(device: Device) -> None:
    clinic = device.visit()
    clinic.page.evaluate(_LISTEN)
    device.go_offline()
    clinic.open_in_vain()
    assert clinic.page.evaluate(_HEARD) == ["open", "unavailable timeout"]


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("--aftercare-accent: #5b2a86;", "#5b2a86"),
        ("--aftercare-accent: rgb(91 42 134); --aftercare-accent-text: white;", "#5b2a86"),
        ("--aftercare-accent: #ffd400; --aftercare-accent-text: #111;", "#ffd400"),
        ("--aftercare-accent: #ffd400;", DEFAULT),
        ("--aftercare-accent: #777; --aftercare-accent-text: #888;", DEFAULT),
        ("--aftercare-accent: rgb(91 42 134 / 50%);", DEFAULT),
        ("--aftercare-accent: no-colour;", DEFAULT),
        ("--aftercare-accent: var(--unknown);", DEFAULT),
        ("", DEFAULT),
    ],
    ids=["dark", "functional", "light with dark text", "too light", "too little", "see-through", "no colour", "empty", "none"],
)
def test_accent_of_the_clinic_is_taken_only_when_its_text_can_be_read(style: str, expected: str, device: Device) -> None:
    device.site.add_page("/coloured", style=f":root {{ {style} }}")
    panel = device.open("/coloured")
    assert panel.frame.evaluate(_ACCENT) == expected


def test_launcher_stands_on_the_side_and_in_the_shape_that_the_page_wants(device: Device) -> None:
    right = device.visit().launcher.bounding_box()
    left = device.visit("/left").launcher.bounding_box()
    assert right is not None
    assert left is not None
    assert right["x"] + right["width"] == pytest.approx(1280 - 16, abs=1)
    assert left["x"] == pytest.approx(16, abs=1)
    device.site.add_page(
        "/shaped", style=":root { --aftercare-side: 40px; --aftercare-bottom: 60px; --aftercare-radius: 3px; --aftercare-z: 7; }"
    )
    shaped = device.visit("/shaped").launcher
    box = shaped.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] == pytest.approx(1280 - 40, abs=1)
    assert box["y"] + box["height"] == pytest.approx(800 - 60, abs=1)
    assert shaped.evaluate("(e) => [getComputedStyle(e).borderRadius, getComputedStyle(e).zIndex]") == ["3px", "7"]


def test_open_chat_never_leaves_the_window(device: Device) -> None:
    clinic = device.visit()
    clinic.open()
    for width, height in product((1280, 700, 400), (800, 520, 360)):
        clinic.page.set_viewport_size({"width": width, "height": height})
        box = clinic.iframe.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
        expect(clinic.panel.box).to_be_in_viewport(ratio=1)
        expect(clinic.panel.close_button).to_be_in_viewport(ratio=1)


def test_chat_fills_a_phone(new_device: NewDevice) -> None:
    clinic = new_device(**PHONE).visit()
    clinic.open()
    box = clinic.iframe.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}


def test_frame_asks_for_no_powers_and_tells_no_address(device: Device) -> None:
    clinic = device.visit()
    clinic.open()
    expect(clinic.iframe).to_have_attribute("allow", "")
    expect(clinic.iframe).to_have_attribute("referrerpolicy", "strict-origin")
    expect(clinic.iframe).to_have_attribute("title", WORDS["launcher"]["frame_title"])


def test_in_spanish_everything_that_the_widget_says_is_spanish(device: Device) -> None:
    clinic = device.visit("/spanish", words=SPANISH)
    panel = clinic.open()
    expect(panel.root.locator("html")).to_have_attribute("lang", "es")
    _only_spanish(clinic)
    panel.say(FEVER)
    expect(panel.answers.last.locator(".bubble")).to_have_attribute("lang", "en")
    expect(panel.root.get_by_role("group", name=SPANISH["card"]["call_doctor_prefix"])).to_be_visible()
    panel.open_menu()
    _only_spanish(clinic)
    panel.menu_item("summary").click()
    expect(panel.root.get_by_role("heading", name=SPANISH["summary"]["said"])).to_be_visible()
    _only_spanish(clinic)


def test_in_spanish_every_text_says_which_language_it_is_in(device: Device) -> None:
    panel = device.open("/spanish", SPANISH)
    panel.say(FEVER)
    language = "(e) => e.closest('[lang]').lang"
    for text in (SPANISH["card"]["call_doctor_prefix"], SPANISH["card"]["watch"], SPANISH["chat"]["sources"]):
        assert panel.answers.last.get_by_text(text).first.evaluate(language) == "es", text
    calls = panel.answers.last.locator(".call").all()
    assert calls
    assert {call.evaluate(language) for call in calls} == {"es"}
    assert panel.answers.last.get_by_text("Why: fever.").evaluate(language) == "en"


def test_safety_card_of_the_launcher_is_spanish_too(device: Device) -> None:
    clinic = device.visit("/spanish", words=SPANISH)
    device.go_offline()
    clinic.open_in_vain()
    expect(clinic.card).to_contain_text("dolor de pecho")
    assert set(TEL.values()) <= tel_links(clinic.card)


def test_panel_speaks_the_language_that_the_address_asks_for(device: Device) -> None:
    panel = device.panel("es", SPANISH)
    expect(panel.root.locator("html")).to_have_attribute("lang", "es")
    assert SPANISH["title"].split(" - ")[0] in panel.page.title()


def test_without_scripts_the_clinics_page_has_a_link_and_numbers(new_device: NewDevice) -> None:
    clinic = new_device(java_script_enabled=False).visit()
    link = clinic.page.get_by_role("link", name=WORDS["launcher"]["open"])
    expect(link).to_be_visible()
    assert {TEL["clinic"], TEL["emergency"]} <= tel_links(clinic.page.locator("body"))
    link.click()
    expect(clinic.page.get_by_role("navigation", name=WORDS["phones"]["label"])).to_be_visible()


def test_without_scripts_the_panel_shows_the_safety_card_and_numbers(new_device: NewDevice) -> None:
    device = new_device(java_script_enabled=False)
    page = device.context.new_page()
    page.goto(f"{device.site.gateway}/panel/{KEY}")
    body = page.locator("body")
    expect(body).to_contain_text("chest pain")
    expect(body).to_contain_text("In an emergency, do not wait for this chat.")
    assert set(TEL.values()) - {"tel:988"} <= tel_links(body)
    expect(page.get_by_text(WORDS["loading"])).to_be_hidden()


def test_panel_whose_script_does_not_come_shows_the_safety_card(device: Device) -> None:
    device.watch.tolerate("net::ERR_")
    device.context.route("**/assets/panel.js*", lambda route: route.abort())
    page = device.context.new_page()
    page.goto(f"{device.site.gateway}/panel/{KEY}")
    expect(page.get_by_role("heading", name="In an emergency, do not wait for this chat.")).to_be_visible(timeout=9_000)


def test_text_size_and_contrast_survive_a_reload(device: Device) -> None:
    clinic = device.visit()
    panel = clinic.open()
    panel.open_menu()
    panel.menu_item("size_larger", "radio").check()
    panel.menu_item("contrast_high", "radio").check()
    clinic.page.reload()
    clinic.open()
    html = panel.root.locator("html")
    expect(html).to_have_attribute("data-size", "larger")
    expect(html).to_have_attribute("data-contrast", "high")
    panel.open_menu()
    expect(panel.menu_item("size_larger", "radio")).to_be_checked()
    expect(panel.menu_item("contrast_high", "radio")).to_be_checked()


def test_demo_page_of_the_gateway_shows_the_chat(device: Device) -> None:
    page = device.context.new_page()
    page.goto(f"{device.site.gateway}/demo")
    clinic = ClinicPage(page)
    clinic.open()
    clinic.panel.say(FEVER)


def _only_spanish(clinic: ClinicPage) -> None:
    """None of the English sentences of the widget is shown."""
    shown = [line.strip() for line in clinic.panel.root.locator("body").inner_text().splitlines()]
    english = set(_sentences(WORDS)) - set(_sentences(SPANISH))
    assert not english & set(shown)


def _sentences(words: Mapping[str, object]) -> list[str]:
    """Every text in a file of strings."""
    found: list[str] = []
    for value in words.values():
        found += [value] if isinstance(value, str) else _sentences(value) if isinstance(value, Mapping) else []
    return found
