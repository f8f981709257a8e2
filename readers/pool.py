"""Hands patients' words to processes that can be stopped, so that words which take for ever cost their own message and no other."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Key, Library
from aftercare.understanding.reading import Reading
from readers.served import Core
from readers.template import Limits, Order

LIMITS = Limits(cpu_seconds=1.0, seconds=2.5)
_SPARE, _MOST_IDLE = 2, 8
_MOST = 16
_NEW_AFTER_SECONDS = 0.05
_LOOK_SECONDS, _LONG_CPU_SECONDS, _NICENESS = 0.02, 0.1, 10
_TICKS = os.sysconf("SC_CLK_TCK")
_LOAD_SECONDS = 300.0
_GRACE_SECONDS = 0.2
_KEPT = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class UnreadError(RuntimeError):
    """The words could not be read: it took too long, or the reader died of it."""


class BrokenReaderError(RuntimeError):
    """The core raised; the name of its error is all that is told, for the error may hold a patient's words."""


@dataclass
class _Reader:
    """A process that answers one call at a time, and the line to it."""

    link: Connection
    pid: int
    stepped_back: bool = False

    def answer(self, seconds: float) -> tuple[bool, Any]:
        """Whether it could do what it was given, and what came out.

        Words that take long are read with what processor time others leave: two of them would keep a small machine's processors busy.

        Raises:
            EOFError, OSError: it died.
            TimeoutError: that takes longer than so many seconds.
        """
        end, before = time.monotonic() + seconds, self._cpu_seconds()
        while not self.link.poll(_LOOK_SECONDS):
            if time.monotonic() > end:
                raise TimeoutError
            if not self.stepped_back and self._cpu_seconds() - before >= _LONG_CPU_SECONDS:
                os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
                self.stepped_back = True
        answer: tuple[bool, Any] = self.link.recv()
        return answer

    def _cpu_seconds(self) -> float:
        """The processor time that it has taken.

        Raises:
            OSError: it is gone.
        """
        figures = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(figures[11]) + int(figures[12])) / _TICKS


class Readers:
    """The clinical core, asked in other processes.

    A template process loads it once and is then forked, which takes milliseconds, into readers that answer one call at a time. A reader
    that overruns its limits is ended by the kernel, and another takes its place. Where no reader is free for a moment, one more is made.

    Args:
        library: the protocols that the readers go by, also those that are made later.
        make: makes what is asked; an importable function of the library.
        limits: of one call.

    Attributes:
        threads: where `call` may wait.
    """

    def __init__(self, library: Library, make: Callable[[Library], Any] = Core, limits: Limits = LIMITS) -> None:
        self._set_up = pickle.dumps((partial(make, library), limits))
        self._patience = limits.seconds + _GRACE_SECONDS
        self._idle: LifoQueue[_Reader] = LifoQueue()
        self._lock = threading.Lock()
        self._template: socket.socket | None = None
        self.threads = ThreadPoolExecutor(_MOST, "reader")
        self._closed = False

    def start(self) -> None:
        """Begin to load the core, and do not wait for it."""
        with self._lock:
            if self._template is None:
                self._template = self._load()

    def warm(self) -> None:
        """Wait until readers stand ready.

        Raises:
            UnreadError: the core could not be loaded; what is wrong stands on standard error.
        """
        for reader in [self._new(_LOAD_SECONDS) for _ in range(_SPARE - self._idle.qsize())]:
            self._give_back(reader)

    async def read(self, key: Key, text: str, today: date) -> Reading:
        """A message read by a protocol's lexicon alone; see `Core.hear`. It raises what `call` raises."""
        reading: Reading = await self.ask("hear", key, text, today)
        return reading

    async def respond(
        self,
        conversation: Conversation,
        reading: Reading,
        today: date,
        *,
        at: datetime | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[Conversation, Reply]:
        """The conversation after a message, and the reply, by its own protocol; see `Core.respond`. It raises what `call` raises."""
        answered: tuple[Conversation, Reply] = await self.ask("respond", conversation, reading, today, at, answers)
        return answered

    async def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the core without holding up the event loop; it raises what `call` raises."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, self.call, method, *arguments)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the core, and wait for what it returns.

        Raises:
            UnreadError: it overran its limits, or its reader died.
            BrokenReaderError: it raised.
        """
        reader = self._take((method, arguments))
        try:
            done, result = reader.answer(self._patience)
        except (EOFError, OSError):
            reader.link.close()  # the kernel ends it at its limits, if it has not yet
            self._replace()
            raise UnreadError(method) from None
        self._give_back(reader)
        if not done:
            raise BrokenReaderError(f"{method}: {result}")
        return result

    def close(self) -> None:
        """End all readers, and the template."""
        with self._lock:
            self._closed = True
            if self._template is not None:
                self._template.close()
                self._template = None
        with suppress(Empty):
            while True:
                self._idle.get_nowait().link.close()
        self.threads.shutdown(wait=False)

    def _take(self, order: Order) -> _Reader:
        """A reader that has been given this to do; one that died while it was idle is passed over."""
        while True:
            reader = self._free()
            try:
                reader.link.send(order)
                return reader
            except OSError:
                reader.link.close()

    def _free(self) -> _Reader:
        """A reader that has nothing to do; one more is made when there is none for a moment.

        Raises:
            UnreadError: there is none for as long as a reading may take.
        """
        with suppress(Empty):
            return self._idle.get(timeout=_NEW_AFTER_SECONDS)
        self._replace()
        try:
            return self._idle.get(timeout=self._patience)
        except Empty:
            raise UnreadError("no reader") from None

    def _give_back(self, reader: _Reader) -> None:
        if reader.stepped_back:  # what has stepped back cannot come forward again
            self._replace()
        if self._closed or reader.stepped_back or self._idle.qsize() >= _MOST_IDLE:
            reader.link.close()
        else:
            self._idle.put(reader)

    def _replace(self) -> None:
        """Let there be one reader more, as soon as it is made."""
        threading.Thread(target=self._add, name="new reader", daemon=True).start()

    def _add(self) -> None:
        with suppress(UnreadError):
            self._give_back(self._new(_LOAD_SECONDS))

    def _new(self, seconds: float) -> _Reader:
        """Another reader, once it is there.

        Raises:
            UnreadError: it was not there after so many seconds, or it cannot be made.
        """
        end = time.monotonic() + seconds
        for _ in range(2):  # where the template has died, a new one is loaded
            ours, theirs = Pipe()
            with theirs:
                self._fork(theirs)
            with suppress(EOFError, OSError):
                if ours.poll(max(0.0, end - time.monotonic())):
                    return _Reader(ours, ours.recv())
            ours.close()
        raise UnreadError("no reader")

    def _fork(self, theirs: Connection) -> None:
        with self._lock:
            if self._closed:
                raise UnreadError("closed")
            if self._template is not None:
                try:
                    socket.send_fds(self._template, [b"."], [theirs.fileno()])
                    return
                except OSError:
                    self._template.close()
            self._template = self._load()
            try:
                socket.send_fds(self._template, [b"."], [theirs.fileno()])
            except OSError:
                raise UnreadError("no reader") from None

    def _load(self) -> socket.socket:
        """The socket of a new template; each descriptor that is sent on it becomes a reader's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}  # no secret is among them
        environment = {**kept, **_ONE_THREAD, "PYTHONPATH": _path(sys.path)}
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "readers.template", str(theirs.fileno())],
                stdin=subprocess.PIPE, pass_fds=[theirs.fileno()], env=environment,
            )  # fmt: skip
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as set_up:
            set_up.write(self._set_up)
        threading.Thread(target=process.wait, name="template", daemon=True).start()
        return ours


def _path(folders: Sequence[str]) -> str:
    return os.pathsep.join(os.path.abspath(folder) for folder in folders)
