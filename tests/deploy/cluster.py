"""A whole cluster on this machine, from the files in deploy/: PostgreSQL, Redis, Rasa, action servers, gateways, nginx with TLS.

Of Rasa's workers, the first runs the custom action itself, and the second asks the action servers, through nginx.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scripts.common import GATEWAY_PYTHON, MODEL, RASA_PYTHON, ROOT, rasa_environment
from scripts.stack import free_port

MASTER_KEY = bytes(range(32))
AUDIT_KEY = bytes(range(32, 64))
WORKERS = 2
_LIMITS = """
start: {address: 100000 per minute, key: 100000 per minute}
message: {session: 100000 per minute, address: 100000 per minute}
read: {session: 100000 per minute}
refused: {address: 100000 per minute}
"""
_EMBED = """
keys:
  demo: {origins: [], language: en}
  synthetic: {origins: [], language: en, synthetic: true}
"""
NGINX = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
%s
events { worker_connections 1024; }
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    types { text/html html; application/json json; }
    include %s;
}
"""


@lru_cache
def postgresql_binaries() -> Path | None:
    """The folder with PostgreSQL's programs."""
    found = [Path(path).parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return found[-1] if found else None


def nginx_binary() -> str | None:
    """The nginx programme, which Debian keeps out of users' paths."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def missing_programs() -> list[str]:
    """What a cluster needs and this machine lacks, by the names of Debian's packages."""
    needed = {"postgresql": postgresql_binaries(), "redis-server": shutil.which("redis-server"), "nginx": nginx_binary()}
    return [name for name, found in needed.items() if found is None]


@dataclass
class PostgreSql:
    """A PostgreSQL server of its own, with a database for the records and one for Rasa's conversations."""

    folder: Path
    port: int = field(default_factory=free_port)

    def create(self) -> None:
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "aftercare", "-E", "UTF8", "--no-locale")
        self.start()
        for name in ("aftercare_records", "aftercare_trackers"):
            self.run("createdb", name)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c max_connections=150"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; immediately means as when the power fails."""
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs against this server."""
        self._run(program, "-h", "127.0.0.1", "-p", str(self.port), "-U", "aftercare", *arguments)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://aftercare@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        binaries = postgresql_binaries()
        assert binaries is not None
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(binaries / program), *arguments]
        with (self.folder / "commands.log").open("ab") as log:
            done = subprocess.run(command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, check=False, timeout=60)
        assert done.returncode == 0, (self.folder / "commands.log").read_text(errors="replace")[-2000:]


@dataclass
class Server:
    """One process of the cluster."""

    name: str
    command: list[str]
    port: int
    path: str
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(20)

    def answers(self) -> bool:
        if not self.path:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{self.path}", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def wait(self, seconds: float = 150) -> None:
        """Wait until it answers."""
        end = time.monotonic() + seconds
        while not self.answers():
            assert self.process is not None
            said = self.log.read_text(errors="replace")[-3000:]
            assert self.process.poll() is None, f"{self.name} stopped:\n{said}"
            assert time.monotonic() < end, f"{self.name} does not answer after {seconds} s:\n{said}"
            time.sleep(0.2)


class Cluster:
    """The cluster, in a folder of its own, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgresql = PostgreSql(folder / "postgresql")
        self.https, self._http, self._actions = free_port(), free_port(), free_port()
        self.certificate = folder / "tls" / "fullchain.pem"
        ports = {name: [free_port() for _ in range(WORKERS)] for name in ("rasa", "actions", "gateway")}
        redis = free_port()
        self.url = f"https://localhost:{self.https}"
        self.env = self._environment(ports, redis)
        self.redis = self._server("redis", ["redis-server", str(ROOT / "deploy" / "redis.conf"), "--port", str(redis)], redis, "")
        self.nginx = self._server("nginx", [nginx_binary() or "nginx", "-p", str(folder / "nginx"), "-c", "nginx.conf"], self.https, "")
        self.actions = [self._server(f"actions-{port}", _actions_command(port), port, "/health") for port in ports["actions"]]
        self.rasas = [
            self._server(f"rasa-{port}", _rasa_command(port), port, "/webhooks/rest/", AFTERCARE_ACTION_URL=action_url)
            for port, action_url in zip(ports["rasa"], ("", f"http://127.0.0.1:{self._actions}/webhook"), strict=True)
        ]
        self.gateways = [
            self._server(
                f"gateway-{port}", [str(GATEWAY_PYTHON), "-m", "gateway", "serve"], port, "/readyz", AFTERCARE_GATEWAY_PORT=str(port)
            )
            for port in ports["gateway"]
        ]

    def _environment(self, ports: Mapping[str, list[int]], redis: int) -> dict[str, str]:
        """The variables of every part; Redis counts the limits."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AFTERCARE_")}
        return {
            **kept,
            "AFTERCARE_PUBLIC_URL": self.url,
            "AFTERCARE_EMBED": str(self.folder / "embed.yml"),
            "AFTERCARE_LIMITS": str(self.folder / "limits.yml"),
            "AFTERCARE_LIMITS_STORAGE": f"async+redis://127.0.0.1:{redis}",
            "AFTERCARE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "AFTERCARE_DAY_KEYS": str(self.folder / "day-keys"),
            "AFTERCARE_AUDIT_KEY": base64.b64encode(AUDIT_KEY).decode(),
            "AFTERCARE_RECORDS": self.postgresql.url("aftercare_records"),
            "AFTERCARE_RASA_URL": ",".join(f"http://127.0.0.1:{port}" for port in ports["rasa"]),
            "AFTERCARE_TRUSTED_PROXIES": "127.0.0.1",
            "AFTERCARE_TRACKERS_HOST": "127.0.0.1",
            "AFTERCARE_TRACKERS_PORT": str(self.postgresql.port),
            "AFTERCARE_TRACKERS_DB": "aftercare_trackers",
            "AFTERCARE_TRACKERS_USER": "aftercare",
            "AFTERCARE_TRACKERS_PASSWORD": "unused",
            "AFTERCARE_HOST": "localhost",
            "AFTERCARE_CONSOLE_HOST": "console.localhost",
            "AFTERCARE_CONSOLE_NETWORKS": "127.0.0.0/8",
            "AFTERCARE_HTTP_LISTEN": f"127.0.0.1:{self._http}",
            "AFTERCARE_HTTPS_LISTEN": f"127.0.0.1:{self.https}",
            "AFTERCARE_REQUESTS_PER_ADDRESS": "500",
            "AFTERCARE_ACTIONS_LISTEN": f"127.0.0.1:{self._actions}",
            "AFTERCARE_GATEWAYS": " ".join(f"127.0.0.1:{port}" for port in ports["gateway"]),
            "AFTERCARE_ACTIONS": " ".join(f"127.0.0.1:{port}" for port in ports["actions"]),
            "AFTERCARE_TLS": str(self.folder / "tls"),
            "AFTERCARE_FALLBACK": str(self.folder / "nginx"),
            "AFTERCARE_LOGS": str(self.folder / "nginx"),
        }

    def _server(self, name: str, command: list[str], port: int, path: str, **own: str) -> Server:
        return Server(name, command, port, path, rasa_environment({**self.env, **own}), self.folder / f"{name}.log")

    @property
    def servers(self) -> list[Server]:
        return [self.redis, *self.actions, *self.rasas, *self.gateways, self.nginx]

    def start(self) -> None:
        (self.folder / "limits.yml").write_text(_LIMITS)
        (self.folder / "embed.yml").write_text(_EMBED)
        make_certificate(self.folder / "tls")
        (self.folder / "day-keys").mkdir(0o700)
        self.postgresql.create()
        self.command("-m", "gateway", "migrate")
        self.command("-m", "deploy.render", str(self.folder / "nginx"))
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx" / "nginx.conf").write_text(NGINX % (user, self.folder / "nginx" / "aftercare.conf"))
        for server in self.servers:
            server.start()
        for server in self.servers:
            server.wait()

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.kill()
        if (self.postgresql.folder / "data" / "postmaster.pid").exists():
            self.postgresql.stop()

    def command(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run one of our commands in the gateway's environment; what it printed."""
        command = [str(GATEWAY_PYTHON), *arguments]
        done = subprocess.run(command, cwd=ROOT, env={**self.env, **(env or {})}, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def trust(self) -> ssl.SSLContext:
        """What a browser needs in order to trust the cluster."""
        return ssl.create_default_context(cafile=str(self.certificate))


def _rasa_command(port: int) -> list[str]:
    endpoints = str(ROOT / "deploy" / "rasa" / "endpoints.yml")
    return [
        str(RASA_PYTHON), "-m", "rasa_ext.start", "run", "-i", "127.0.0.1", "--port", str(port), "--model", str(MODEL),
        "--endpoints", endpoints, "--credentials", "credentials.yml",
    ]  # fmt: skip


def _actions_command(port: int) -> list[str]:
    return [str(RASA_PYTHON), "-m", "rasa_sdk", "--actions", "actions", "--port", str(port)]


def make_certificate(folder: Path) -> None:
    """A self-signed certificate for localhost."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(private)


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something comes to hold within a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.2)
    return holds()
