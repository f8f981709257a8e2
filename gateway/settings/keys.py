"""The keys: those that wrap the conversations' keys, the one that seals the audit, and the folder of the days' keys."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from gateway.settings.files import RUN
from vault.day_keys import DayKeys, FolderError

KEY_BYTES = 32


def master_keys(value: str, demo: bool, problems: list[str]) -> tuple[bytes, ...]:
    """The keys that wrap the conversations' keys; the demo's is made up where none is set."""
    if not value and demo:
        return (_demo_key(),)
    keys = []
    for part in filter(None, value.split(",")):
        try:
            keys.append(base64.b64decode(part.strip(), validate=True))
        except ValueError:
            keys.append(b"")
    if not keys or any(map(_is_weak, keys)):
        problems.append(
            "AFTERCARE_MASTER_KEY must be one or more random keys of 32 bytes in base64, separated by commas; "
            "make one with: python -m gateway new-key"
        )
    return tuple(keys)


def audit_key(value: str, wrapping: tuple[bytes, ...], demo: bool, problems: list[str]) -> bytes:
    """The key that seals the audit, which is none of those that wrap; the demo's is made up where none is set."""
    if not value and demo:
        return _demo_key("demo-audit.key")
    try:
        key = base64.b64decode(value.strip(), validate=True)
    except ValueError:
        key = b""
    if _is_weak(key):
        problems.append("AFTERCARE_AUDIT_KEY must be a random key of 32 bytes in base64; make one with: python -m gateway new-key")
    elif key in wrapping:
        problems.append(
            "AFTERCARE_AUDIT_KEY is one of the master keys; who keeps these must not be able to change the audit: "
            "make another with: python -m gateway new-key"
        )
    return key


def day_keys(name: str, records_url: str, demo: bool, problems: list[str]) -> Path:
    """The folder of the days' keys; the demo's is made when it is needed, beside its SQLite file if it has one."""
    if not name and demo:
        beside = records_url.startswith("sqlite:///")
        return Path(records_url.removeprefix("sqlite:///")).with_name("day-keys") if beside else RUN / "day-keys"
    if not name:
        problems.append("AFTERCARE_DAY_KEYS is not set; make a folder that is in no backup, with install -d -m 0700, and set it to that.")
        return Path()
    try:
        DayKeys(Path(name)).check()
    except FolderError as error:
        problems.append(f"AFTERCARE_DAY_KEYS: {error}")
    return Path(name)


def _is_weak(key: bytes) -> bool:
    return len(key) != KEY_BYTES or len(set(key)) < KEY_BYTES // 4


def _demo_key(name: str = "demo-master.key") -> bytes:
    file = RUN / name
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            new.write(secrets.token_bytes(KEY_BYTES))
    return file.read_bytes()
