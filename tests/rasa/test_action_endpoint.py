"""The custom action runs in this process or in a server; Rasa notices no difference, and no error's text gets into a log."""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, FollowupAction, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa_sdk import Action
from rasa_sdk.endpoint import create_app
from rasa_sdk.interfaces import ActionExecutionRejection as Refusal

from rasa_ext import action_endpoint, in_force
from rasa_ext.action_endpoint import LocalActions
from readers.shared import readers
from scripts.common import ROOT
from scripts.stack import free_port

CANARY = "quokkaberry"
WORDS = f"I have chest pain {CANARY}"
DOMAIN = Domain.load(ROOT / "domain.yml")


class _Refusing(Action):
    def name(self) -> str:
        return "action_refuse"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> Any:
        raise Refusal(self.name(), "not now")


class _Raising(Action):
    def name(self) -> str:
        return "action_raise"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> Any:
        raise ValueError(tracker.latest_message["text"])


@pytest.fixture(scope="module")
def local() -> LocalActions:
    made = LocalActions()
    made.load()
    return made


def _tracker(words: str = WORDS) -> DialogueStateTracker:
    entities = in_force.read(in_force.library().default.key, words, date.today()).to_entities()
    return DialogueStateTracker.from_events("patient", [UserUttered(words, entities=entities)], DOMAIN.slots)


async def _run(endpoint: Any, name: str = "action_respond", tracker: DialogueStateTracker | None = None) -> list[Event]:
    action = RemoteAction(name, endpoint)
    return await action.run(CollectingOutputChannel(), TemplatedNaturalLanguageGenerator({}), tracker or _tracker(), DOMAIN)


@pytest.mark.parametrize("environ", [{}, {"AFTERCARE_ACTION_URL": ""}, {"AFTERCARE_ACTION_URL": " "}], ids=["not set", "empty", "blank"])
def test_without_an_address_the_action_runs_here(environ: dict[str, str]) -> None:
    assert isinstance(action_endpoint.endpoint(environ), LocalActions)


def test_with_an_address_a_server_is_asked() -> None:
    endpoint = action_endpoint.endpoint({"AFTERCARE_ACTION_URL": "http://127.0.0.1:5055/webhook"})
    assert not isinstance(endpoint, LocalActions)
    assert endpoint.url == "http://127.0.0.1:5055/webhook"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:5055/webhook"])
def test_the_domain_is_not_sent_with_each_turn(url: str) -> None:
    call = RemoteAction("action_respond", action_endpoint.endpoint({"AFTERCARE_ACTION_URL": url}))._action_call_format(_tracker(), DOMAIN)
    assert "domain" not in call


async def test_the_answer_and_the_slots_reach_rasa(local: LocalActions) -> None:
    events = await _run(local)
    (uttered,) = [event for event in events if isinstance(event, BotUttered)]
    assert uttered.data["custom"]["disposition"] == "emergency"
    slots = {event.key: event.value for event in events if isinstance(event, SlotSet)}
    assert slots["findings"] == {"chest_pain": "present"}
    assert events[-1] == FollowupAction("action_listen")


async def test_an_action_server_answers_the_same(local: LocalActions) -> None:
    port, tracker = free_port(), _tracker()
    server = await create_app("actions").create_server("127.0.0.1", port, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    try:
        elsewhere = action_endpoint.endpoint({"AFTERCARE_ACTION_URL": f"http://127.0.0.1:{port}/webhook"})
        here, there = await _run(local, tracker=tracker), await _run(elsewhere, tracker=tracker)
    finally:
        server.close()  # type: ignore[no-untyped-call]
    assert [_told(event) for event in here] == [_told(event) for event in there]


def _told(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.as_dict().items() if name != "timestamp"}


async def test_the_core_is_loaded_once_for_the_channel_and_the_action(local: LocalActions) -> None:
    readers().warm()
    await _run(local)
    templates = [pid for pid in Path("/proc").glob("[0-9]*") if _is_our_template(pid)]
    assert len(templates) == 1


def _is_our_template(process: Path) -> bool:
    try:
        parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        return parent == os.getpid() and b"readers.template" in (process / "cmdline").read_bytes()
    except OSError:
        return False


async def test_an_action_that_refuses_is_rejected_as_by_a_server(local: LocalActions) -> None:
    with pytest.raises(ActionExecutionRejection, match="not now"):
        await _run(local, "action_refuse")


async def test_an_action_that_is_not_there_is_an_error(local: LocalActions) -> None:
    with pytest.raises(RasaException, match="action_nobody_knows"):
        await _run(local, "action_nobody_knows")


async def test_an_error_is_told_without_its_words(local: LocalActions, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(RasaException) as raised:
        await _run(local, "action_raise")
    said = "".join(traceback.format_exception(raised.type, raised.value, raised.tb))
    assert "action_raise failed: ValueError" in caplog.text
    assert CANARY not in caplog.text + said


async def test_while_an_action_waits_others_are_served(local: LocalActions, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*_: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setitem(local.load().actions, "action_wait", wait)
    waiting = asyncio.create_task(_run(local, "action_wait"))
    assert await _run(local)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def _agent(loaded: bool) -> Any:
    return SimpleNamespace(action_endpoint=None, processor=SimpleNamespace(action_endpoint=None) if loaded else None)


def test_agent_and_loaded_model_get_the_endpoint(local: LocalActions) -> None:
    agent = _agent(loaded=True)
    action_endpoint.place(local, agent)
    assert agent.action_endpoint is agent.processor.action_endpoint is local


def test_an_agent_without_a_model_keeps_the_endpoint_for_it(local: LocalActions) -> None:
    agent = _agent(loaded=False)
    action_endpoint.place(local, agent)
    assert agent.action_endpoint is local


@pytest.mark.parametrize("file", ["endpoints.yml", "deploy/rasa/endpoints.yml"])
def test_rasas_own_endpoint_is_in_no_file(file: str) -> None:
    """Rasa refuses to start where a file names a variable that is not set."""
    assert "AFTERCARE_ACTION_URL}" not in (ROOT / file).read_text()
