"""A gateway of this process on a database, with a scripted Rasa; and our commands on it."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from aftercare.assistant import Assistant
from aftercare.protocol import Library, load_library
from gateway.app import create_app
from gateway.settings import from_environment
from scripts.common import GATEWAY_PYTHON, ROOT
from tests.deploy.cluster import AUDIT_KEY, MASTER_KEY
from tests.gateway.support import Clock, Door, ScriptedRasa, opened, scripted


def environment(records: str, day_keys: Path | None = None) -> dict[str, str]:
    """What our commands need on this database, with the days' keys in this folder, which is made, or where the demo has them."""
    if day_keys is not None:
        day_keys.mkdir(mode=0o700, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFTERCARE_")}
    own = {
        "AFTERCARE_RECORDS": records,
        "AFTERCARE_DAY_KEYS": str(day_keys or ""),
        "AFTERCARE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        "AFTERCARE_AUDIT_KEY": base64.b64encode(AUDIT_KEY).decode(),
    }
    return kept | own


def run(env: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder."""
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)


def gateway(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m gateway ...`."""
    return run(env, str(GATEWAY_PYTHON), "-m", "gateway", *arguments)


@lru_cache
def _made() -> tuple[Library, Assistant]:
    library = load_library()
    return library, Assistant(library.default)


@contextmanager
def door(env: Mapping[str, str]) -> Iterator[Door]:
    """A running gateway."""
    library, assistant = _made()
    rasa, clock, settings = ScriptedRasa(assistant), Clock(), from_environment(env, demo=True)
    with opened(create_app(settings, library, rasa=scripted(rasa), clock=clock), settings, rasa, clock, Path()) as running:
        yield running
