"""nginx alone, with the rendered configuration and no gateway behind it: what it answers by itself."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from aftercare.protocol import load_protocol
from deploy import render
from scripts.stack import free_port
from tests.deploy.cluster import NGINX, eventually, make_certificate, nginx_binary
from tests.gateway.support import CANARY

_TOO_MUCH = 300_000
_PATIENT = "127.0.0.9"
_MESSAGES = "/api/v1/session/messages"


@dataclass(frozen=True)
class Nginx:
    """A running nginx.

    Attributes:
        folder: its files.
        env: what its configuration was rendered from.
    """

    folder: Path
    env: dict[str, str]

    def ask(
        self,
        method: str,
        path: str,
        host: str = "localhost",
        *,
        plain: bool = False,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> httpx.Response:
        """Make a request for a host of that name, by its own port."""
        scheme, port = ("http", "AFTERCARE_HTTP_LISTEN") if plain else ("https", "AFTERCARE_HTTPS_LISTEN")
        trust = ssl.create_default_context(cafile=str(self.folder / "tls" / "fullchain.pem"))
        trust.check_hostname = False
        with httpx.Client(verify=trust, trust_env=False) as client:
            sent = {"Host": host, **(headers or {})}
            extensions = {"sni_hostname": host.partition(":")[0]}
            return client.request(method, f"{scheme}://{self.env[port]}{path}", headers=sent, content=content, extensions=extensions)


def _started(folder: Path, networks: str) -> tuple[Nginx, subprocess.Popen[bytes]]:
    address = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    env = {
        "AFTERCARE_HOST": "localhost",
        "AFTERCARE_CONSOLE_HOST": "console.localhost",
        "AFTERCARE_CONSOLE_NETWORKS": networks,
        "AFTERCARE_HTTP_LISTEN": address[0],
        "AFTERCARE_HTTPS_LISTEN": address[1],
        "AFTERCARE_GATEWAYS": address[2],
        "AFTERCARE_REQUESTS_PER_ADDRESS": "500",
        "AFTERCARE_TLS": str(folder / "tls"),
        "AFTERCARE_FALLBACK": str(folder),
        "AFTERCARE_LOGS": str(folder),
    }
    make_certificate(folder / "tls")
    protocol = load_protocol()
    for name, content in render.files(protocol, env).items():
        (folder / name).write_text(content)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX % (user, folder / "aftercare.conf"))
    process = subprocess.Popen([nginx_binary() or "nginx", "-p", str(folder), "-c", "nginx.conf"])
    started = Nginx(folder, env)

    def answers() -> bool:
        try:
            return started.ask("GET", "/", plain=True).status_code == 301
        except httpx.HTTPError:
            return False

    assert eventually(answers, 10), (folder / "error.log").read_text()
    return started, process


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """An nginx whose console may be reached from another network than this test's."""
    if nginx_binary() is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed; CI has to test with it")
        pytest.skip("nginx is not installed")
    started, process = _started(tmp_path_factory.mktemp("nginx"), "10.20.0.0/16 2001:db8::/32")
    yield started
    process.terminate()
    process.wait(10)


def _chunks() -> Iterator[bytes]:
    for _ in range(_TOO_MUCH // 10_000):
        yield b"x" * 10_000


@pytest.mark.parametrize("chunked", [False, True])
def test_what_nginx_finds_too_large_gets_the_card(nginx: Nginx, chunked: bool) -> None:
    answer = nginx.ask("POST", _MESSAGES, content=_chunks() if chunked else b"x" * _TOO_MUCH)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == "too_long"
    assert "911" in answer.json()["safety"]["blocks"][0]["text"]
    page = nginx.ask("POST", "/panel/demo", content=_chunks() if chunked else b"x" * _TOO_MUCH)
    assert page.status_code == 413
    assert 'href="tel:911"' in page.text


@pytest.mark.parametrize("path", ["/too-long.json", "/fallback.json", "/fallback.html"])
def test_the_pages_for_errors_are_not_there_by_themselves(nginx: Nginx, path: str) -> None:
    assert "911" not in nginx.ask("GET", path).text


@pytest.mark.parametrize("host", ["localhost", "evil.example", "evil.example:80", "localhost.evil.example"])
def test_plain_http_leads_to_our_own_host_alone(nginx: Nginx, host: str) -> None:
    answer = nginx.ask("GET", "/demo?x=1", host, plain=True)
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/demo?x=1")


def test_plain_http_of_the_console_leads_to_the_console(nginx: Nginx) -> None:
    answer = nginx.ask("GET", "/console/", "console.localhost", plain=True)
    assert answer.headers["location"] == "https://console.localhost/console/"


def test_the_console_is_only_there_for_its_networks_and_by_its_name(nginx: Nginx, tmp_path: Path) -> None:
    for path in ("/", "/console/", "/console/login", "/console/static/console.css"):
        assert nginx.ask("GET", path, "console.localhost").status_code == 403, path
    for path in ("/console", "/console/", "/console/login"):
        assert nginx.ask("GET", path).status_code == 404, path
    forged = nginx.ask("GET", "/console/", "console.localhost", headers={"X-Forwarded-For": "10.20.0.1"})
    assert forged.status_code == 403
    inside, process = _started(tmp_path, "127.0.0.0/8")
    try:
        assert inside.ask("GET", "/console/login", "console.localhost").status_code in (502, 503), "it asks a gateway"
        assert inside.ask("GET", "/api/v1/session", "console.localhost").status_code == 404
    finally:
        process.terminate()
        process.wait(10)


def test_no_log_names_who_asked_or_for_what(nginx: Nginx) -> None:
    """Not even where no gateway answers, which nginx would log as an error, with address and query."""
    trust = ssl.create_default_context(cafile=str(nginx.folder / "tls" / "fullchain.pem"))
    with httpx.Client(transport=httpx.HTTPTransport(verify=trust, local_address=_PATIENT)) as client:
        for path in ("/demo", _MESSAGES, "/nowhere"):
            answer = client.get(f"https://localhost:{nginx.env['AFTERCARE_HTTPS_LISTEN'].partition(':')[2]}{path}?word={CANARY}")
            assert answer.status_code == 503
    logs = [file for file in nginx.folder.iterdir() if file.suffix == ".log"]
    assert {"access.log", "error.log"} <= {file.name for file in logs}
    assert eventually(lambda: "/nowhere" in (nginx.folder / "access.log").read_text(), 5)
    for file in logs:
        assert _PATIENT not in file.read_text(), file.name
        assert CANARY not in file.read_text(), file.name
