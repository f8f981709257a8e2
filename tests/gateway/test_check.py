"""`python -m gateway check`, on real servers of this machine and on ones that are not there."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from sqlalchemy import create_engine

from aftercare.protocol import Library, Protocol
from gateway.check import Found, State, findings
from gateway.console.identity.staff import StaffBook
from gateway.console.policy import DEFAULT
from gateway.records.database import connect, migrate, writing
from gateway.records.store import utc_now
from gateway.settings import from_environment
from scripts.stack import free_port
from tests.gateway.support import ROOT

_PASSWORD = "not-to-be-printed"

Look = Callable[[Mapping[str, str]], list[Found]]


class _Letters:
    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.got.append(envelope.content)
        return "250 OK"


@contextmanager
def _http(asked: list[str]) -> Iterator[str]:
    """A server that is Rasa, a webhook and a log-in provider at once."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path} {self.headers.get('content-length', 0)}")
            status = 405 if self.command == "HEAD" else 200
            body = json.dumps({}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("redis-server is not installed; make test provides it")
    port = free_port()
    command = [program, "--port", str(port), "--dir", str(tmp_path), "--requirepass", _PASSWORD, "--save", ""]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    yield f"async+redis://:{_PASSWORD}@127.0.0.1:{port}"
    running.kill()
    running.wait()


@pytest.fixture
def demo(tmp_path: Path) -> dict[str, str]:
    """The demo's environment, of this machine's addresses alone, with its tables."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    policy = yaml.safe_load(DEFAULT.read_text())
    policy["rota"] = [{"step": "second nurse", "email": ["ward@a.example"], "webhook": ["pager"]}]
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(policy))
    (tmp_path / "policy.yml").chmod(0o600)
    nowhere = f"127.0.0.1:{free_port()}"
    return {
        "AFTERCARE_RECORDS": url,
        "AFTERCARE_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "AFTERCARE_RASA_URL": f"http://{nowhere}",
        "AFTERCARE_LIMITS_STORAGE": f"async+redis://:{_PASSWORD}@{nowhere}",
        "AFTERCARE_POLICY": str(tmp_path / "policy.yml"),
        "AFTERCARE_SMTP": f"smtp://{nowhere}",
        "AFTERCARE_MAIL_FROM": "aftercare@clinic.example",
        "AFTERCARE_WEBHOOKS": f"pager=http://{nowhere}/hook?key={_PASSWORD}",
        "AFTERCARE_WEBHOOK_KEY": "k" * 32,
    }


@pytest.fixture
def look(protocol: Protocol) -> Look:
    return lambda environ: findings(environ, lambda: Library([protocol]))


def _of(found: list[Found], part: str, state: State) -> str:
    return "\n".join(each.said for each in found if each.part == part and each.state == state)


def test_addresses_that_answer_are_fine_and_get_nothing(demo: dict[str, str], redis: str, look: Look) -> None:
    asked: list[str] = []
    letters = _Letters()
    mail = Controller(letters, hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        with _http(asked) as url:
            own = {
                "AFTERCARE_RASA_URL": url,
                "AFTERCARE_LIMITS_STORAGE": redis,
                "AFTERCARE_SMTP": f"smtp://127.0.0.1:{mail.port}",
                "AFTERCARE_WEBHOOKS": f"pager={url}/hook",
                "AFTERCARE_OIDC_ISSUER": url,
                "AFTERCARE_OIDC_CLIENT": "aftercare",
                "AFTERCARE_OIDC_SECRET": _PASSWORD,
                "AFTERCARE_OIDC_ROLES": "Nurses=nurse",
            }
            found = look(demo | own)
    finally:
        mail.stop()
    assert not [each for each in found if each.state == State.MISSING]
    for part in ("records", "limits", "Rasa", "mail", "webhook", "hospital's login", "rota"):
        assert _of(found, part, State.OK), part
    assert sorted(asked) == ["GET /.well-known/openid-configuration 0", "GET /webhooks/rest/ 0", "HEAD /hook 0"]
    assert letters.got == []


def test_addresses_that_do_not_answer_are_missing_and_no_password_is_printed(demo: dict[str, str], look: Look) -> None:
    began = time.monotonic()
    found = look(demo)
    assert time.monotonic() - began < 10
    for part in ("limits", "Rasa", "mail", "webhook"):
        assert _of(found, part, State.MISSING), part
    assert _PASSWORD not in repr(found)


def test_an_account_that_was_changed_in_the_database_is_named(demo: dict[str, str], look: Look) -> None:
    assert "nobody can log in" in _of(look(demo), "accounts", State.WEAK)
    settings, engine = from_environment(demo, demo=True), connect(demo["AFTERCARE_RECORDS"])
    StaffBook(engine, settings.keyring, utc_now).invite("Ann Lee", "nurse", None)
    assert not _of(look(demo), "accounts", State.WEAK)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE staff SET role = 'admin'")
    engine.dispose()
    assert "'Ann Lee' (admin) was changed" in _of(look(demo), "accounts", State.WEAK)


def test_records_that_take_no_message_are_missing(demo: dict[str, str], look: Look) -> None:
    with closing(sqlite3.connect(demo["AFTERCARE_RECORDS"].removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "cannot be used" in _of(look(demo), "records", State.MISSING)


def test_a_mistake_in_the_settings_is_told_before_anything_is_tried(demo: dict[str, str], look: Look) -> None:
    found = look(demo | {"AFTERCARE_GATEWAY_PORT": "none", "AFTERCARE_MAIL_FROM": ""})
    assert {each.state for each in found} == {State.MISSING}
    assert "AFTERCARE_GATEWAY_PORT" in _of(found, "settings", State.MISSING)
    assert "AFTERCARE_MAIL_FROM" in _of(found, "settings", State.MISSING)


def test_a_database_that_is_not_there_is_not_made(demo: dict[str, str], tmp_path: Path, look: Look) -> None:
    found = look(demo | {"AFTERCARE_RECORDS": f"sqlite:///{tmp_path / 'other' / 'records.db'}"})
    assert "python -m gateway migrate" in _of(found, "records", State.MISSING)
    assert not (tmp_path / "other").exists()


def test_a_database_without_tables_is_missing_and_one_for_everybody_is_weak(demo: dict[str, str], postgresql: str, look: Look) -> None:
    engine = create_engine(postgresql.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE looked_at")
        found = look(demo | {"AFTERCARE_RECORDS": postgresql.format(database="looked_at")})
        assert "python -m gateway migrate" in _of(found, "records", State.MISSING)
        assert "REVOKE CONNECT ON DATABASE looked_at FROM PUBLIC;" in _of(found, "records", State.WEAK)
        assert "fsync is off" in _of(found, "records", State.WEAK)
        connection.exec_driver_sql("REVOKE CONNECT ON DATABASE looked_at FROM PUBLIC")
        found = look(demo | {"AFTERCARE_RECORDS": postgresql.format(database="looked_at")})
        assert "REVOKE" not in _of(found, "records", State.WEAK)
    engine.dispose()


def test_what_the_settings_allow_and_should_not_be_is_weak(demo: dict[str, str], tmp_path: Path, look: Look) -> None:
    (tmp_path / "policy.yml").write_text(DEFAULT.read_text())
    (tmp_path / "policy.yml").chmod(0o666)
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "privkey.pem").write_text("")
    (tmp_path / "tls" / "privkey.pem").chmod(0o644)
    own = {"AFTERCARE_PUBLIC_URL": "https://chat.example", "AFTERCARE_MAINTENANCE": "1", "AFTERCARE_TLS": str(tmp_path / "tls")}
    found = look(demo | own | {"AFTERCARE_BACKUPS": str(tmp_path)})
    assert _of(found, "rota", State.WEAK).count("reaches nobody") == 3
    assert "AFTERCARE_TRUSTED_PROXIES" in _of(found, "proxies", State.WEAK)
    assert "AFTERCARE_CONSOLE_URL" in _of(found, "console", State.WEAK)
    assert "chmod go-w" in _of(found, "AFTERCARE_POLICY", State.WEAK)
    assert "chmod 0600" in _of(found, "TLS key", State.WEAK)
    assert "fullchain.pem" in _of(found, "TLS", State.MISSING)
    assert "among the backups" in _of(found, "keys of days", State.WEAK)
    assert "the last is for no day" in _of(found, "keys of days", State.WEAK)
    assert _of(found, "maintenance", State.WEAK)


def test_secrets_in_the_environment_are_weak(clinic_protocol: Protocol, demo: dict[str, str], tmp_path: Path) -> None:
    embed = tmp_path / "embed.yml"
    embed.write_text("keys:\n  spine:\n    origins: [https://spine.example]\n")
    tmp_path.chmod(0o700)
    key = tmp_path / "AUDIT_KEY"
    key.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    key.chmod(0o400)
    own = {
        "AFTERCARE_PUBLIC_URL": "https://chat.example",
        "AFTERCARE_EMBED": str(embed),
        "AFTERCARE_DAY_KEYS": str(tmp_path),
        "AFTERCARE_AUDIT_KEY_FILE": str(key),
        "AFTERCARE_WEBHOOKS": f"pager=https://127.0.0.1:{free_port()}/hook",
    }
    said = _of(findings(demo | own, lambda: Library([clinic_protocol])), "secrets", State.WEAK)
    assert "AFTERCARE_MASTER_KEY" in said
    assert "AFTERCARE_AUDIT_KEY" not in said


def test_the_command_prints_one_table_the_worst_first(demo: dict[str, str]) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFTERCARE_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check"], cwd=ROOT, env=kept | demo, capture_output=True, text=True, check=False, timeout=200
    )
    assert (done.returncode, done.stderr) == (1, "")
    *table, empty, last = done.stdout.splitlines()
    states = [line.split()[0] for line in table]
    assert states == sorted(states, key=["missing", "weak", "ok"].index)
    assert (empty, last) == ("", f"{states.count('missing')} missing, {states.count('weak')} weak.")
    assert _PASSWORD not in done.stdout


def test_the_protocols_in_force_are_named(demo: dict[str, str], look: Look, both: Library) -> None:
    assert _of(look(demo), "protocols", State.OK) == "vertebroplasty (en)"
    assert _of(findings(demo, lambda: both), "protocols", State.OK) == "vertebroplasty (en), second (en)"


def test_an_embed_key_of_an_unknown_protocol_is_told(demo: dict[str, str], look: Look, both: Library, tmp_path: Path) -> None:
    file = tmp_path / "embed.yml"
    file.write_text("keys: {spine: {origins: [], protocol: second}}")
    file.chmod(0o600)
    own = demo | {"AFTERCARE_EMBED": str(file)}
    assert "in force by AFTERCARE_PROTOCOL: vertebroplasty" in _of(look(own), "settings", State.MISSING)
    assert not _of(findings(own, lambda: both), "settings", State.MISSING)


def test_each_embed_key_is_told_with_its_pages_language_and_protocol(demo: dict[str, str], look: Look, tmp_path: Path) -> None:
    file = tmp_path / "embed.yml"
    file.write_text("keys: {spine: {origins: [https://a.example, https://b.example], language: es}, bare: {origins: []}}")
    file.chmod(0o600)
    found = look(demo | {"AFTERCARE_EMBED": str(file)})
    assert _of(found, "embed keys", State.OK) == "spine (es, vertebroplasty): https://a.example, https://b.example"
    assert "bare (en, vertebroplasty) lists no page" in _of(found, "embed keys", State.WEAK)


def test_a_language_that_can_not_be_offered_is_told(demo: dict[str, str], look: Look, tmp_path: Path) -> None:
    file = tmp_path / "embed.yml"
    file.write_text("keys: {spine: {origins: [], languages: [en, es]}}")
    file.chmod(0o600)
    said = _of(look(demo | {"AFTERCARE_EMBED": str(file)}), "settings", State.MISSING)
    assert "key spine: es cannot be offered: the protocol vertebroplasty does not speak it, but: en" in said


def test_a_page_or_a_key_that_is_written_twice_is_told(demo: dict[str, str], look: Look, tmp_path: Path) -> None:
    file = tmp_path / "embed.yml"
    file.write_text("keys:\n  spine: {origins: [https://a.example, https://a.example]}\n  knee: {origins: []}\n  knee: {origins: []}\n")
    said = _of(look(demo | {"AFTERCARE_EMBED": str(file)}), "settings", State.MISSING)
    assert "key spine: 'https://a.example' is listed twice" in said
    assert "the key knee is written twice" in said
