"""Secrets from files: what must not stand in an environment, which other processes of the same user, and crash reports, can read."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

NAMES = (
    "AFTERCARE_MASTER_KEY",
    "AFTERCARE_AUDIT_KEY",
    "AFTERCARE_RECORDS",
    "AFTERCARE_LIMITS_STORAGE",
    "AFTERCARE_WEBHOOKS",
    "AFTERCARE_WEBHOOK_KEY",
    "AFTERCARE_SMTP",
    "AFTERCARE_OIDC_SECRET",
    "AFTERCARE_TRACKERS",
    "AFTERCARE_TRACKERS_PASSWORD",
    "AFTERCARE_PROBE_KEY",
)
_FOLDER = "CREDENTIALS_DIRECTORY"
_LARGEST = 64_000


class SecretError(ValueError):
    """A secret's file cannot be used; the message says what to do."""


def with_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """These variables, and the secrets that stand in files.

    A secret NAME is looked for in the variable NAME, in the file that the variable NAME_FILE names, and, last, in a file NAME in the
    folder that systemd names in CREDENTIALS_DIRECTORY (LoadCredential).

    Raises:
        SecretError: a secret is there twice, or its file cannot be read, is empty, or can be read by others.
    """
    found = dict(environ)
    problems = []
    for name in NAMES:
        try:
            value = _from_file(name, environ)
        except SecretError as error:
            problems.append(str(error))
        else:
            found |= {name: value} if value else {}
    if problems:
        raise SecretError("\n".join(problems))
    return found


def _from_file(name: str, environ: Mapping[str, str]) -> str:
    """What stands in a secret's file; empty where it has none."""
    named, folder = environ.get(f"{name}_FILE"), environ.get(_FOLDER)
    if named:
        if environ.get(name):
            raise SecretError(f"{name} and {name}_FILE are both set; take {name} away.")
        return _content(name, Path(named), stat.S_IRWXG | stat.S_IRWXO)
    file = Path(folder, name) if folder else None
    if file is None or environ.get(name) or not file.exists():
        return ""
    # The group's bits are where systemd shows whom it lets in besides root: the service's own user.
    return _content(name, file, stat.S_IRWXO)


def _content(name: str, file: Path, others: int) -> str:
    try:
        mode = file.stat().st_mode
        with file.open(encoding="utf-8") as opened:
            content = opened.read(_LARGEST).strip()
    except (OSError, ValueError) as error:
        raise SecretError(f"{name}: {file} cannot be read ({type(error).__name__}); correct the file or its name.") from None
    if mode & others:
        raise SecretError(f"{name}: {file} can be read or changed by others; run: chmod 0400 {file}, and make the secret anew.")
    if not content:
        raise SecretError(f"{name}: {file} is empty; write the secret into it.")
    return content
