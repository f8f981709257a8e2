"""What browsers load: the launcher, the panel, its assets and the demo clinic's page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from aftercare.protocol import Library, Protocol
from gateway.pages import Pages
from gateway.patient_copy import PatientCopies
from gateway.records.store import utc_now
from gateway.settings import Settings
from tests.gateway.support import HOME, OTHER_PAGE, PAGE, Door, Json, refused


class _Page(HTMLParser):
    """A page's elements, and the text of each script as a browser takes it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts[-1] += data
        else:
            self.text += data

    def attributes(self, tag: str, name: str) -> list[str]:
        return [value for each, found in self.elements if each == tag and (value := found.get(name))]


def _config(page: _Page) -> Json:
    config: Json = json.loads(page.scripts[0])
    return config


@pytest.fixture
def clinic_door(open_door: Callable[..., Door], clinic_protocol: Protocol) -> Door:
    return open_door(protocol=clinic_protocol, public_origins=("https://chat.example",))


def _baked(code: str) -> Json:
    (literal,) = re.findall(r'JSON\.parse\(("(?:[^"\\]|\\.)*")\)', code)
    card: Json = json.loads(json.loads(literal))
    return card


def test_the_launcher_has_the_clinics_numbers_baked_in_once(door: Door) -> None:
    response = door.client.get("/aftercare.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "__AFTERCARE__" not in response.text
    card = _baked(response.text)
    assert {contact["id"]: contact["number"] for contact in card["contacts"]} == {
        "emergency": "911", "clinic": "555-0100", "after_hours": "555-0199", "crisis": "988",
    }  # fmt: skip
    assert all(contact["href"] == f"tel:{contact['number']}" for contact in card["contacts"])
    assert set(card["safety"]) == set(card["strings"]) >= {"en", "es"}
    assert "911" in card["safety"]["es"]["blocks"][0]["text"]
    assert card["safety"]["en"] != card["safety"]["es"]


def test_the_launcher_of_another_clinic_has_its_numbers(clinic_door: Door) -> None:
    contacts = _baked(clinic_door.client.get("/aftercare.js").text)["contacts"]
    assert {contact["number"] for contact in contacts} == {"911", "988", "212-664-7665", "212-664-7666"}
    assert "555-01" not in clinic_door.client.get("/aftercare.js").text


def test_the_launcher_may_be_loaded_by_every_page_and_is_kept_a_short_while(door: Door) -> None:
    headers = door.client.get("/aftercare.js").headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert 0 < int(re.findall(r"max-age=(\d+)", headers["cache-control"])[0]) <= 3_600
    assert "immutable" not in headers["cache-control"]


@pytest.mark.parametrize("code", ["no place", 'a("__AFTERCARE__"); b("__AFTERCARE__")'])
def test_a_launcher_without_its_one_place_is_not_served(code: str, settings: Settings, protocol: Protocol, tmp_path: Path) -> None:
    widget = settings.widget
    (tmp_path / "dist").mkdir()
    for name in ("pages", "strings"):
        (tmp_path / name).symlink_to(widget / name)
    (tmp_path / "dist" / "aftercare.js").write_text(code)
    with pytest.raises(ValueError, match="make setup"):
        Pages(replace(settings, widget=tmp_path), PatientCopies(Library([protocol])), utc_now)


def test_the_panel_has_what_the_widget_needs(door: Door) -> None:
    response = door.client.get("/panel/demo")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    config = _config(_Page(response.text))
    assert set(config) == {"key", "lang", "dir", "languages", "strings", "parents", "clinic", "contacts", "safety", "limits", "api"}
    assert (config["key"], config["lang"], config["dir"], config["api"]) == ("demo", "en", "ltr", "/api/v1")
    assert set(config["parents"]) == {PAGE, *door.settings.public_origins}
    assert config["clinic"] == {"name": "Demo Spine Clinic (not a real clinic)", "hours": "Monday to Friday, 8 am to 5 pm", "demo": True}
    assert config["limits"] == {"text": 4_000, "answer_seconds": 6}
    assert {contact["id"] for contact in config["contacts"]} == {"emergency", "clinic", "after_hours", "crisis"}
    assert {block["kind"] for block in config["safety"]["blocks"]} == {"advice", "watch"}


def test_the_panel_tells_the_numbers_without_any_script(door: Door) -> None:
    links = _Page(door.client.get("/panel/demo").text).attributes("a", "href")
    assert {"tel:911", "tel:555-0100", "tel:555-0199"} <= set(links)


def test_the_panel_of_another_clinic_names_only_its_own(clinic_door: Door) -> None:
    response = clinic_door.client.get("/panel/spine")
    config = _config(_Page(response.text))
    assert set(config["parents"]) == {OTHER_PAGE, "https://chat.example"}
    assert config["clinic"]["demo"] is False
    assert "555-01" not in response.text
    assert PAGE not in response.text


def test_a_clinics_name_cannot_break_out_of_the_panel(clinic_door: Door, clinic_protocol: Protocol) -> None:
    name = clinic_protocol.clinic.details["clinic"]
    assert "</script><script>alert(1)</script>" in name
    text = clinic_door.client.get("/panel/demo").text
    page = _Page(text)
    assert len(page.scripts) == 2
    assert page.scripts[1] == ""
    assert not re.search(r"[<>&]", page.scripts[0])
    assert _config(page)["clinic"]["name"] == name
    assert name in page.text
    assert "<script>alert" not in text


def test_a_clinics_name_cannot_break_out_of_the_launcher(clinic_door: Door) -> None:
    assert "alert(1)" not in str(_baked(clinic_door.client.get("/aftercare.js").text)["contacts"])


@pytest.mark.parametrize(("asked", "language"), [("es", "es"), ("en", "en"), ("", "en"), ("fr", "en"), ("../es", "en"), ("<script>", "en")])
def test_the_panel_speaks_the_language_that_is_asked_for(asked: str, language: str, door: Door) -> None:
    response = door.client.get("/panel/demo", params={"lang": asked})
    page = _Page(response.text)
    assert page.attributes("html", "lang") == [language]
    config = _config(page)
    assert config["lang"] == language
    assert config["safety"] == door.services.copies.of().safety(language)
    strings = json.loads((door.settings.widget / "strings" / f"{language}.json").read_text(encoding="utf-8"))
    assert config["strings"] == strings


def test_a_key_has_a_language_of_its_own(door: Door) -> None:
    assert _config(_Page(door.client.get("/panel/spine").text))["lang"] == "es"
    assert _config(_Page(door.client.get("/panel/spine", params={"lang": "en"}).text))["lang"] == "en"


@pytest.mark.parametrize("key", ["nobody", "demo ", "Demo", "%3Cscript%3E", "demo%00"])
def test_an_unknown_key_has_no_panel(key: str, door: Door) -> None:
    response = door.client.get(f"/panel/{key}")
    refused(response, 404, "not_found")
    assert "<script>" not in response.text


@pytest.mark.parametrize(("key", "known"), [("demo", True), ("nobody", False), ("%3Cscript%3E", False)])
def test_any_page_may_ask_whether_it_may_hold_the_panel(key: str, known: bool, door: Door) -> None:
    response = door.client.get(f"/panel/{key}/embedding")
    assert response.status_code == 200
    assert "frame-ancestors *" in response.headers["content-security-policy"]
    assert "x-frame-options" not in response.headers
    page = _Page(response.text)
    assert json.loads(page.scripts[0]) == {"known": known, "parents": [PAGE, *door.settings.public_origins] if known else []}
    assert {name for name, _ in page.elements} == {"html", "head", "meta", "title", "script", "body"}
    assert "<script>" not in response.text


def test_assets_are_named_by_their_content_and_kept_for_good(door: Door) -> None:
    page = _Page(door.client.get("/panel/demo").text)
    addresses = page.attributes("script", "src") + page.attributes("link", "href")
    assert len(addresses) == 3
    for address in addresses:
        response = door.client.get(address)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert address.endswith(f"?v={hashlib.sha256(response.content).hexdigest()[:12]}")
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[address.split("?")[0].rsplit(".")[-1]]
        assert response.headers["content-type"].split(";")[0] == kind


def test_every_address_that_is_kept_for_good_is_named_by_its_content(door: Door) -> None:
    for path in ("/panel/demo", "/demo"):
        page = _Page(door.client.get(path).text)
        for address in page.attributes("script", "src") + page.attributes("link", "href"):
            if "/assets/" in address:
                assert re.search(r"\?v=[0-9a-f]{12}$", address), f"{path}: {address}"


def test_the_launcher_is_no_asset(door: Door) -> None:
    refused(door.client.get("/assets/aftercare.js"), 404, "not_found")


def test_the_demos_page_shows_the_chat(door: Door) -> None:
    assert door.client.get("/").headers["location"] == "/demo"
    page = _Page(door.client.get("/demo").text)
    assert page.attributes("script", "src") == [f"{HOME}/aftercare.js"]
    assert page.attributes("script", "data-key") == ["demo"]
    assert "Demo Spine Clinic (not a real clinic)" in page.text
    assert f"{HOME}/panel/demo" in page.attributes("a", "href")


@pytest.mark.parametrize("path", ["/", "/demo"])
def test_a_real_clinic_has_no_demo_page(path: str, clinic_door: Door) -> None:
    response = clinic_door.client.get(path)
    assert response.status_code == 404
    assert response.json()["error"] == "not_found"
    assert "212-664-7665" in str(response.json()["safety"])


def test_a_real_clinics_errors_name_its_own_numbers(clinic_door: Door) -> None:
    assert "212-664-7665" in clinic_door.start("nobody").json()["message"]


def test_pages_do_not_depend_on_who_asks(door: Door) -> None:
    """Nothing of a request is put into the panel, so that it can be kept by nobody and poisoned by nobody."""
    plain: Any = door.client.get("/panel/demo")
    strange = door.client.get(
        "/panel/demo", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}
    )
    assert plain.text == strange.text
