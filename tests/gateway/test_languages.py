"""The languages that a page's key offers: what each has to have, and what the patient then gets in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aftercare.protocol import Library, Protocol
from gateway.settings import EmbedKey, Settings, SettingsError, from_environment
from gateway.settings.languages import direction, language_problems, read_strings
from tests.gateway.support import API, HOME, PAGE, ROOT, Door, Json, Patient, refused
from tests.tongues import MARK, in_language, widget_with

_STRINGS = read_strings(ROOT / "widget")
_BOTH = [("vertebroplasty", "en"), ("vertebroplasty", "es")]


@pytest.fixture(scope="module")
def tongues(protocol: Protocol) -> Library:
    """The protocol in three languages, one of them written from right to left."""
    return Library([protocol, in_language(protocol, "es"), in_language(protocol, "ar")])


@pytest.fixture
def spoken(open_door: Callable[..., Door], tongues: Library, settings: Settings, tmp_path: Path) -> Door:
    """A gateway whose key offers all three."""
    widget = widget_with(tmp_path / "widget", settings.widget, {"ar": "العربية"})
    keys = {"demo": EmbedKey("demo", (PAGE,), "en", languages=("en", "es", "ar")), "one": EmbedKey("one", (PAGE,), "en", languages=("en",))}
    door = open_door(library=tongues, embed_keys=keys, widget=widget)
    door.rasa.act = door.rasa.down
    return door


def _words(door: Door, language: str, key: str = "demo") -> Json:
    response = door.client.get(f"/panel/{key}/words", params={"lang": language})
    assert response.status_code == 200
    words: Json = response.json()
    return words


def _start(door: Door, language: str, key: str = "demo") -> Patient:
    body = {"key": key, "language": language}
    response = door.client.post(f"{API}/sessions", json=body, headers={"Origin": HOME})
    assert response.status_code == 201, response.text
    return Patient(door.client, response.json(), HOME)


def _problems(text: str, protocols: list[tuple[str, str]], folder: Path) -> str:
    file = folder / "embed.yml"
    file.write_text(f"keys: {{spine: {{origins: [], {text}}}}}")
    with pytest.raises(SettingsError) as caught:
        from_environment({"AFTERCARE_EMBED": str(file)}, demo=True, protocols=protocols)
    return str(caught.value)


def test_a_complete_language_may_be_offered(tmp_path: Path) -> None:
    assert not list(language_problems(_STRINGS, "es", "vertebroplasty", ["en", "es"]))
    file = tmp_path / "embed.yml"
    file.write_text("keys: {spine: {origins: [], languages: [en, es]}, bare: {origins: []}}")
    keys = from_environment({"AFTERCARE_EMBED": str(file)}, demo=True, protocols=_BOTH).embed_keys
    assert [keys[name].languages for name in ("spine", "bare")] == [("en", "es"), ()]
    assert [keys["spine"].bound_in(language) for language in ("es", "fr", "")] == [("", "es"), ("", "en"), ("", "en")]
    assert keys["bare"].bound_in("es") == ("", "en")


def test_a_language_that_the_protocol_does_not_speak_is_not_offered(tmp_path: Path) -> None:
    said = _problems("languages: [en, es]", _BOTH[:1], tmp_path)
    assert "key spine: es cannot be offered: the protocol vertebroplasty does not speak it, but: en; write its wording.es.yml" in said
    said = _problems("protocol: second, languages: [en, es]", [*_BOTH, ("second", "en")], tmp_path)
    assert "the protocol second does not speak it" in said


def test_a_language_without_words_of_the_widget_is_not_offered(tmp_path: Path) -> None:
    said = _problems("languages: [en, fr]", [*_BOTH, ("vertebroplasty", "fr")], tmp_path)
    assert "fr cannot be offered: the widget has no words in it; write widget/strings/fr.json with every key of en.json" in said


@pytest.mark.parametrize("languages", ["[es]", "en", "[]", "{en: 1}"])
def test_the_keys_own_language_is_among_those_that_it_offers(languages: str, tmp_path: Path) -> None:
    assert "languages must be a list that has the key's own language, en" in _problems(f"languages: {languages}", _BOTH, tmp_path)


def test_every_word_that_is_missing_is_named() -> None:
    words = json.loads(json.dumps(_STRINGS["en"]))
    del words["menu"]
    words |= {"title": " ", "link": {**words["link"], "lost": ["no text"]}, "delivery": {**words["delivery"], "failed": "Call."}}
    missing, changed = language_problems({"en": _STRINGS["en"], "fr": words}, "fr", "spine", ["fr"])
    assert missing.startswith("widget/strings/fr.json lacks ")
    assert {"title", "menu.label", "link.lost"} <= set(missing.removeprefix("widget/strings/fr.json lacks ").split("; ")[0].split(", "))
    assert "header.menu" not in missing
    assert changed.startswith("widget/strings/fr.json leaves out a place in braces in delivery.failed;")


@pytest.mark.parametrize(("language", "expected"), [("en", "ltr"), ("es-MX", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl")])
def test_the_direction_follows_from_the_language(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_the_panel_names_the_languages_that_its_key_offers(spoken: Door, door: Door) -> None:
    page = spoken.client.get("/panel/demo").text
    config = json.loads(page.split('id="config">')[1].split("</script>")[0])
    assert config["languages"] == [{"tag": "en", "name": "English"}, {"tag": "es", "name": "Español"}, {"tag": "ar", "name": "العربية"}]
    assert config["lang"] == "en"
    bare = door.client.get("/panel/demo").text
    assert json.loads(bare.split('id="config">')[1].split("</script>")[0])["languages"] == []


def test_all_that_the_panel_shows_comes_in_the_language_that_is_asked_for(spoken: Door) -> None:
    words = _words(spoken, "ar")
    assert set(words) == {"lang", "dir", "strings", "clinic", "contacts", "safety"}
    assert (words["lang"], words["dir"]) == ("ar", "rtl")
    assert words["strings"]["header"]["menu"] == MARK + "Menu"
    assert words["safety"]["heading"].startswith(MARK)
    assert _words(spoken, "en")["safety"]["heading"] == "In an emergency, do not wait for this chat."


@pytest.mark.parametrize(("asked", "language"), [("es", "es"), ("es-MX", "es"), ("fr", "en"), ("", "en"), ("../es", "en"), ("<b>", "en")])
def test_a_language_that_is_not_offered_is_the_keys_own(asked: str, language: str, spoken: Door) -> None:
    assert _words(spoken, asked)["lang"] == language
    assert _start(spoken, asked.split("-")[0]).started["session"]["language"] == language


def test_a_key_that_offers_one_language_shows_no_other(spoken: Door) -> None:
    assert _words(spoken, "es", "one")["lang"] == "en"
    assert _start(spoken, "es", "one").started["session"]["language"] == "en"


def test_words_need_a_key(spoken: Door) -> None:
    refused(spoken.client.get("/panel/nobody/words"), 404, "not_found")


def test_a_chat_is_held_in_the_language_that_it_began_in(spoken: Door) -> None:
    patient = _start(spoken, "es")
    assert patient.started["session"]["language"] == "es"
    assert patient.events()[0]["blocks"][0]["text"].startswith(MARK)
    answer = patient.say("I can't feel my legs")
    assert answer["disposition"] == "emergency"
    assert answer["blocks"][0]["text"].startswith(MARK)
    assert spoken.records.bound(spoken.name(patient)) == ("vertebroplasty", "es")


def test_a_chat_that_is_refused_is_refused_in_the_language_that_was_asked_for(open_door: Callable[..., Door], tongues: Library) -> None:
    keys = {"demo": EmbedKey("demo", (PAGE,), "en", languages=("en", "es"))}
    door = open_door(library=tongues, embed_keys=keys, maintenance=True)
    for language, marked in (("es", True), ("en", False), ("fr", False)):
        response = door.client.post(f"{API}/sessions", json={"key": "demo", "language": language}, headers={"Origin": HOME})
        assert refused(response, 503, "maintenance")["message"].startswith(MARK) is marked


def test_what_is_refused_is_said_in_the_chats_language(spoken: Door) -> None:
    patient = _start(spoken, "es")
    assert patient.ask("DELETE", "").status_code == 204
    assert refused(patient.ask("GET", ""), 401, "session_ended")["message"].startswith(MARK)
