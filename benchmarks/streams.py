"""Open chats in which nothing happens, through nginx to the gateway: memory, CPU, and how long a message takes meanwhile.

`python -m benchmarks.streams`, on the loopback interface alone; it stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import yaml
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy import render
from scripts.common import ROOT, FailureError, run_script, say
from scripts.stack import Ports, Stack, free_port

_API = "/api/v1"
_LIMITS = {"start": ("address", "key"), "message": ("session", "address"), "read": ("session",), "refused": ("address",)}
_PLENTY = "1000000 per minute"
_PER_ADDRESS = 100
_AT_ONCE = 20
_PATIENCE_SECONDS = 30.0
_LONGEST_SECONDS = 900.0
_PAUSE_SECONDS = 1.0
_TEXT = "The needle site is a bit sore"
_TICKS = os.sysconf("SC_CLK_TCK")


class Chat:
    """A patient's browser with its stream open.

    Args:
        http: how it reaches nginx; several chats share one, and its address.
        origin: the page that it is on.
    """

    def __init__(self, http: ClientSession, origin: str) -> None:
        self._http = http
        self._headers = {"Origin": origin}
        self._open = asyncio.Event()
        self._answered = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self.lost = False

    async def begin(self) -> None:
        """Start the chat and its stream, and wait for the greeting."""
        async with self._http.post(f"{_API}/sessions", json={"key": "demo"}, headers=self._headers) as answer:
            answer.raise_for_status()
            self._headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
        self._listening = asyncio.create_task(self._listen())
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._open.wait()

    async def say(self) -> float:
        """Send a message; seconds until its answer came over the stream."""
        self._answered.clear()
        started = time.perf_counter()
        message = {"client_id": uuid4().hex, "text": _TEXT}
        async with self._http.post(f"{_API}/session/messages", json=message, headers=self._headers) as stored:
            stored.raise_for_status()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._answered.wait()
        return time.perf_counter() - started

    def leave(self) -> None:
        """Close the stream."""
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        try:
            async with self._http.get(f"{_API}/session/stream", headers=self._headers) as stream:
                stream.raise_for_status()
                async for line in stream.content:
                    if line.startswith(b"event: greeting"):
                        self._open.set()
                    elif line.startswith(b"event: answer"):
                        self._answered.set()
            self.lost = True
        except ClientError:
            self.lost = True


@dataclass(frozen=True)
class Use:
    """What some processes use: megabytes of memory, files, and seconds of CPU since their start."""

    megabytes: float
    files: int
    seconds: float


def _use(pids: Sequence[int]) -> Use:
    memory, files, ticks = 0, 0, 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        memory += int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
        files += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return Use(memory / 1024, files, ticks / _TICKS)


@dataclass
class Nginx:
    """nginx with the configuration of deploy/, in a folder of its own."""

    folder: Path
    https: int
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """The master's and the workers' process ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


@contextmanager
def _nginx(folder: Path, https: int, gateway: int) -> Iterator[Nginx]:
    """Start nginx in front of a gateway.

    Raises:
        FailureError: it is not installed, or did not start.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise FailureError("nginx is not installed. On Debian: apt-get install nginx")
    folder.mkdir()
    _make_certificate(folder)
    values = {
        "AFTERCARE_HOST": "localhost", "AFTERCARE_CONSOLE_HOST": "console.localhost", "AFTERCARE_CONSOLE_NETWORKS": "127.0.0.0/8",
        "AFTERCARE_HTTP_LISTEN": f"127.0.0.1:{free_port()}", "AFTERCARE_HTTPS_LISTEN": f"127.0.0.1:{https}",
        "AFTERCARE_GATEWAYS": f"127.0.0.1:{gateway}",
        "AFTERCARE_TLS": str(folder), "AFTERCARE_FALLBACK": str(folder), "AFTERCARE_LOGS": str(folder),
        "AFTERCARE_REQUESTS_PER_ADDRESS": "500",
    }  # fmt: skip
    (folder / "aftercare.conf").write_text(render.configuration(values))
    whole = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    own = {
        r"^user .*;$": "user root;" if os.geteuid() == 0 else "",
        r"^pid .*;$": f"pid {folder}/nginx.pid;",
        r"^error_log .*;$": f"error_log {folder}/error.log;",
        r"/etc/nginx/conf\.d/\*\.conf": f"{folder}/aftercare.conf",
    }
    for old, new in own.items():
        whole, changes = re.subn(old, new, whole, flags=re.MULTILINE)
        assert changes == 1, old
    (folder / "nginx.conf").write_text(whole)
    process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", https)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise FailureError(f"nginx does not answer:\n{(folder / 'error.log').read_text()[-2000:]}")
        yield Nginx(folder, https, process)
    finally:
        process.terminate()
        process.wait(20)


def _make_certificate(folder: Path) -> None:
    """A self-signed certificate for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(private)


def _quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


async def _messages(chats: Sequence[Chat], seconds: float) -> list[float]:
    """How long messages took that one chat after the other sent, one about each second."""
    times, end = list[float](), time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(await chats[len(times) * 37 % len(chats)].say())
        await asyncio.sleep(_PAUSE_SECONDS)
    return times


async def _measure(origin: str, nginx: Nginx, gateway: int, number: int, seconds: float) -> dict[str, object]:
    trust = ssl.create_default_context(cafile=str(nginx.folder / "fullchain.pem"))
    chats: list[Chat] = []
    async with asyncio.timeout(_LONGEST_SECONDS), AsyncExitStack() as stack:

        def browser(place: int) -> Chat:
            return Chat(browsers[place // _PER_ADDRESS], origin)

        browsers = [
            await stack.enter_async_context(
                ClientSession(
                    origin,
                    connector=TCPConnector(
                        limit=0, ssl=trust, family=socket.AF_INET, local_addr=(f"127.0.{1 + place // 250}.{1 + place % 250}", 0)
                    ),
                    timeout=ClientTimeout(total=None),
                )
            )
            for place in range(1 + number // _PER_ADDRESS)
        ]
        alone = browser(0)
        await alone.begin()
        before, quiet = _use([gateway]), await _messages([alone], min(seconds, 15))
        places = asyncio.Semaphore(_AT_ONCE)

        async def open_one(place: int) -> None:
            async with places:
                chats.append(browser(place))
                await chats[-1].begin()

        started = time.monotonic()
        await asyncio.gather(*(open_one(place) for place in range(number)))
        opened = time.monotonic() - started
        say(f"  {number} chats open after {opened:.0f} s")
        await asyncio.sleep(5)
        since, first = time.monotonic(), (_use([gateway]), _use(nginx.pids()))
        times = await _messages(chats, seconds)
        span, last = time.monotonic() - since, (_use([gateway]), _use(nginx.pids()))
        lost = sum(chat.lost for chat in chats)
        for chat in (alone, *chats):
            chat.leave()
    return {
        "chats": number,
        "lost": lost,
        "opened_in_seconds": round(opened, 1),
        "gateway_megabytes": round(last[0].megabytes),
        "gateway_megabytes_before": round(before.megabytes),
        "gateway_files": last[0].files,
        "gateway_cores": round((last[0].seconds - first[0].seconds) / span, 2),
        "nginx_megabytes": round(last[1].megabytes),
        "nginx_files": last[1].files,
        "nginx_cores": round((last[1].seconds - first[1].seconds) / span, 2),
        "messages": len(times),
        "seconds_p50_p95_longest": [round(each, 3) for each in (_quantile(times, 0.5), _quantile(times, 0.95), max(times))],
        "seconds_p50_p95_longest_with_one_chat": [round(each, 3) for each in (_quantile(quiet, 0.5), _quantile(quiet, 0.95), max(quiet))],
    }


def main() -> None:
    """Measure and print.

    Raises:
        FailureError: something could not be started.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--chats", type=int, default=3_000, help="how many are open; 3,000 by default")
    parser.add_argument("--seconds", type=float, default=60, help="how long it is measured; 60 by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, https = Path(name), free_port()
        limits = {what: dict.fromkeys(whom, _PLENTY) for what, whom in _LIMITS.items()}
        (folder / "limits.yml").write_text(yaml.safe_dump(limits))
        origin = f"https://localhost:{https}"
        env = {
            "AFTERCARE_LIMITS": str(folder / "limits.yml"),
            "AFTERCARE_PUBLIC_URL": origin,
            "AFTERCARE_TRUSTED_PROXIES": "127.0.0.1",
        }
        stack = Stack(Ports.free(), folder / "conversations.db", folder / "logs", env)
        with stack, _nginx(folder / "nginx", https, stack.ports.gateway) as nginx:
            found = asyncio.run(_measure(origin, nginx, stack.pids["gateway"], arguments.chats, arguments.seconds))
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    run_script(main)
