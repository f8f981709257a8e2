"""The parts of `make soak`: its judge sees each violation, its patients see what nobody may be shown, its faults are what they say."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, text, update

from aftercare.assistant import Assistant
from aftercare.protocol import load_protocol
from benchmarks.soak import patients
from benchmarks.soak.faults import Disk, Fault, Faults, disk, environment, fill
from benchmarks.soak.judge import Verdict, judge
from benchmarks.soak.patients import Ledger, Patient, Plan, Sent, lines, plan
from benchmarks.soak.report import Latency, Outcome, by_faults, fault_table, figures, latency, written
from gateway.records.database import connect, migrate
from gateway.records.sealing import Keyring
from gateway.records.store import Event, Records
from gateway.records.tables import event, triage_case
from scripts.common import GATEWAY_PYTHON, ROOT
from scripts.stack import Ports, Stack

FACTS = {"by": "rasa", "cause": "", "kept": True, "type": "triage", "asks": False, "rules": [], "codes": [], "protocol": {}, "model": ""}
WORDS = {"blocks": [{"kind": "do", "text": "Call 911."}], "buttons": [], "sources": []}
CARD = {"heading": "Safety", "blocks": [{"kind": "do", "text": "Call 911."}]}
SAID = lines()


# What patients write.


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    return Assistant(load_protocol())


@pytest.mark.parametrize("kind", ["red_flags", "others"])
def test_the_core_alone_knows_which_lines_are_emergencies(assistant: Assistant, kind: str) -> None:
    read = {line: assistant.is_emergency(assistant.read(line, date(2024, 5, 15))) for line in SAID[kind]}
    assert [line for line, found in read.items() if found != (kind == "red_flags")] == []


def test_no_line_stands_in_training_data_or_benchmark() -> None:
    files = [file for folder in ("data", "evaluation") for file in (ROOT / folder).rglob("*.yml")]
    assert files
    theirs = "\n".join(file.read_text(encoding="utf-8").lower() for file in files)
    assert [line for some in SAID.values() for line in some if len(line) > 12 and line.lower().rstrip(".?") in theirs] == []


def test_the_same_seed_gives_the_same_patients() -> None:
    made = [plan(number, 1, SAID) for number in range(400)]
    assert made == [plan(number, 1, SAID) for number in range(400)]
    assert made != [plan(number, 2, SAID) for number in range(400)]
    assert {len(each.texts) for each in made} == {1, 2, 3, 4}
    assert 0.08 < sum(each.red_flag for each in made) / len(made) < 0.24
    assert all((each.texts[0] in SAID["red_flags"]) == each.red_flag for each in made)
    assert any(each.swapped for each in made)
    assert {each.check for each in made} == {"no", "yes", "left"}
    assert {how for each in made for how in each.twice.values()} == {"together", "later"}


# The judge.


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    engine = connect(f"sqlite:///{tmp_path / 'records.db'}")
    migrate(engine)
    yield Records(engine, Keyring((bytes(range(32)),)))
    engine.dispose()


@pytest.fixture
def sent(records: Records) -> dict[str, Sent]:
    """A red flag and a harmless message, both taken and answered."""
    token = records.start("demo", WORDS, "patient", bound=("vertebroplasty", "en"))
    session = records.session(token)
    assert session is not None
    found = {}
    for client_id, words, red_flag in (("soak-1-1", "I have chest pain", True), ("soak-1-2", "thanks", False)):
        message, _ = records.add_message(session.conversation, client_id, words)
        answer = records.add_answer(session.conversation, message.seq, FACTS, WORDS, "emergency")
        assert answer is not None
        found[client_id] = Sent(client_id, words, red_flag, 1.0, message.seq, answer.seq, 2.0)
    return found


def _change(records: Records, statement: Any) -> None:
    """Change what the database itself lets nobody change."""
    with records.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(statement)


def test_the_judge_finds_nothing_where_nothing_is_wrong(records: Records, sent: dict[str, Sent]) -> None:
    found = judge(records, sent)
    assert found == Verdict(messages=2, taken=2, red_flags=1, by=found.by)
    assert found.by == {"rasa": 2}


def test_a_message_that_nobody_was_told_of_must_be_answered_too(records: Records, sent: dict[str, Sent]) -> None:
    sent["soak-1-2"].seq = sent["soak-1-2"].answer = 0
    assert judge(records, sent).wrong == []
    _change(records, delete(event).where(event.c.reply_to == 4))
    assert judge(records, sent).wrong == ["soak-1-2 has no answer"]


def _event(place: int, **values: Any) -> Any:
    return update(event).where(event.c.seq == place).values(values)


CHANGES: dict[str, tuple[Any, str]] = {
    "a lost answer": (delete(event).where(event.c.seq == 3), "soak-1-1 has no answer"),
    "a lost message": (delete(event).where(event.c.seq == 2), "soak-1-1 was taken and is lost"),
    "another answer": (_event(5, seq=7, sealed=None), "soak-1-2 has another answer than the patient saw"),
    "silence": (_event(5, sealed=None), "soak-1-2 is answered with silence"),
    "no words kept": (_event(4, sealed=None), "soak-1-2 is stored with other words"),
    "understated": (_event(3, disposition="self_care"), "soak-1-1 was a red flag, and is answered with less than an emergency"),
    "a case lost": (update(triage_case).values(tier=1), "soak-1-1 was a red flag, and its case is no emergency"),
    "a stranger": (_event(4, client_id="stranger"), "stranger is stored, and nobody sent it"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_judge_sees(records: Records, sent: dict[str, Sent], change: str) -> None:
    statement, expected = CHANGES[change]
    _change(records, statement)
    assert expected in judge(records, sent).wrong


def test_the_judge_sees_two_answers_and_a_message_that_is_stored_twice(tmp_path: Path) -> None:
    class Careless(Records):
        """Records without the constraints that keep this from happening."""

        def events(self, name: str, after: int = 0) -> list[Event]:
            found = super().events(name, after)
            return [*found, replace(found[1], seq=8), replace(found[2], seq=9), replace(found[2], seq=10, reply_to=8)]

    engine = connect(f"sqlite:///{tmp_path / 'careless.db'}")
    migrate(engine)
    records = Records(engine, Keyring((bytes(range(32)),)))
    token = records.start("demo", WORDS, "patient", bound=("vertebroplasty", "en"))
    session = records.session(token)
    assert session is not None
    message, _ = records.add_message(session.conversation, "soak-1-1", "thanks")
    records.add_answer(session.conversation, message.seq, FACTS, WORDS, "self_care")
    found = judge(Careless(engine, records.keyring), {"soak-1-1": Sent("soak-1-1", "thanks", False, 1.0, message.seq, 3, 2.0)}).wrong
    assert {"soak-1-1 is answered twice", "soak-1-1 is stored twice"} <= set(found)


# The patients.


class _Gateway:
    """Answers as the gateway does, after it has refused some times.

    Attributes:
        heard: the client ids of the messages that came.
        rows: the answered rows that came.
    """

    def __init__(
        self, refusals: list[Callable[[], httpx.Response]], disposition: str = "emergency", twice: bool = False, asks: bool = False
    ) -> None:
        self._refusals = refusals
        self._disposition = disposition
        self._check = CHECK if asks else None
        self._places: dict[str, int] = {}
        self._twice = twice
        self.heard: list[str] = []
        self.rows: list[dict[str, str]] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.rpartition("/")[2]
        if path == "sessions":
            return httpx.Response(201, json={"token": "token", "events": []})
        if path == "messages":
            client_id = str(_json(request)["client_id"])
            self.heard.append(client_id)
            self.rows += [rows] if (rows := _json(request).get("rows")) else []
            if self._refusals:
                return self._refusals.pop()()
            place = len(self.heard) * 2 if self._twice else self._places.setdefault(client_id, 2 + 2 * len(self._places))
            return httpx.Response(202, json={"seq": place, "state": "stored"})
        after = int(request.url.params["after"])
        answers: list[dict[str, Any]] = [
            {"seq": place + 1, "kind": "answer", "reply_to": place, "disposition": self._disposition, "check": self._check}
            for place in self._places.values()
        ]
        return httpx.Response(200, json={"events": [each for each in answers if each["seq"] > after]})


def _json(request: httpx.Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.content)
    return found


def _live(gateway: _Gateway, doing: Plan, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(patients, "_STEPS", (0.0,))
    monkeypatch.setattr(patients, "PATIENCE_SECONDS", 0.3)
    ledger = Ledger()

    async def live() -> None:
        async with httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(gateway)) as client:
            await Patient(client, doing, "soak", ledger).live()

    asyncio.run(live())
    return ledger


CHECK = {
    "waits": True,
    "rows": [{"id": "chest", "text": "Chest pain?", "danger": True}, {"id": "fever", "text": "Fever?", "danger": False}],
}
SORE = Plan(1, ("it is sore",), False, {}, False)
RED = Plan(1, ("I have chest pain", "thanks"), True, {}, False)
ANSWERED = {"disposition": "emergency"}


def _lost() -> httpx.Response:
    raise httpx.ReadError("the connection broke")


def _refused(status: int = 503, **body: Any) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, json={"safety": CARD, "answer": ANSWERED, **body})


def test_a_patient_sends_again_with_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = _Gateway([_lost, _refused()])
    ledger = _live(gateway, RED, monkeypatch)
    assert gateway.heard == ["soak-1-0"] * 3 + ["soak-1-1"]
    assert ledger.wrong == []
    assert ledger.counts["failed connections"] == ledger.counts["refused with the safety card"] == 1
    assert ledger.counts["red flags answered although refused"] == 1
    assert [each.answer for each in ledger.sent.values()] == [3, 5]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (_refused(safety=None), "without the safety card"),
        (lambda: httpx.Response(502, text="Bad gateway"), "without the safety card"),
        (_refused(answer=None), "to a red flag without the emergency's answer"),
        (_refused(422), "which trying again does not mend"),
    ],
)
def test_a_patient_sees_what_nobody_may_be_shown(refusal: Any, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = _live(_Gateway([refusal]), RED, monkeypatch)
    assert any(expected in each for each in ledger.wrong)


def test_a_patient_sees_an_understated_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _live(_Gateway([], "self_care"), RED, monkeypatch).wrong == ["soak-1-0 was a red flag, and no emergency was shown"]


def test_a_patient_sees_a_message_stored_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = replace(RED, twice={0: "together"})
    assert "soak-1-0 was stored twice, at 2 and 4" in _live(_Gateway([], twice=True), twice, monkeypatch).wrong
    assert _live(_Gateway([]), twice, monkeypatch).wrong == []
    assert _live(_Gateway([]), replace(RED, twice={0: "later"}), monkeypatch).wrong == []


def test_two_messages_are_sent_at_once_and_the_second_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = _Gateway([])
    assert _live(gateway, replace(RED, swapped=True), monkeypatch).wrong == []
    assert gateway.heard == ["soak-1-1", "soak-1-0"]


def test_a_patient_answers_the_danger_check_or_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for check, rows in (("no", [{"chest": "no", "fever": "no"}]), ("yes", [{"chest": "yes"}]), ("left", [])):
        gateway = _Gateway([], asks=True)
        ledger = _live(gateway, replace(SORE, check=check), monkeypatch)
        assert (gateway.rows, ledger.wrong) == (rows, [])
        assert [each.red_flag for each in ledger.sent.values()] == [False, check == "yes"][: 1 + len(rows)]


def test_a_yes_to_a_danger_sign_must_be_an_emergency(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = _live(_Gateway([], "call_doctor", asks=True), replace(SORE, check="yes"), monkeypatch)
    assert ledger.wrong == ["soak-1-0-rows was a red flag, and no emergency was shown"]


def test_a_danger_check_that_waits_no_longer_is_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = _Gateway([], asks=True)
    gone, tick = _refused(409, error="button_gone"), Patient._tick

    async def late(self: Patient, turn: int) -> None:
        gateway._refusals.append(gone)
        await tick(self, turn)

    monkeypatch.setattr(Patient, "_tick", late)
    ledger = _live(gateway, replace(SORE, check="no"), monkeypatch)
    assert ledger.wrong == []
    assert ledger.counts["danger checks that waited no longer"] == 1


def test_an_answer_that_never_comes_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = _Gateway([], twice=True)  # tells of no place, so that nobody answers
    assert "soak-1-0 was taken, and its answer never came" in _live(gateway, RED, monkeypatch).wrong


# The faults.


def _faults(tmp_path: Path, own: bool = True, actions: int = 0) -> Faults:
    stack = Stack(Ports(1, 2, actions), tmp_path / "conversations.db", tmp_path / "logs")
    return Faults(stack, Disk(tmp_path, own), tmp_path / "clock", random.Random(1))


def test_every_kind_of_fault_comes_before_one_comes_again(tmp_path: Path) -> None:
    faults = _faults(tmp_path)
    kinds = len(faults.kinds)
    dealt = faults.deck(2 * kinds + 1)
    assert set(dealt[:kinds]) == set(dealt[kinds : 2 * kinds]) == set(faults.kinds)
    assert len(dealt) == 2 * kinds + 1


def test_a_disk_that_is_not_our_own_is_neither_filled_nor_frozen(tmp_path: Path) -> None:
    assert set(_faults(tmp_path).kinds) - set(_faults(tmp_path, own=False).kinds) == {"disk slow", "disk full"}


def test_an_action_server_is_killed_where_there_is_one(tmp_path: Path) -> None:
    assert set(_faults(tmp_path, actions=3).kinds) - set(_faults(tmp_path).kinds) == {"action server killed"}


def test_the_clock_that_jumps_is_the_gateways(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("-600")
    said = subprocess.run(
        [GATEWAY_PYTHON, "-c", "from gateway.records.store import utc_now; import inspect, gateway.app as app; "
         "print(utc_now().isoformat()); print(inspect.signature(app.create_app).parameters['clock'].default().isoformat())"],
        cwd=ROOT, env={**os.environ, **environment(clock)}, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    behind = [(datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() for moment in said]
    assert len(behind) == 2
    assert all(600 <= each < 660 for each in behind)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_full_disk_is_full_and_free_again(tmp_path: Path) -> None:
    told: list[str] = []
    with disk(tmp_path, 32, told.append) as where:
        if not where.own:
            pytest.skip(told[0])
        ballast = where.folder / "ballast"
        fill(ballast)
        with pytest.raises(OSError, match="No space"):
            (where.folder / "more").write_bytes(b"1" * 8_192)
        ballast.unlink()
        (where.folder / "more").write_bytes(b"1" * 8_192)
    assert not where.folder.is_mount()


# The figures.


def _outcome(wrong: list[str]) -> Outcome:
    ledger = Ledger(sent={str(n): Sent(str(n), "no", False, n, 1, 2, n + 0.5) for n in range(0, 100, 10)}, refused=[21.0, 50.0])
    ledger.counts["conversations"] = 10
    faults = [Fault("disk full", 20.0, 24.0)]
    verdict = Verdict(messages=10, taken=10)
    return Outcome(10, 2, 7, datetime(2024, 5, 15, tzinfo=UTC), 100.0, ledger, faults, ["disk slow"], verdict, 3, "3 entries", wrong)


def test_latencies_are_split_by_faults() -> None:
    outcome = _outcome([])
    assert latency([]) is None
    assert latency([3.0, 1.0, 2.0]) == Latency(3, 2.0, 3.0, 3.0, 3.0)
    assert by_faults(outcome.ledger, outcome.faults) == {
        "without faults": Latency(9, 0.5, 0.5, 0.5, 0.5),
        "within faults": Latency(1, 0.5, 0.5, 0.5, 0.5),
    }
    assert fault_table(outcome.ledger, outcome.faults) == {"disk full": {"times": 1, "seconds": 4.0, "failed_requests": 1}}


def test_the_report_says_how_to_make_it_and_what_was_wrong() -> None:
    page = written(figures(_outcome([])))
    assert "make soak N=10 SEED=7" in page
    assert "No violation was found." in page
    assert "Not covered in this run: disk slow." in page
    bad = written(figures(_outcome(["soak-1-1 has no answer"])))
    assert "**Violations: 1.**" in bad
    assert "- soak-1-1 has no answer" in bad
