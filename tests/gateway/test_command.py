"""The gateway as it is run: `python -m gateway ...` in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

import gateway.__main__
from aftercare.protocol import Library, Protocol, load_library
from gateway.records.database import connect
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.services import Services
from tests.gateway.support import (
    API,
    BOUND,
    CANARY,
    HARMLESS,
    MASTER_KEY,
    MASTER_KEY_TEXT,
    RED_FLAG,
    ROOT,
    Patient,
    is_emergency,
    refused,
    stored,
)

_SECONDS = 30


def _environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFTERCARE_")}
    own = {
        "AFTERCARE_RECORDS": f"sqlite:///{folder / 'records.db'}",
        "AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT,
        "AFTERCARE_RASA_URL": "http://127.0.0.1:9",
    }
    return kept | own | more


def _run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=_environment(folder, **more), capture_output=True, text=True, timeout=_SECONDS, check=False
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A served gateway."""

    url: str
    figures: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def written(self) -> str:
        return "".join((self.folder / name).read_text(errors="replace") for name in ("out.log", "err.log"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    done = _run(folder, "migrate")
    assert done.returncode == 0, done.stderr
    port, metrics = _free_port(), _free_port()
    env = _environment(folder, AFTERCARE_GATEWAY_PORT=str(port), AFTERCARE_METRICS_PORT=str(metrics))
    with (folder / "out.log").open("wb") as out, (folder / "err.log").open("wb") as err:
        process = subprocess.Popen([sys.executable, "-m", "gateway", "serve"], cwd=ROOT, env=env, stdout=out, stderr=err)
    served = Served(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}", process, folder)
    try:
        end = time.monotonic() + _SECONDS
        while True:
            assert process.poll() is None, served.written
            assert time.monotonic() < end, "the gateway did not start"
            try:
                if httpx.get(f"{served.url}/healthz", trust_env=False).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield served
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture
def patient(running: Served) -> Iterator[Patient]:
    with httpx.Client(base_url=running.url, timeout=10, trust_env=False) as client:
        started = client.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": running.url})
        assert started.status_code == 201, started.text
        yield Patient(client, started.json(), running.url)


def test_a_real_gateway_without_rasa_answers_and_logs_no_word(running: Served, patient: Patient) -> None:
    assert is_emergency(patient.say(RED_FLAG))
    assert patient.say(HARMLESS)["disposition"] == "emergency"
    patient.ask("GET", "/events", params={"after": 0, "q": CANARY})
    patient.ask("GET", f"/{CANARY}", headers={"User-Agent": CANARY, "X-Forwarded-For": CANARY, "Referer": f"https://{CANARY}.example"})
    patient.send(f"{CANARY} " * 1_000)
    patient.send("x" * 70_000)
    patient.ask("POST", "/messages", content=f'{{"{CANARY}'.encode(), headers={"Content-Type": "application/json"})
    patient.ask("GET", "", headers={"Authorization": f"Bearer {CANARY}"})
    with socket.create_connection(("127.0.0.1", int(running.url.rsplit(":", 1)[1]))) as raw:
        raw.sendall(f"GET /{CANARY} NONSENSE {CANARY}\r\n\r\n".encode())
        raw.recv(1_000)
    patient.ask("DELETE", "")
    written = running.written
    assert '"event": "answered"' in written
    for secret in (CANARY, patient.token, "127.0.0.1", "Bearer"):
        assert secret not in written
    for line in (running.folder / "out.log").read_text().splitlines():
        assert {"event", "level", "timestamp"} <= set(json.loads(line))


def test_a_body_beyond_the_limit_is_refused_also_without_its_length(running: Served, patient: Patient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"client_id": "message-1", "text": "'
        for _ in range(20):
            yield b"x" * 8_000
        yield b'"}'

    headers = {**patient.headers, "Content-Type": "application/json"}
    response = patient.client.post(f"{API}/session/messages", content=chunks(), headers=headers)
    assert "content-length" not in response.request.headers
    refused(response, 413, "too_long")
    stored(patient.send(HARMLESS))


def test_a_forwarded_address_is_not_believed(running: Served) -> None:
    statuses = []
    for number in range(40):
        headers = {"Origin": running.url, "X-Forwarded-For": f"198.51.100.{number}"}
        statuses.append(httpx.post(f"{running.url}/api/v1/sessions", json={"key": "demo"}, headers=headers, trust_env=False).status_code)
    assert statuses[-1] == 429


def test_the_figures_are_on_a_port_of_their_own_and_name_nobody(running: Served) -> None:
    figures = httpx.get(f"{running.figures}/metrics", trust_env=False).text
    assert "aftercare_requests_total" in figures
    assert "aftercare_failsafe_total" in figures
    assert CANARY not in figures
    assert not re.search(r"[0-9a-f]{32}", figures)
    assert httpx.get(f"{running.url}/metrics", trust_env=False).status_code == 404


def test_the_server_does_not_tell_what_it_is(running: Served) -> None:
    assert "server" not in httpx.get(f"{running.url}/healthz", trust_env=False).headers


def test_the_files_are_for_this_user_only(running: Served) -> None:
    for file in running.folder.glob("records.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_a_stopped_gateway_lets_go_of_who_waits_and_ends_well(running: Served) -> None:
    """The last test of this module, for it stops the gateway."""
    with sqlite3.connect(running.folder / "records.db") as reader:
        assert reader.execute("SELECT count(*) FROM event").fetchone()[0] > 0
    started = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(15) in (0, -signal.SIGTERM)
    assert time.monotonic() - started < 8


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, protocol: Protocol, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process; its exit code, and what it wrote to the standard output and error."""
    monkeypatch.setattr(gateway.__main__, "load_library", lambda: Library([protocol]))

    def run(*arguments: str, **more: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["gateway", *arguments])
            for name, value in _environment(tmp_path, **more).items():
                patch.setenv(name, value)
            code = gateway.__main__.main()
        return (code, *capsys.readouterr())

    return run


def test_a_gateway_with_mistakes_in_its_settings_says_them_and_ends(command: Command) -> None:
    code, _, said = command("serve", AFTERCARE_MASTER_KEY="weak-and-secret", AFTERCARE_GATEWAY_PORT="none")
    assert code == 1
    assert "AFTERCARE_MASTER_KEY" in said
    assert "AFTERCARE_GATEWAY_PORT" in said
    assert "weak-and-secret" not in said


def test_a_gateway_before_its_migration_says_so_and_ends(command: Command) -> None:
    code, _, said = command("serve")
    assert code == 1
    assert "python -m gateway migrate" in said


def test_a_new_key_is_random_and_taken(command: Command, tmp_path: Path) -> None:
    keys = [command("new-key")[1].strip() for _ in range(2)]
    assert keys[0] != keys[1]
    assert all(len(base64.b64decode(key, validate=True)) == 32 for key in keys)
    assert command("migrate", AFTERCARE_MASTER_KEY=",".join(keys))[0] == 0
    assert stat.S_IMODE((tmp_path / "records.db").stat().st_mode) == 0o600


def test_a_purge_tells_by_a_dry_run_what_it_would_forget(command: Command, tmp_path: Path) -> None:
    command("migrate")
    engine, then = connect(f"sqlite:///{tmp_path / 'records.db'}"), datetime.now(UTC) - timedelta(days=40)
    old = Records(engine, Keyring([MASTER_KEY]), lambda: then)
    session = old.session(old.start("demo", {"blocks": [], "buttons": [], "sources": []}, "patient", bound=BOUND))
    assert session is not None
    engine.dispose()
    assert "0 conversations without an event" in command("purge")[1]
    _, said, _ = command("purge", "--dry-run", AFTERCARE_RETENTION_DAYS="30")
    assert "would become unreadable" in said
    assert session.conversation in said
    assert "1 conversations in all, 1 readable now." in said
    assert "1 conversations in all, 0 readable now." in command("purge", AFTERCARE_RETENTION_DAYS="30")[1]


def test_a_gateway_serves_every_protocol_that_the_environment_names(
    command: Command, second_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "embed.yml"
    file.write_text("keys: {spine: {origins: [], protocol: second}}")
    code, _, said = command("migrate", AFTERCARE_EMBED=str(file))
    assert code == 1
    assert "key spine: there is no protocol 'second'; in force by AFTERCARE_PROTOCOL: vertebroplasty" in said
    monkeypatch.setattr(gateway.__main__, "load_library", load_library)
    monkeypatch.setattr(gateway.__main__, "set_up_logs", lambda: None)
    protocols = f"{ROOT / 'protocols' / 'vertebroplasty'},{second_folder}"
    served: list[FastAPI] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **_: served.append(app))
    for name in ("migrate", "serve"):
        assert command(name, AFTERCARE_EMBED=str(file), AFTERCARE_PROTOCOL=protocols)[0] == 0
    services: Services = served[0].state.services
    assert [protocol.id for protocol in services.core.library] == ["vertebroplasty", "second"]
    services.records.engine.dispose()


def test_one_real_clinic_is_enough_to_ask_for_real_keys(
    command: Command, clinic_protocol: Protocol, second_protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.__main__, "load_library", lambda: Library([second_protocol, clinic_protocol]))
    code, _, said = command("serve")
    assert code == 1
    assert "AFTERCARE_PUBLIC_URL is not set" in said
