"""Words that take for ever, or end the process that reads them, cost their own message and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from trapped import DEADFALL, QUICKSAND, TAR, TRIPWIRE, TrappedCore

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Library, load_library
from readers.pool import BrokenReaderError, Readers, UnreadError
from readers.template import Limits

ROOT = Path(__file__).resolve().parents[2]
CORES = Path(__file__).with_name("cores")
KEY = ("vertebroplasty", "en")
TODAY = date(2024, 5, 15)
WORDS = "My legs feel weak and I have a fever of 101"
LIMITS = Limits(cpu_seconds=0.5, seconds=1.5)


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library([ROOT / "protocols" / "vertebroplasty"])


@pytest.fixture(scope="module")
def readers(library: Library) -> Iterator[Readers]:
    made = Readers(library, TrappedCore, LIMITS)
    made.warm()
    yield made
    made.close()


def children(pid: int) -> list[int]:
    """The processes below this one."""
    with suppress(FileNotFoundError):
        own = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
        return own + [further for child in own for further in children(child)]
    return []


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def test_it_says_what_the_core_says(readers: Readers, library: Library) -> None:
    core = Assistant(library.default)
    reading = asyncio.run(readers.read(library.default.key, WORDS, TODAY))
    assert reading == core.read(WORDS, TODAY)
    assert asyncio.run(readers.respond(Conversation(), reading, TODAY)) == core.respond(Conversation(), reading, TODAY)


@pytest.mark.parametrize(("trap", "most"), [(QUICKSAND, LIMITS.seconds), (TAR, LIMITS.seconds), (DEADFALL, 0.5)])
def test_words_that_hold_or_end_their_reader_are_given_up(trap: str, most: float, readers: Readers) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadError) as raised:
        readers.call("hear", KEY, trap, TODAY)
    assert time.monotonic() - began < most + 0.5
    assert trap not in str(raised.value)
    assert readers.call("hear", KEY, WORDS, TODAY).mentions


def test_a_reader_that_is_busy_for_too_long_is_gone_when_its_time_is_up(readers: Readers) -> None:
    before = set(children(os.getpid()))
    for trap in (QUICKSAND, TAR):
        with pytest.raises(UnreadError):
            readers.call("hear", KEY, trap, TODAY)
    assert _within(10, lambda: len(children(os.getpid())) <= len(before))


def test_others_are_read_meanwhile(readers: Readers) -> None:
    """Also when more patients than there are spare readers send such words at once."""
    with ThreadPoolExecutor(6) as pool:
        stuck = [pool.submit(readers.call, "hear", KEY, TAR, TODAY) for _ in range(6)]
        time.sleep(0.1)
        waited = []
        while not any(each.done() for each in stuck):
            began = time.monotonic()
            assert readers.call("hear", KEY, WORDS, TODAY).mentions
            waited.append(time.monotonic() - began)
    assert len(waited) > 3
    assert sorted(waited)[len(waited) // 2] < 0.2, waited
    assert all(isinstance(each.exception(), UnreadError) for each in stuck)


def test_an_error_of_the_core_is_told_without_the_words(readers: Readers) -> None:
    before = readers.call("pid")
    with pytest.raises(BrokenReaderError) as raised:
        readers.call("hear", KEY, f"{TRIPWIRE} quokkaberry", TODAY)
    assert str(raised.value) == "hear: ValueError"
    assert readers.call("pid") == before


def test_a_reader_that_died_while_it_was_idle_is_passed_over(readers: Readers) -> None:
    died = readers.call("pid")
    os.kill(died, signal.SIGKILL)
    assert _within(2, lambda: died not in children(os.getpid()))
    assert readers.call("pid") != died


def test_a_template_that_died_is_loaded_again(library: Library) -> None:
    made = Readers(library, TrappedCore, LIMITS)
    before = set(children(os.getpid()))
    made.warm()
    (template,) = [pid for pid in set(children(os.getpid())) - before if os.getpid() == _parent(pid)]
    os.kill(template, signal.SIGKILL)
    _within(2, lambda: template not in children(os.getpid()))
    with pytest.raises(UnreadError):
        made.call("hear", KEY, DEADFALL, TODAY)
    made.warm()
    assert made.call("hear", KEY, WORDS, TODAY).mentions
    made.close()


def test_words_that_take_long_are_read_with_what_others_leave(readers: Readers) -> None:
    below = set(children(os.getpid()))
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(readers.call, "hear", KEY, QUICKSAND, TODAY)
        assert _within(LIMITS.seconds, lambda: any(_niceness(pid) >= os.nice(0) + 10 for pid in below))
        assert isinstance(stuck.exception(), UnreadError)


def test_no_secret_of_the_parent_is_in_their_environment(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERCARE_MASTER_KEY", "quokkaberry")
    made = Readers(library, TrappedCore)
    made.warm()
    environment = Path(f"/proc/{made.call('pid')}/environ").read_bytes()
    made.close()
    assert b"PYTHONPATH" in environment
    assert b"quokkaberry" not in environment


def test_signals_to_the_whole_group_do_not_end_a_reading(readers: Readers) -> None:
    reader = readers.call("pid")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(reader, number)
        os.kill(_parent(reader), number)
    assert readers.call("pid") == reader


def test_none_is_left_when_it_is_closed(library: Library) -> None:
    before = set(children(os.getpid()))
    made = Readers(library)
    made.warm()
    assert len(set(children(os.getpid())) - before) == 3
    made.close()
    assert _within(2, lambda: set(children(os.getpid())) <= before)
    with pytest.raises((UnreadError, RuntimeError)):
        made.call("hear", KEY, WORDS, TODAY)


def test_none_is_left_when_the_parent_is_killed_in_the_midst() -> None:
    script = (
        "import trapped\nfrom aftercare.protocol import load_library\nfrom readers.pool import Readers\n"
        "made = Readers(load_library(), trapped.TrappedCore)\nmade.warm()\nprint('ready', flush=True)\n"
        "made.call('hear', ('', ''), trapped.TAR, None)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(CORES)}
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        left = children(parent.pid)
        assert len(left) == 3
        parent.kill()
    assert _within(5, lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))


def test_a_core_that_cannot_be_loaded_is_told(library: Library) -> None:
    with pytest.raises(UnreadError):
        Readers(library, _cannot).warm()


def _cannot(_: Library) -> None:
    raise ValueError("made to fail")


def _niceness(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getpriority(os.PRIO_PROCESS, pid)
    return 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])
