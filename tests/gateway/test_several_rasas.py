"""Several Rasa workers: each conversation has a home; where that is down, the next one goes on from where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import gateway.app
import gateway.dialogue.rasa
from aftercare.assistant import Assistant
from aftercare.protocol import Library, Protocol
from gateway.dialogue.rasa import Rasa
from gateway.settings import Settings, SettingsError, from_environment
from tests.gateway.support import HARMLESS, Clock, Door, Patient, ScriptedRasa, ScriptedWire, is_emergency, opened, stored

_URLS = ("http://rasa-a.test", "http://rasa-b.test", "http://rasa-c.test")
_OPENING = "My legs feel weak"


class Workers(httpx.AsyncBaseTransport):
    """Scripted workers by address; each keeps its own conversations and knows nothing of the others'."""

    def __init__(self, assistant: Assistant, urls: tuple[str, ...] = _URLS) -> None:
        self.all = {url: ScriptedRasa(assistant) for url in urls}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.all[f"{request.url.scheme}://{request.url.host}"].handle_async_request(request)

    def asked(self, conversation: str) -> list[str]:
        """The workers that heard of a conversation."""
        return [url for url, worker in self.all.items() if any(body["sender"] == conversation for body in worker.heard)]

    def home(self, conversation: str) -> ScriptedRasa:
        (url,) = self.asked(conversation)
        return self.all[url]


@pytest.fixture
def workers(assistant: Assistant) -> Workers:
    return Workers(assistant)


@pytest.fixture
def open_gateway(
    settings: Settings, protocol: Protocol, workers: Workers, clock: Clock, file: Path, rasa: ScriptedRasa
) -> Iterator[Callable[..., Door]]:
    """Start one more gateway on the same records and workers."""
    with ExitStack() as stack:

        def start(urls: tuple[str, ...] = _URLS) -> Door:
            app = gateway.app.create_app(
                replace(settings, rasa_urls=urls), Library([protocol]), rasa=Rasa(urls, ScriptedWire(workers)), clock=clock
            )
            return stack.enter_context(opened(app, settings, rasa, clock, file))

        yield start


@pytest.fixture
def door(open_gateway: Callable[..., Door]) -> Door:
    return open_gateway()


def _by(door: Door, patient: Patient, text: str) -> str:
    """Who answered a message: `rasa` or `core`."""
    seq = stored(patient.send(text))
    patient.answer_to(seq)
    return str(door.recorded(patient, seq).facts["by"])


def test_a_conversation_stays_with_one_worker_and_conversations_are_spread(door: Door, workers: Workers) -> None:
    used = set()
    for _ in range(12):
        patient = door.patient()
        for text in (HARMLESS, "Thank you", "Can I shower?"):
            assert _by(door, patient, text) == "rasa"
        (url,) = workers.asked(door.name(patient))
        used.add(url)
    assert len(used) > 1


def test_every_gateway_asks_the_same_worker_whatever_order_it_knows_them_in(open_gateway: Callable[..., Door], workers: Workers) -> None:
    first, second = open_gateway(), open_gateway(_URLS[::-1])
    for _ in range(6):
        patient = first.patient()
        patient.say(HARMLESS)
        Patient(second.client, patient.started).say("Can I shower?")
        assert len(workers.asked(first.name(patient))) == 1


def test_with_one_worker_less_only_its_own_conversations_move(assistant: Assistant) -> None:
    names = [f"conversation-{number}" for number in range(300)]
    three, two = Rasa(_URLS), Rasa(_URLS[:2])
    before, after = ({name: rasa._by_nearness(name)[0] for name in names} for rasa in (three, two))
    assert all(after[name] == before[name] for name in names if before[name] != _URLS[2])
    assert 60 < sum(home == _URLS[2] for home in before.values()) < 140


def test_where_the_home_is_down_the_next_worker_goes_on_from_where_it_stands(door: Door, workers: Workers) -> None:
    patient = door.patient()
    question = patient.say(_OPENING)
    assert question["type"] == "question"
    home = workers.home(door.name(patient))
    home.act = home.down
    started = time.monotonic()
    answer = patient.choose("Yes", question)
    assert time.monotonic() - started < 2
    assert is_emergency(answer)
    assert door.recorded(patient, answer["reply_to"]).facts["by"] == "rasa"
    (other,) = [worker for worker in workers.all.values() if worker is not home and worker.heard]
    assert "conversation" in other.heard[-1]


def test_a_worker_that_was_down_rests_and_is_asked_again_and_told_what_it_missed(
    door: Door, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.dialogue.rasa, "_REST_SECONDS", 1.0)
    patient = door.patient()
    patient.say(HARMLESS)
    home = workers.home(door.name(patient))
    home.act = home.down
    question = patient.say(_OPENING)
    home.act = home.well
    heard = len(home.heard)
    patient.say("How long does the cement take to get hard?")
    assert len(home.heard) == heard, "it rests"
    time.sleep(1.1)
    answer = patient.say("Yes, and I lost control of my bladder")
    assert question["type"] == "question"
    assert is_emergency(answer)
    assert len(home.heard) == heard + 1, "it is asked again"
    assert home.heard[-1]["conversation"], "it is told what it missed"
    patient.say("Thank you")
    assert "conversation" not in home.heard[-1], "it knows"


def test_a_silent_worker_costs_one_wait_and_then_rests(door: Door, workers: Workers) -> None:
    patient = door.patient()
    patient.say(HARMLESS)
    home = workers.home(door.name(patient))
    home.act = home.hang
    started = time.monotonic()
    assert _by(door, patient, "My back hurts a bit") == "core"
    assert time.monotonic() - started < 5
    started = time.monotonic()
    assert _by(door, patient, "Can I shower?") == "rasa"
    assert time.monotonic() - started < 2


def test_where_every_worker_is_down_the_core_answers(door: Door, workers: Workers) -> None:
    patient = door.patient()
    for worker in workers.all.values():
        worker.act = worker.down
    assert _by(door, patient, HARMLESS) == "core"
    for worker in workers.all.values():
        worker.act = worker.well
    assert _by(door, patient, "Can I shower?") == "rasa", "though all of them rest"


def test_readiness_tells_of_some_that_are_down(door: Door, workers: Workers) -> None:
    assert door.client.get("/readyz").json()["rasa"] == "ok"
    first, *others = workers.all.values()
    first.act = first.down
    assert door.client.get("/readyz").json()["rasa"] == "partly"
    for worker in others:
        worker.act = worker.down
    response = door.client.get("/readyz")
    assert (response.status_code, response.json()["rasa"]) == (200, "down")


def _settings(url: str) -> Settings:
    return from_environment({"AFTERCARE_RASA_URL": url}, demo=True)


def test_the_setting_names_several() -> None:
    assert _settings("http://a.test:1, http://b.test:2/").rasa_urls == ("http://a.test:1", "http://b.test:2")


@pytest.mark.parametrize("url", ["http://a.test:1,", "http://a.test:1,nowhere", "http://a.test:1,http://a.test:1/"])
def test_a_list_that_is_wrong_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="AFTERCARE_RASA_URL"):
        _settings(url)
