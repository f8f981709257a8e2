"""What every script needs: the project's folders, its messages, and the environment Rasa runs in.

Standard library only, because `scripts.setup` runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
TOOLS_PYTHON = ROOT / ".venv" / "bin" / "python"
GATEWAY_PYTHON = ROOT / ".venv-gateway" / "bin" / "python"
RASA_PYTHON = ROOT / ".venv-rasa" / "bin" / "python"
MODEL = ROOT / "models" / "aftercare.tar.gz"
RUN = ROOT / ".run"
BIN = ROOT / ".tools" / "bin"
PATH = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


class FailureError(Exception):
    """Something the user can put right; its text says what is wrong and what to do."""


def say(text: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(text, flush=True)


def run_script(main: Callable[[], None]) -> None:
    """Run a script's `main`, and end the process with its exit code.

    A `FailureError` is printed as a message and gives 1. Ctrl-C, SIGTERM and SIGHUP give 130; `main` sees
    them as KeyboardInterrupt.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        main()
    except FailureError as failure:
        print(f"\nFAILED: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 over the names (of the project's, relative to it) and the contents of `files`."""
    total = hashlib.sha256()
    for file in sorted(files):
        name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
        total.update(f"{name.as_posix()}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def read_stamp(stamp: Path) -> str:
    """Return what `stamp` holds, or nothing when there is no such file."""
    return stamp.read_text().strip() if stamp.is_file() else ""


def tail(log: Path) -> str:
    """Return the last lines of `log` that tell something: no warnings, no stack frames, no colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace")) if log.is_file() else ""
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "Traceback"))]
    telling = [f"    {line}" for line in lines if "Warning:" not in line]
    return "\n".join(telling[-5:]) or "    (nothing)"


def rasa_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment as Rasa and the action server need it, with `extra` on top."""
    environment = os.environ | {
        "RASA_TELEMETRY_ENABLED": "false",
        "LOG_LEVEL": "WARNING",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
        "SANIC_HOST": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
        **extra,
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def port_from(name: str, default: int) -> int:
    """Return the port number in the environment variable `name`, or `default` when it is not set.

    Raises:
        FailureError: the variable holds something that is no port number.
    """
    value = os.environ.get(name, str(default))
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise FailureError(f"{name} is {value!r}. Set it to a port number from 1 to 65535.")
    return int(value)
