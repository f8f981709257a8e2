"""Parts of the bot hang, die, raise or cannot store: the patient is answered all the same, and nothing is logged."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path

import httpx
import pytest

from aftercare.protocol import load_protocol
from rasa_ext.envelopes import Envelopes
from scripts.stack import Stack
from tests.system.conftest import DANGER, IN_PROCESS, ROWS, SERVER, Answer, Patients
from vault.day_keys import DayKeys

CANARY = "quokkaberry"
PATIENCE_SECONDS = 3.0
RESTART_SECONDS = 60.0
FAULTS = Path(__file__).with_name("faults")
ROOT = Path(__file__).resolve().parents[2]
NOT_STORED = load_protocol().say("not_stored")
BOTH = pytest.mark.parametrize("patients", [IN_PROCESS, SERVER], indirect=True)

Hanging = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file; the part of the bot that it names raises, see faults/."""
    return tmp_path_factory.mktemp("faults") / "fault"


@pytest.fixture(scope="module")
def own_patients(start_stack: Callable[..., Patients], switch: Path) -> Callable[[str], Patients]:
    """Patients of a bot of a set-up, started when it is first asked for."""
    path = os.pathsep.join([str(FAULTS), str(ROOT)])
    return lru_cache(lambda actions: start_stack({"PYTHONPATH": path, "AFTERCARE_TEST_FAULT": str(switch)}, actions))


@pytest.fixture(scope="module")
def patients(own_patients: Callable[[str], Patients], request: pytest.FixtureRequest) -> Patients:
    """Patients of a bot that these tests break; it hides the one that all others share."""
    return own_patients(getattr(request, "param", IN_PROCESS))


@pytest.fixture
def stack(patients: Patients) -> Stack:
    return patients.stack


@pytest.fixture(autouse=True)
def no_words_in_the_logs(stack: Stack) -> Iterator[None]:
    """After every test: no log of the bot holds what a patient typed."""
    yield
    files = [file for file in stack.logs.iterdir() if file.is_file()]
    assert {"rasa.log", "supervisord.log", _action_log(stack)} <= {file.name for file in files}
    told = [file.name for file in files if CANARY in file.read_text(errors="replace").lower()]
    assert not told, f"a patient's words are in {told}"


@contextmanager
def _broken(switch: Path, fault: str) -> Iterator[None]:
    switch.write_text(fault)
    try:
        yield
    finally:
        switch.write_text("")


def _in_time(patients: Patients, sender: str, text: str = "", **answers: str) -> Answer:
    """Say it, or answer rows of the danger check; the answer comes before a patient gives up."""
    start = time.monotonic()
    answer = patients.say(sender, text, **answers)
    seconds = time.monotonic() - start
    assert seconds < PATIENCE_SECONDS, f"{text or answers!r} was answered after {seconds:.1f} s"
    return answer


def _wait_for(stack: Stack, name: str, address: str, not_pid: int = 0) -> None:
    """Wait until a server, which is not the process `not_pid`, answers."""
    end = time.monotonic() + RESTART_SECONDS
    while time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if httpx.get(address, timeout=1, trust_env=False).is_success and stack.pids[name] != not_pid:
                return
        time.sleep(0.1)
    pytest.fail(f"{name} does not answer after {RESTART_SECONDS:.0f} s")


def _wait_for_actions(stack: Stack, not_pid: int = 0) -> None:
    _wait_for(stack, "actions", f"http://127.0.0.1:{stack.ports.actions}/health", not_pid)


def _action_log(stack: Stack) -> str:
    """The log of the process that runs the custom action."""
    return "actions.log" if stack.ports.actions else "rasa.log"


@pytest.fixture
def hanging(stack: Stack, switch: Path) -> Hanging:
    """Lets the custom action hang: its server as a whole, or, in Rasa's process, the action alone."""
    return partial(_hanging_server, stack) if stack.ports.actions else partial(_broken, switch, "action hangs")


@contextmanager
def _hanging_server(stack: Stack) -> Iterator[None]:
    pid = stack.pids["actions"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        _wait_for_actions(stack)


@contextmanager
def _locked(stack: Stack) -> Iterator[None]:
    """Another process (this one) holds the database's only write lock."""
    with closing(sqlite3.connect(stack.db, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def _stored(stack: Stack, sender: str) -> str:
    """Everything that is stored of a conversation, opened with the keys beside the database."""
    envelopes = Envelopes(DayKeys(stack.db.with_name("tracker-keys")))
    with closing(sqlite3.connect(stack.db)) as reader:
        rows = reader.execute("SELECT data FROM events WHERE sender_id = ?", (sender,)).fetchall()
    return "\n".join(envelopes.open(data, sender) or "" for (data,) in rows)


# The custom action hangs, or its server dies.


@BOTH
def test_emergency_while_the_action_hangs(patients: Patients, stack: Stack, hanging: Hanging, sender: str) -> None:
    with hanging():
        answer = _in_time(patients, sender, f"I cant breathe {CANARY}")
        assert answer.disposition == "emergency"
        assert "breathless" in answer.rules
        assert NOT_STORED not in answer.text
    assert CANARY in _stored(stack, sender)
    assert patients.say(sender, "Thank you.").disposition == "emergency"


@BOTH
def test_care_at_home_while_the_action_hangs_and_what_follows(patients: Patients, hanging: Hanging, sender: str) -> None:
    with hanging():
        assert _in_time(patients, sender, f"The needle site is sore. {CANARY}").about == "danger_check"
        assert _in_time(patients, sender, "None of these").disposition == "self_care"
        assert _in_time(patients, sender, "I have a fever of 101.5 F.").disposition == "call_doctor"
    answer = patients.say(sender, "And now I have chest pain.")
    assert {"chest_pain", "fever", "soreness"} <= set(answer.rules)


@BOTH
def test_interview_goes_on_while_the_action_hangs(patients: Patients, hanging: Hanging, sender: str) -> None:
    assert patients.say(sender, "My legs feel weak.").about == "leg_weakness"
    with hanging():
        assert _in_time(patients, sender, "No").checks == DANGER
        assert _in_time(patients, sender, chest_pain="no").checks == DANGER[1:]
    answer = patients.say(sender, walking="yes")
    assert answer.disposition == "emergency"
    assert {"paralysis", "leg_signs"} <= set(answer.rules)


@BOTH
@pytest.mark.parametrize("words", ["", f"Thank you. {CANARY}"], ids=["alone", "with words"])
def test_a_yes_to_a_danger_sign_while_the_action_hangs(words: str, patients: Patients, hanging: Hanging, sender: str) -> None:
    assert patients.say(sender, "The needle site is sore.").checks == list(ROWS)
    with hanging():
        assert _in_time(patients, sender, words, saddle_numbness="yes").disposition == "emergency"
    assert patients.say(sender, "Thank you.").disposition == "emergency"


@pytest.mark.parametrize("patients", [SERVER], indirect=True)
def test_action_server_is_killed_again_and_again(patients: Patients, stack: Stack, sender: str) -> None:
    for number in range(3):
        killed = stack.pids["actions"]
        os.kill(killed, signal.SIGKILL)
        assert _in_time(patients, f"{sender}-{number}", f"I have chest pain. {CANARY}").disposition == "emergency"
        assert _in_time(patients, f"{sender}-sore-{number}", "The needle site is sore.").checks == list(ROWS)
        _wait_for_actions(stack, not_pid=killed)
    assert patients.say(sender, "Hello").type == "chat"


# The database is locked, read, and outlives the servers.


def test_database_is_in_wal_mode(patients: Patients, stack: Stack, sender: str) -> None:
    patients.say(sender, "Hello")
    with closing(sqlite3.connect(stack.db)) as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_reader_costs_nothing(patients: Patients, stack: Stack, sender: str) -> None:
    patients.say(sender, "Hello")
    with closing(sqlite3.connect(stack.db, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM events").fetchone()
        for number in range(5):
            start = time.monotonic()
            answer = patients.say(sender, f"The needle site is sore. {CANARY}{number}")
            assert time.monotonic() - start < 1
            assert answer.about == "danger_check"
            assert NOT_STORED not in answer.text
        assert reader.execute("SELECT count(*) FROM events").fetchone() == before, "the reader held no transaction"
    assert all(f"{CANARY}{number}" in _stored(stack, sender) for number in range(5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I cant breathe", "emergency"),
        ("The needle site is sore.", "danger_check"),
        ("My legs feel weak.", "question"),
        ("How long does the procedure take?", "faq"),
        ("Hello", "chat"),
        ("", "chat"),
        ("It was a long day. " * 300 + "I cant breathe", "emergency"),
    ],
    ids=["emergency", "danger_check", "question", "faq", "chat", "empty", "long"],
)
def test_locked_database_is_told(text: str, expected: str, patients: Patients, stack: Stack, sender: str) -> None:
    with _locked(stack):
        answer = _in_time(patients, sender, text and f"{text} {CANARY}"[-5_900:])
        assert NOT_STORED in answer.text
        assert expected in (answer.type, answer.disposition, answer.about), answer.text
    answer = patients.say(sender, f"The needle site is sore. {CANARY}")
    assert answer.checks == list(ROWS)
    assert NOT_STORED not in answer.text


def test_conversation_goes_on_after_the_lock(patients: Patients, stack: Stack, sender: str) -> None:
    assert patients.say(sender, "My legs feel weak.").about == "leg_weakness"
    with _locked(stack):
        assert NOT_STORED in _in_time(patients, sender, "No").text
    assert patients.say(sender, "No").checks == DANGER
    with _locked(stack):
        assert NOT_STORED in _in_time(patients, sender, chest_pain="no").text
    assert patients.say(sender, chest_pain="no").checks == DANGER[1:]
    answer = patients.say(sender, walking="yes")
    assert answer.disposition == "emergency"
    assert NOT_STORED not in answer.text


def test_emergency_stands_while_the_database_is_locked(patients: Patients, stack: Stack, sender: str) -> None:
    assert patients.say(sender, "I have chest pain.").disposition == "emergency"
    with _locked(stack):
        answer = _in_time(patients, sender, "The needle site is sore.")
        assert NOT_STORED in answer.text
        assert answer.disposition == "emergency"


def test_red_flag_in_mid_interview_while_the_database_is_locked(patients: Patients, stack: Stack, sender: str) -> None:
    assert patients.say(sender, "My legs feel weak.").about == "leg_weakness"
    with _locked(stack):
        answer = _in_time(patients, sender, "Yes")
        assert NOT_STORED in answer.text
        assert answer.disposition == "emergency", answer.text


def test_a_yes_to_a_danger_sign_while_the_database_is_locked(patients: Patients, stack: Stack, sender: str) -> None:
    assert patients.say(sender, "The needle site is sore.").checks == list(ROWS)
    with _locked(stack):
        answer = _in_time(patients, sender, walking="yes")
        assert NOT_STORED in answer.text
        assert answer.disposition == "emergency", answer.text


@BOTH
def test_locked_database_and_hanging_action(patients: Patients, stack: Stack, hanging: Hanging, sender: str) -> None:
    with hanging(), _locked(stack):
        start = time.monotonic()
        answer = patients.say(sender, f"I cant breathe {CANARY}")
        assert time.monotonic() - start < 2 * PATIENCE_SECONDS
        assert answer.disposition == "emergency"
        assert NOT_STORED in answer.text


def test_database_is_for_this_user_only(stack: Stack) -> None:
    for file in [*stack.db.parent.glob(stack.db.name + "*"), *stack.db.with_name("tracker-keys").iterdir()]:
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_no_file_holds_a_word(patients: Patients, stack: Stack, sender: str) -> None:
    """Not Rasa's database, nor its log, nor the records beside it."""
    patients.say(sender, f"My legs feel weak. {CANARY}")
    assert CANARY in _stored(stack, sender)
    files = [file for file in stack.db.parent.iterdir() if file.is_file()]
    assert any(sender.encode() in file.read_bytes() for file in files), "nothing was read of what was just stored"
    told = [file.name for file in files for word in (CANARY, "legs feel weak", "leg_weakness") if word.encode() in file.read_bytes()]
    assert not told


def test_conversations_outlive_the_servers(patients: Patients, stack: Stack, sender: str) -> None:
    asked, urgent = f"{sender}-asked", f"{sender}-urgent"
    assert patients.say(asked, "My legs feel weak.").about == "leg_weakness"
    assert patients.say(asked, "No").checks == DANGER
    assert patients.say(asked, chest_pain="no").checks == DANGER[1:]
    assert patients.say(urgent, f"I have chest pain. {CANARY}").disposition == "emergency"
    stack.stop()
    stack.start()
    answer = patients.say(asked, walking="yes")
    assert answer.disposition == "emergency"
    assert {"paralysis", "leg_signs"} <= set(answer.rules)
    told = {(finding["finding"], finding["status"]) for finding in answer.custom["findings"]}
    assert {("leg_weakness", "present"), ("cannot_walk", "present"), ("chest_pain", "absent")} <= told
    assert patients.say(urgent, "Thank you.").disposition == "emergency"


def test_conversations_outlive_a_killed_rasa(patients: Patients, stack: Stack, sender: str) -> None:
    assert patients.say(sender, f"My legs feel weak. {CANARY}").about == "leg_weakness"
    killed = stack.pids["rasa"]
    os.kill(killed, signal.SIGKILL)
    _wait_for(stack, "rasa", f"{stack.url}/webhooks/rest/", not_pid=killed)
    assert patients.say(sender, "No").checks == DANGER


# A part raises.


@BOTH
@pytest.mark.parametrize(("fault", "line"), [("extractor", "turn failed: "), ("action", "action_respond failed: ValueError")])
def test_a_part_raises(fault: str, line: str, patients: Patients, stack: Stack, switch: Path, sender: str) -> None:
    log = _action_log(stack) if fault == "action" else "rasa.log"
    urgent = f"{sender}-urgent"
    assert patients.say(sender, "My legs feel weak.").about == "leg_weakness"
    logged = (stack.logs / log).read_text(errors="replace").count(line)
    with _broken(switch, fault):
        emergency = _in_time(patients, urgent, f"I cant breathe {CANARY}")
        greeting = _in_time(patients, f"{sender}-greeting", f"hello {CANARY}")
        asked = _in_time(patients, sender, "No")
    assert (stack.logs / log).read_text(errors="replace").count(line) >= logged + 3, "nothing raised"
    assert emergency.disposition == "emergency"
    assert NOT_STORED not in emergency.text
    assert NOT_STORED not in greeting.text
    assert asked.checks == DANGER
    assert CANARY in _stored(stack, urgent)
    assert patients.say(urgent, "Thank you.").disposition == "emergency"
    assert patients.say(sender, walking="yes").disposition == "emergency"
