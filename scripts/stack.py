"""The running bot: gateway and Rasa, and an action server where one is wanted, kept alive by supervisord."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from scripts.common import GATEWAY_PYTHON, MODEL, ROOT, RUN, TOOLS_PYTHON, FailureError, port_from, rasa_environment, tail

CONFIG = ROOT / "scripts" / "supervisord.conf"
START_SECONDS = 180
STOP_SECONDS = 30


def _quiet(_line: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Ports:
    """Where the servers listen, and the names of the variables that set it.

    Attributes:
        actions: 0 where custom actions run in Rasa's process, and no action server is started.
    """

    rasa: int
    gateway: int
    actions: int = 0

    VARIABLES: ClassVar[Mapping[str, str]] = {
        "rasa": "PORT",
        "gateway": "AFTERCARE_GATEWAY_PORT",
        "actions": "AFTERCARE_ACTION_PORT",
    }

    @classmethod
    def free(cls, *, actions: bool = False) -> Ports:
        """Ports that nothing listens on; with or without one for an action server."""
        return cls(free_port(), free_port(), free_port() if actions else 0)

    @classmethod
    def here(cls) -> Ports:
        """The ports that this process's environment names.

        Raises:
            FailureError: a variable holds something that is no port number.
        """
        actions = port_from("AFTERCARE_ACTION_PORT", 0) if os.environ.get("AFTERCARE_ACTION_PORT") else 0
        return cls(port_from("PORT", 5005), port_from("AFTERCARE_GATEWAY_PORT", 8080), actions)

    def variables(self) -> dict[str, int]:
        """The ports by the names of their variables."""
        return {variable: getattr(self, name) for name, variable in self.VARIABLES.items() if getattr(self, name)}


@dataclass
class Stack:
    """The servers on the loopback interface; as a context manager, started on entry and stopped on exit.

    Args:
        ports: where they listen.
        db: the SQLite file that keeps Rasa's conversations; the gateway's records stand beside it, unless AFTERCARE_RECORDS
            names another database.
        logs: the folder for the logs and for supervisord's files; made if missing, for this user only.
        env: environment variables of the servers, on top of this process's own.
        report: receives a line of progress for each step.
        model: what Rasa has learnt.
        ready_seconds: how long the servers took to answer, once started.
    """

    ports: Ports
    db: Path
    logs: Path
    env: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[str], None] = _quiet
    model: Path = MODEL
    ready_seconds: float = field(default=0.0, init=False)
    _supervisor: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """The address of Rasa, with no slash at its end."""
        return f"http://127.0.0.1:{self.ports.rasa}"

    @property
    def gateway(self) -> str:
        """The address of the gateway, with no slash at its end."""
        return f"http://127.0.0.1:{self.ports.gateway}"

    @property
    def records(self) -> str:
        """The address of the gateway's database."""
        default = f"sqlite:///{self.db.resolve().with_name('records.db')}"
        return self.env.get("AFTERCARE_RECORDS") or os.environ.get("AFTERCARE_RECORDS") or default

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of 'rasa', 'gateway' and, where there is one, 'actions', as last started."""
        return {name: pids[-1] for name, pids in self._spawned().items()}

    @property
    def running(self) -> bool:
        """Whether supervisord is alive."""
        return self._supervisor is not None and self._supervisor.poll() is None

    @classmethod
    def here(cls, report: Callable[[str], None]) -> Stack:
        """The stack that this process's environment describes; not started.

        Raises:
            FailureError: a variable holds something that is no port number.
        """
        return cls(Ports.here(), Path(os.environ.get("AFTERCARE_DB") or RUN / "conversations.db").resolve(), logs=RUN, report=report)

    def answers(self) -> bool:
        """Whether somebody has started it: gateway and Rasa answer."""
        return _answers(self.ports.gateway, "/readyz") and _answers(self.ports.rasa, "/webhooks/rest/")

    def start(self) -> None:
        """Start the servers and wait until all answer.

        Raises:
            FailureError: a port is in use, a server stopped while starting, or one did not answer in time.
                Nothing is left running.
        """
        for name, port in self.ports.variables().items():
            _require_free(name, port)
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for log in self.logs.glob("*.log*"):
            log.unlink()
        self._migrate()
        started = time.monotonic()
        with (self.logs / "supervisord.err.log").open("wb") as errors:
            self._supervisor = subprocess.Popen(
                [TOOLS_PYTHON, "-m", "supervisor.supervisord", "--configuration", CONFIG],
                cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=errors, start_new_session=True,
            )  # fmt: skip
        try:
            self._await("gateway", self.ports.gateway, "/readyz")
            if self.ports.actions:
                self._await("actions", self.ports.actions, "/health")
            self._await("rasa", self.ports.rasa, "/webhooks/rest/")
            self.ready_seconds = time.monotonic() - started
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the servers and wait until they are gone; do nothing when they are not running."""
        if self._supervisor is None:
            return
        self._supervisor.terminate()
        try:
            self._supervisor.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._supervisor = None
        for pid in self.pids.values():  # none is left, unless supervisord was killed
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def wait(self) -> None:
        """Block until supervisord ends.

        Raises:
            FailureError: supervisord ended by itself, which it never should.
        """
        if self._supervisor is not None and self._supervisor.wait() is not None:
            raise FailureError(f"supervisord stopped. The end of its log:\n{tail(self.logs / 'supervisord.log')}")

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.stop()

    def _migrate(self) -> None:
        """Bring the gateway's records up to date; also checks its settings."""
        done = subprocess.run(
            [GATEWAY_PYTHON, "-m", "gateway", "migrate"],
            cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise FailureError(f"The gateway cannot start:\n{done.stderr.strip()}")

    def environment(self) -> dict[str, str]:
        """The environment of the servers, and of whatever works with their records."""
        return rasa_environment(
            {
                **self.env,
                **{name: str(port) for name, port in self.ports.variables().items()},
                **self._action_server(),
                "AFTERCARE_RASA_URL": self.env.get("AFTERCARE_RASA_URL") or self.url,
                "AFTERCARE_DB": str(self.db.resolve()),
                "AFTERCARE_TRACKER_KEYS": str(self.db.resolve().with_name("tracker-keys")),
                "AFTERCARE_RECORDS": self.records,
                "AFTERCARE_ROOT": str(ROOT),
                "AFTERCARE_MODEL": str(self.model),
                "AFTERCARE_LOGS": str(self.logs.resolve()),
                "AFTERCARE_UID": str(os.getuid()),
            }
        )

    def _action_server(self) -> dict[str, str]:
        """What Rasa and supervisord need to know of the action server; without one of our own, AFTERCARE_ACTION_URL stays as it is."""
        if not self.ports.actions:
            return {"AFTERCARE_ACTION_PORT": "", "AFTERCARE_ACTION_SERVER": "false"}
        return {"AFTERCARE_ACTION_URL": f"http://127.0.0.1:{self.ports.actions}/webhook", "AFTERCARE_ACTION_SERVER": "true"}

    def _spawned(self) -> dict[str, list[int]]:
        """Return every process id of each server, in the order of their starts."""
        log = self.logs / "supervisord.log"
        text = log.read_text() if log.exists() else ""
        found: dict[str, list[int]] = {}
        for name, pid in re.findall(r"spawned: '(\w+)' with pid (\d+)", text):
            found.setdefault(name, []).append(int(pid))
        return found

    def _await(self, name: str, port: int, path: str) -> None:
        """Wait until a server answers."""
        log = self.logs / f"{name}.log"
        start = time.monotonic()
        mentioned = 0.0
        while not _answers(port, path):
            waited = time.monotonic() - start
            if not self.running:
                raise FailureError(f"supervisord did not start. What it said:\n{tail(self.logs / 'supervisord.err.log')}")
            if len(self._spawned().get(name, ())) > 1:
                raise FailureError(f"{name} stopped while starting. The end of {log}:\n{tail(log)}")
            if waited > START_SECONDS:
                raise FailureError(f"{name} did not answer within {START_SECONDS} s. The end of {log}:\n{tail(log)}")
            if waited - mentioned > 5:
                mentioned = waited
                self.report(f"  {name}: starting, {waited:.0f} s")
            time.sleep(0.2)
        self.report(f"  {name}: answers")


def start_demo_data(stack: Stack) -> subprocess.Popen[bytes]:
    """Make the demo's day in a process of its own, where the running stack's records hold no conversation."""
    return subprocess.Popen([TOOLS_PYTHON, "-m", "scripts.demo_data", "--if-empty"], cwd=ROOT, env=stack.environment())


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(name: str, port: int) -> None:
    """Raise FailureError when something listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise FailureError(
                f"Port {port} is in use. Stop what listens there, or choose another port, for example: {name}={port + 1} make run"
            ) from None


def _answers(port: int, path: str) -> bool:
    """Return whether a server on this machine answers a GET of `path` with success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
