"""A second procedure is a folder: it answers over the wire beside the first, in the same processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from aftercare.protocol import Protocol, load_protocol
from scripts.stack import Ports, Stack
from tests.procedures import BACK, BOWEL, FIRST, SECOND, environment_of_both, model_of_both
from tests.system.test_matrix_gateway import Chat

EXPECTED = yaml.safe_load((SECOND.parent / f"{SECOND.name}.expected.yml").read_text(encoding="utf-8"))["messages"]
WEBHOOK = "/webhooks/rest/webhook"
SECONDS = 15

Ask = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.timeout(1_800)  # the first test waits for the training


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("both")
    model, env = model_of_both(), environment_of_both(folder, ["http://127.0.0.1:9"])
    with Stack(Ports.free(), folder / "conversations.db", folder / "logs", env, model=model) as running:
        yield running


@pytest.fixture(scope="module")
def ask(both: Stack) -> Iterator[Ask]:
    """Say something to Rasa; the payload, with the text in it."""
    with httpx.Client(base_url=both.url, timeout=SECONDS, trust_env=False) as client:

        def send(sender: str, text: str, **more: Any) -> dict[str, Any]:
            response = client.post(WEBHOOK, json={"sender": sender, "message": text, **more})
            if response.is_error:
                return {"status": response.status_code, **response.json()}
            (message,) = response.json()
            return {**message["custom"], "text": message["text"]}

        yield send


@pytest.fixture(scope="module")
def first() -> Protocol:
    return load_protocol(FIRST)


@pytest.fixture(scope="module")
def second() -> Protocol:
    return load_protocol(SECOND)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda each: each["text"][:40])
def test_the_second_procedure_answers_as_its_folder_says(ask: Ask, second: Protocol, expected: dict[str, Any]) -> None:
    sender = f"second {expected['text']}"
    answer = ask(sender, expected["text"], protocol=second.id)
    assert answer["protocol"] == {"id": second.id, "version": second.version}
    assert answer["type"] == expected["type"]
    for key in ("disposition", "topic", "about"):
        assert expected.get(key) in (None, answer.get(key))
    if "rule" in expected:
        assert answer["rules"][0] == expected["rule"]
    if "behind" in expected:
        behind = ask(sender, "", answers=dict.fromkeys(answer["checks"], "no"))
        told = {**behind, "rule": next(iter(behind.get("rules", ())), None)}
        assert {key: told.get(key) for key in expected["behind"]} == expected["behind"]


def test_each_quotes_its_own_leaflet(ask: Ask, first: Protocol, second: Protocol) -> None:
    for protocol in (first, second):
        answer = ask(f"drive {protocol.id}", "who may drive me home afterwards?", protocol=protocol.id)
        quotes = {sentence.quote for sentence in protocol.sentences.values()}
        assert answer["protocol"]["id"] == protocol.id
        assert all(source["quote"] in quotes for source in answer.get("sources", ()))


def test_a_rule_of_one_procedure_is_none_of_the_other(ask: Ask, first: Protocol, second: Protocol) -> None:
    words = "my belly is hard as a board"
    assert "hard_belly" in ask("belly 2", words, protocol=second.id)["rules"]
    assert "hard_belly" not in ask("belly 1", words, protocol=first.id).get("rules", ())


@pytest.mark.parametrize("protocol", ["vertebroplasty", "colonoscopy"])
def test_a_shared_red_flag_is_one_everywhere(ask: Ask, protocol: str) -> None:
    answer = ask(f"chest {protocol}", "I have chest pain", protocol=protocol)
    assert (answer["disposition"], answer["rules"][0]) == ("emergency", "chest_pain")


def test_a_conversation_stays_with_its_procedure(ask: Ask) -> None:
    assert ask("stays", "hello", protocol="colonoscopy")["protocol"]["id"] == "colonoscopy"
    for more in ({"protocol": "vertebroplasty"}, {"protocol": "nothing of ours"}, {}):
        assert ask("stays", "I feel bloated", **more)["protocol"]["id"] == "colonoscopy"


def test_a_new_conversation_goes_by_the_default(ask: Ask, first: Protocol) -> None:
    assert ask("default", "hello")["protocol"] == {"id": first.id, "version": first.version}


def test_a_protocol_that_is_not_in_force_begins_no_conversation(ask: Ask) -> None:
    refused = ask("unknown", "hello", protocol="tonsillectomy")
    assert refused["status"] == 400
    assert "vertebroplasty, colonoscopy" in refused["error"]


def test_a_language_that_it_does_not_speak_is_answered_in_its_own(ask: Ask) -> None:
    assert ask("spanish", "hello", language="es")["language"] == "en"


def test_embed_keys_name_the_procedure(both: Stack, first: Protocol, second: Protocol) -> None:
    """Over the gateway: two keys, two leaflets, two clinics."""
    for key, protocol in ((BACK, first), (BOWEL, second)):
        chat = Chat(both.gateway, key)
        answer = chat.do("when should I call the doctor?")
        assert answer["protocol"]["id"] == protocol.id
        assert {source["quote"] for source in answer["sources"]} <= {sentence.quote for sentence in protocol.sentences.values()}
        chat.close()


def test_the_records_know_the_procedure(both: Stack) -> None:
    with closing(sqlite3.connect(Path(both.records.removeprefix("sqlite:///")))) as file:
        kept = dict(file.execute("SELECT embed_key, protocol FROM conversation"))
    assert kept == {BACK: "vertebroplasty", BOWEL: "colonoscopy"}
