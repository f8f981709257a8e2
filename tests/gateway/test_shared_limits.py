"""Several gateways count together in Redis; while it is away, each counts for itself and nobody is turned away for that."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from limits import parse
from prometheus_client import REGISTRY

from gateway.limiting import Limiter
from gateway.settings import Settings
from scripts.stack import free_port
from tests.gateway.support import HARMLESS, ROOT, Door, is_emergency

_FEW = parse("3 per minute")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start Redis as a cluster has it; it listens at the fixture's attribute `url`."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed, and CI has to test with it")
        pytest.skip("redis-server is not installed; on Debian: apt-get install redis-server")
    port, running = free_port(), []

    def start() -> subprocess.Popen[bytes]:
        command = [program, str(ROOT / "deploy" / "redis.conf"), "--port", str(port), "--dir", str(tmp_path)]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        time.sleep(0.5)
        return running[-1]

    start.url = f"async+redis://127.0.0.1:{port}"  # type: ignore[attr-defined]
    yield start
    for process in running:
        process.kill()
        process.wait()


def _counted(settings: Settings, url: str) -> Settings:
    return replace(settings, limits=dict.fromkeys(settings.limits, _FEW), limits_storage=url)


def test_two_gateways_count_together(redis: Callable[[], object], settings: Settings) -> None:
    redis()
    shared = _counted(settings, redis.url)  # type: ignore[attr-defined]

    async def waits() -> list[int]:
        limiters = [Limiter(shared), Limiter(shared)]
        return [await limiters[number % 2].wait("start", address="somebody") for number in range(4)]

    *allowed, refused = asyncio.run(waits())
    assert allowed == [0, 0, 0]
    assert 1 <= refused <= 60


def test_without_redis_each_counts_for_itself_and_comes_back(
    redis: Callable[[], subprocess.Popen[bytes]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.limiting._ALONE_SECONDS", 0.3)

    async def run() -> None:
        limiter = Limiter(_counted(settings, redis.url))  # type: ignore[attr-defined]
        started = time.monotonic()
        assert [await limiter.wait("start", address="somebody") for _ in range(3)] == [0, 0, 0]
        assert await limiter.wait("start", address="somebody") > 0, "alone it still counts"
        assert time.monotonic() - started < 2
        assert REGISTRY.get_sample_value("aftercare_limits_up") == 0
        redis()
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
