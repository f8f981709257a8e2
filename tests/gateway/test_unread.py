"""A message that cannot be read in time gets the safety card and a case, and delays nobody else."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from trapped import DEADFALL, QUICKSAND, TAR, TrappedCore

from aftercare.protocol import Library, Protocol
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import Queue
from gateway.records.database import connect
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tier import Rank
from readers.pool import Readers
from tests.gateway.console.people import hired, services_of
from tests.gateway.support import (
    ANSWER_SECONDS,
    BOUND,
    HARMLESS,
    MASTER_KEY,
    MASTER_KEY_TEXT,
    RED_FLAG,
    ROOT,
    Clock,
    Door,
    Json,
    Patient,
    is_emergency,
    new_id,
    refused,
    stored,
)

MOST_DELAY_SECONDS = 0.2


@pytest.fixture
def door(open_door: Callable[..., Door], protocol: Protocol) -> Door:
    return open_door(readers=Readers(Library([protocol]), TrappedCore))


def _check_card(door: Door, patient: Patient, answer: Json) -> None:
    assert answer["type"] == "trouble"
    assert "911" in str(answer["blocks"])
    facts = door.recorded(patient, answer["reply_to"]).facts
    assert (facts["by"], facts["cause"]) == ("card", "unread")


@pytest.mark.parametrize("state", ["well", "down", "hang"])
@pytest.mark.parametrize("trap", [QUICKSAND, TAR, DEADFALL])
def test_it_gets_the_safety_card_and_the_chat_goes_on(trap: str, state: str, door: Door) -> None:
    patient = door.patient()
    assert patient.say("My legs feel weak")["type"] == "question"
    door.rasa.act = getattr(door.rasa, state)
    began = time.monotonic()
    answer = patient.answer_to(stored(patient.send(f"{HARMLESS} {trap}")))
    assert time.monotonic() - began < ANSWER_SECONDS
    _check_card(door, patient, answer)
    door.rasa.act = door.rasa.well
    assert is_emergency(patient.say(RED_FLAG))


def test_an_emergency_that_rasa_hears_in_it_stands(door: Door) -> None:
    patient, messages = door.patient(), door.rasa.reply({"sender": "other", "message": RED_FLAG})
    door.rasa.say(lambda _: httpx.Response(200, json=messages))
    assert is_emergency(patient.say(f"{RED_FLAG} {QUICKSAND}"))


def test_a_refused_one_has_the_safety_card(door: Door) -> None:
    patient = door.patient()
    patient.ask("DELETE", "")
    refused(patient.send(f"{RED_FLAG} {TAR}"), 401, "session_ended")


def test_nurses_see_a_case_that_could_not_be_read(door: Door) -> None:
    patient, nurse = door.patient(), hired(door, "Ann Lee", "nurse")
    patient.say(f"{HARMLESS} {QUICKSAND}")
    services = services_of(door)
    (row,) = Queue(door.records.engine, services.policy, door.clock).page(Filter(finding="unread")).rows
    assert (row.failed, row.findings, row.rank) == (True, ("unread",), Rank.CALL)
    assert "could not be read" in nurse.get("/").text
    page = nurse.get(f"/cases/{row.id}").text
    assert "The assistant could not read a message." in page
    assert "Safety card alone: the message could not be read" in page


def test_others_wait_no_longer_while_one_is_being_read(door: Door) -> None:
    other, hostile = door.patient(), [door.patient() for _ in range(3)]

    def median() -> float:
        return statistics.median(_seconds(other) for _ in range(9))

    alone = median()
    with ThreadPoolExecutor(len(hostile)) as pool:
        stuck = [pool.submit(each.say, f"{HARMLESS} {TAR}") for each in hostile]
        time.sleep(0.1)
        meanwhile = median()
        assert not any(each.done() for each in stuck), "they were not stuck for long enough"
        assert all(each.result()["type"] == "trouble" for each in stuck)
    assert meanwhile < alone + MOST_DELAY_SECONDS, (alone, meanwhile)


def _seconds(patient: Patient) -> float:
    began = time.monotonic()
    assert patient.say(RED_FLAG)["disposition"] == "emergency"
    return time.monotonic() - began


# A message that ends the gateway itself.


def _left(sqlite_url: str, clock: Clock, words: str) -> tuple[Records, str, str]:
    records = Records(connect(sqlite_url), Keyring([MASTER_KEY]), clock)
    token = records.start("demo", {"blocks": [], "buttons": [], "sources": []}, "patient", bound=BOUND)
    session = records.session(token)
    assert session is not None
    records.add_message(session.conversation, new_id(), words)
    return records, token, session.conversation


def test_a_message_left_behind_is_tried_twice_and_then_gets_the_card(open_door: Callable[..., Door], sqlite_url: str, clock: Clock) -> None:
    records, token, name = _left(sqlite_url, clock, RED_FLAG)
    assert [records.note_try(name, 2) for _ in range(2)] == [1, 2]
    clock.travel(seconds=6)
    door = open_door()
    patient = Patient(door.client, {"token": token})
    _check_card(door, patient, patient.answer_to(2))
    assert is_emergency(patient.say(RED_FLAG))


def test_a_message_left_behind_once_is_read(open_door: Callable[..., Door], sqlite_url: str, clock: Clock) -> None:
    records, token, name = _left(sqlite_url, clock, RED_FLAG)
    records.note_try(name, 2)
    clock.travel(seconds=6)
    assert is_emergency(Patient(open_door().client, {"token": token}).answer_to(2))


_DEADLY = """
import asyncio, os
from datetime import timedelta
from aftercare.protocol import load_library
from gateway.app import create_app
from gateway.records.store import utc_now
from gateway.settings import from_environment
from readers.pool import Readers

class Deadly(Readers):
    def start(self): pass
    def warm(self): pass
    async def read(self, *_): os._exit(9)

async def live(app):
    async with app.router.lifespan_context(app):
        await asyncio.sleep(3)

library = load_library()
later = lambda: utc_now() + timedelta(seconds=6)
asyncio.run(live(create_app(from_environment(os.environ, demo=True), library, clock=later, readers=Deadly(library))))
"""


def test_a_gateway_that_a_message_ended_twice_starts_and_gives_the_card(sqlite_url: str, clock: Clock) -> None:
    records, _, name = _left(sqlite_url, clock, HARMLESS)
    environment = {**os.environ, "AFTERCARE_RECORDS": sqlite_url, "AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT}
    ends = [
        subprocess.run([sys.executable, "-c", _DEADLY], cwd=ROOT, env=environment, timeout=120, check=False).returncode for _ in range(3)
    ]
    assert ends == [9, 9, 0]
    *_, answer = records.events(name)
    assert (answer.facts["by"], answer.facts["cause"]) == ("card", "unread")
