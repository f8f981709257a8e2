"""What is made to fail: servers die and hang, the database is locked, the disk is slow or full, the clock jumps."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from scripts.common import ROOT, FailureError
from scripts.stack import Stack

CLOCK = Path(__file__).with_name("clock")
CLOCK_VARIABLE = "AFTERCARE_SOAK_CLOCK"
_RESTART_SECONDS = 120.0
_LOCK_SECONDS = 20.0
_DISK_PROGRAMS = ("mkfs.ext4", "mount", "umount", "fsfreeze")
_SYSTEM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_MEGABYTE = 2**20
_UNMOUNT_TRIES = 10


@dataclass
class Fault:
    """One fault; times by `time.monotonic`.

    Attributes:
        kind: what failed.
        ended: when all answered again; 0 while it lasts.
    """

    kind: str
    began: float
    ended: float = 0.0


@dataclass(frozen=True)
class Disk:
    """Where the databases are kept.

    Attributes:
        folder: the folder.
        own: it is a file system of its own, which may be filled and frozen.
    """

    folder: Path
    own: bool


@contextmanager
def disk(folder: Path, megabytes: int, report: Callable[[str], None]) -> Iterator[Disk]:
    """A small file system in a file, for root; else a plain folder."""
    place = folder / "records"
    place.mkdir(mode=0o700)
    missing = [name for name in _DISK_PROGRAMS if shutil.which(name, path=_SYSTEM_PATH) is None]
    why = "this is not root" if os.geteuid() else f"{', '.join(missing)} is missing" if missing else ""
    if not why:
        image = folder / "disk.img"
        with image.open("wb") as file:
            file.truncate(megabytes * _MEGABYTE)
        try:
            _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
            _run("mount", "-o", "loop", str(image), str(place))
        except FailureError as error:
            why = str(error)
    if why:
        report(f"skipped: slow disk and full disk, because {why}")
        yield Disk(place, own=False)
        return
    try:
        yield Disk(place, own=True)
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    """Unmount it as soon as nobody uses it any more; in the end, let the system do so."""
    for _ in range(_UNMOUNT_TRIES):
        with suppress(FailureError):
            _run("umount", str(place))
            return
        time.sleep(0.5)
    _run("umount", "--lazy", str(place))


def _run(program: str, *arguments: str) -> None:
    command = [shutil.which(program, path=_SYSTEM_PATH) or program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise FailureError(f"{program} failed: {done.stderr.strip()}")


class Faults:
    """The faults of one running bot.

    Args:
        stack: the bot.
        where: where its databases are.
        clock: the file that moves the gateway's clock.
        chance: chooses.
    """

    def __init__(self, stack: Stack, where: Disk, clock: Path, chance: random.Random) -> None:
        self._stack = stack
        self._disk = where
        self._clock = clock
        self._chance = chance
        self.log: list[Fault] = []
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "gateway killed": partial(self._killed, "gateway"),
            "Rasa killed": partial(self._killed, "rasa"),
            "Rasa hangs": partial(self._hanging, "rasa", 4, 10),
            "gateway hangs": partial(self._hanging, "gateway", 2, 5),
            "records locked": partial(self._locked, "records.db"),
            "Rasa's conversations locked": partial(self._locked, stack.db.name),
            "clock jumps ahead": partial(self._clock_moved, 60, 1_200),
            "clock jumps back": partial(self._clock_moved, -600, -10),
        }
        if stack.ports.actions:
            self.kinds["action server killed"] = partial(self._killed, "actions")
        if where.own:
            self.kinds |= {"disk slow": self._slow_disk, "disk full": self._full_disk}

    def deck(self, number: int) -> list[str]:
        """So many kinds of faults in an order by chance; none comes again before all have come."""
        dealt: list[str] = []
        while len(dealt) < number:
            kinds = list(self.kinds)
            self._chance.shuffle(kinds)
            dealt += kinds
        return dealt[:number]

    async def inject(self, kind: str) -> Fault:
        """Let something fail, and wait until all is well again."""
        fault = Fault(kind, time.monotonic())
        self.log.append(fault)
        try:
            await self.kinds[kind]()
        finally:
            fault.ended = time.monotonic()
        return fault

    async def _last(self, least: float, most: float) -> None:
        await asyncio.sleep(self._chance.uniform(least, most))

    async def _killed(self, name: str) -> None:
        pid = self._stack.pids[name]
        os.kill(pid, signal.SIGKILL)
        await self._until_up(name, not_pid=pid)

    async def _hanging(self, name: str, least: float, most: float) -> None:
        pid = self._stack.pids[name]
        os.kill(pid, signal.SIGSTOP)
        try:
            await self._last(least, most)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        await self._until_up(name)

    async def _locked(self, name: str) -> None:
        """Another connection holds the only write lock."""
        file = self._disk.folder / name
        other = sqlite3.connect(file, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
            await self._last(2, 8)
            other.execute("ROLLBACK")
        finally:
            other.close()

    async def _clock_moved(self, least: float, most: float) -> None:
        self._set_clock(self._chance.uniform(least, most))
        try:
            await self._last(4, 8)
        finally:
            self._set_clock(0)

    def _set_clock(self, ahead: float) -> None:
        new = self._clock.with_suffix(".new")
        new.write_text(f"{ahead:.0f}")
        new.replace(self._clock)

    async def _slow_disk(self) -> None:
        """Every write waits, again and again, for up to a second."""
        end = time.monotonic() + self._chance.uniform(5, 10)
        while time.monotonic() < end:
            _run("fsfreeze", "-f", str(self._disk.folder))
            try:
                await self._last(0.2, 1.0)
            finally:
                _run("fsfreeze", "-u", str(self._disk.folder))
            await self._last(0.05, 0.3)

    async def _full_disk(self) -> None:
        ballast = self._disk.folder / "ballast"
        try:
            for file in (self._disk.folder / "records.db", self._stack.db):
                await asyncio.to_thread(_empty_log, file)
            fill(ballast)
            await self._last(4, 10)
        finally:
            ballast.unlink(missing_ok=True)

    async def _until_up(self, name: str, not_pid: int = 0) -> None:
        """Wait until a server, which is not the process `not_pid`, answers."""
        stack, end = self._stack, time.monotonic() + _RESTART_SECONDS
        address = {
            "gateway": f"{stack.gateway}/healthz",
            "rasa": f"{stack.url}/webhooks/rest/",
            "actions": f"http://127.0.0.1:{stack.ports.actions}/health",
        }[name]
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            while time.monotonic() < end:
                with suppress(httpx.HTTPError):
                    if (await client.get(address)).is_success and stack.pids[name] != not_pid:
                        return
                await asyncio.sleep(0.2)
        raise FailureError(f"{name} does not answer {_RESTART_SECONDS:.0f} s after it failed")


def _empty_log(file: Path) -> None:
    """Give a database's write-ahead log back to the file system, so that the next write needs room."""
    with closing(sqlite3.connect(file, timeout=_LOCK_SECONDS)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill(ballast: Path) -> None:
    """Fill the file system with a file, to the last block."""
    with ballast.open("wb", buffering=0) as file:
        free = os.statvfs(ballast.parent)
        with suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
        file.seek(0, os.SEEK_END)
        for size in (_MEGABYTE, 4_096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\1" * size)


def environment(clock: Path) -> dict[str, str]:
    """What the servers need so that the gateway's clock can be moved."""
    return {CLOCK_VARIABLE: str(clock), "PYTHONPATH": os.pathsep.join((str(CLOCK), str(ROOT)))}
