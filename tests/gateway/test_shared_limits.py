"""Several gateways count together in Redis; while it is away, each counts for itself and nobody is turned away for that."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from limits import parse
from prometheus_client import REGISTRY

from gateway.limiting import Limiter
from gateway.settings import Settings
from scripts.stack import free_port
from tests.gateway.support import HARMLESS, ROOT, Door, is_emergency

_FEW = parse("3 per minute")


@dataclass
class Redis:
    """Redis as a cluster has it, on a port of its own."""

    program: str
    port: int
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"async+redis://127.0.0.1:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        command = [self.program, str(ROOT / "deploy" / "redis.conf"), "--port", str(self.port), "--dir", str(self.folder)]
        self.running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        time.sleep(0.5)
        return self.running[-1]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that a test starts; what runs of it is ended after the test."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed, and CI has to test with it")
        pytest.skip("redis-server is not installed; on Debian: apt-get install redis-server")
    made = Redis(program, free_port(), tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.wait()


def _counted(settings: Settings, url: str) -> Settings:
    return replace(settings, limits=dict.fromkeys(settings.limits, _FEW), limits_storage=url)


def test_two_gateways_count_together(redis: Redis, settings: Settings) -> None:
    redis.start()
    shared = _counted(settings, redis.url)

    async def waits() -> list[int]:
        limiters = [Limiter(shared), Limiter(shared)]
        return [await limiters[number % 2].wait("start", address="somebody") for number in range(4)]

    *allowed, refused = asyncio.run(waits())
    assert allowed == [0, 0, 0]
    assert 1 <= refused <= 60


def test_without_redis_each_counts_for_itself_and_comes_back(redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limiting._ALONE_SECONDS", 0.3)

    async def run() -> None:
        limiter = Limiter(_counted(settings, redis.url))
        started = time.monotonic()
        assert [await limiter.wait("start", address="somebody") for _ in range(3)] == [0, 0, 0]
        assert await limiter.wait("start", address="somebody") > 0, "alone it still counts"
        assert time.monotonic() - started < 2
        assert REGISTRY.get_sample_value("aftercare_limits_up") == 0
        redis.start()
        await asyncio.sleep(0.4)
        assert [await limiter.wait("start", address="somebody") for _ in range(3)] == [0, 0, 0], "Redis has not counted yet"
        assert await limiter.wait("start", address="somebody") > 0
        assert REGISTRY.get_sample_value("aftercare_limits_up") == 1

    asyncio.run(run())


def test_patients_are_served_without_redis(open_door: Callable[..., Door]) -> None:
    door = open_door(limits_storage=f"async+redis://127.0.0.1:{free_port()}")
    patient = door.patient()
    assert patient.settled(HARMLESS)["disposition"] == "self_care"
    assert is_emergency(patient.say("I have chest pain"))
