"""The process that loads the clinical core once, and is forked into readers: `python -m readers.template <descriptor>`.

It never sees a patient's words. Its parent sends it one descriptor for each reader that it wants, and what to load on standard input. When
the parent ends, template and readers find their sockets closed and end too; signals to the whole group do not end them before, so that
messages that are being read when the parent is told to stop still have their answer.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import socket
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

Order = tuple[str, tuple[Any, ...]]

_CALLS = 10_000
_MEMORY_BYTES = 2 << 30


class Limits(NamedTuple):
    """What one call may take: processor time, and time in all, both in seconds."""

    cpu_seconds: float
    seconds: float


def main() -> None:
    """Load what standard input names, then fork a reader for each descriptor that comes."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    parent = socket.socket(fileno=int(sys.argv[1]))
    make, limits = pickle.load(sys.stdin.buffer)
    core = make()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, descriptors, _, _ = socket.recv_fds(parent, 1, 1)
        if not asked:
            return
        (descriptor,) = descriptors
        if os.fork() == 0:
            parent.close()
            _serve(core, Connection(descriptor), limits)
            os._exit(0)
        os.close(descriptor)


def _serve(core: Any, parent: Connection, limits: Limits) -> None:
    """Answer calls until the parent has no more; after many, end, so that what strange words left in memory goes too."""
    with suppress(ValueError):  # a lower limit holds already
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        parent.send(os.getpid())
        for _ in range(_CALLS):
            method, arguments = parent.recv()
            _arm(*limits)
            try:
                result = True, getattr(core, method)(*arguments)
            except Exception as error:
                result = False, type(error).__name__
            _arm(0, 0)
            parent.send(result)
    except (EOFError, OSError):
        return


def _arm(cpu_seconds: float, seconds: float) -> None:
    """Let the kernel end this process after so much time, whatever it does then; 0 takes that back."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main()
