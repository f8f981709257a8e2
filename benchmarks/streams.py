"""Open chats in which nothing happens, through nginx to the gateway: memory, CPU, and how long a message takes meanwhile.

`python -m benchmarks.streams`, on the loopback interface alone; it stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import ssl
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import yaml
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from benchmarks.nginx import Nginx, nginx_in_front
from scripts.common import run_script, say
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


def _quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


async def _messages(chats: Sequence[Chat], seconds: float) -> list[float]:
    """How long messages took that one chat after the other sent, one about each second."""
    times, end = list[float](), time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(await chats[len(times) * 37 % len(chats)].say())
        await asyncio.sleep(_PAUSE_SECONDS)
    return times


async def _browsers(stack: AsyncExitStack, origin: str, nginx: Nginx, number: int) -> list[ClientSession]:
    """Connections for so many chats and one more, some chats to each, each from an address of its own."""
    trust = ssl.create_default_context(cafile=str(nginx.folder / "fullchain.pem"))
    return [
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


async def _open(browsers: Sequence[ClientSession], origin: str, number: int) -> list[Chat]:
    """So many chats with their streams open, some begun at once."""
    chats: list[Chat] = []
    places = asyncio.Semaphore(_AT_ONCE)

    async def open_one(place: int) -> None:
        async with places:
            chats.append(Chat(browsers[place // _PER_ADDRESS], origin))
            await chats[-1].begin()

    await asyncio.gather(*(open_one(place) for place in range(number)))
    return chats


def _spread(times: Sequence[float]) -> list[float]:
    """The median, the 95th percentile and the longest, in seconds."""
    return [round(each, 3) for each in (_quantile(times, 0.5), _quantile(times, 0.95), max(times))]


async def _measure(origin: str, nginx: Nginx, gateway: int, number: int, seconds: float) -> dict[str, object]:
    async with asyncio.timeout(_LONGEST_SECONDS), AsyncExitStack() as stack:
        browsers = await _browsers(stack, origin, nginx, number)
        alone = Chat(browsers[0], origin)
        await alone.begin()
        before, quiet = _use([gateway]), await _messages([alone], min(seconds, 15))
        started = time.monotonic()
        chats = await _open(browsers, origin, number)
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
        "seconds_p50_p95_longest": _spread(times),
        "seconds_p50_p95_longest_with_one_chat": _spread(quiet),
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
        with stack, nginx_in_front(folder / "nginx", https, stack.ports.gateway) as nginx:
            found = asyncio.run(_measure(origin, nginx, stack.pids["gateway"], arguments.chats, arguments.seconds))
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    run_script(main)
