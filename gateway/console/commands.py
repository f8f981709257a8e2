"""The console's commands: the first account, and the audit."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.console.audit import Head, Trail
from gateway.console.staff import StaffBook, StaffError
from gateway.records.database import connect
from gateway.records.sealing import Keyring
from gateway.records.store import utc_now
from gateway.settings import Settings


def add_staff(settings: Settings, name: str, role: str, email: str | None) -> int:
    """Make an account and print the code with which its owner sets it up."""
    engine = connect(settings.records_url)
    try:
        person, code = StaffBook(engine, Keyring(settings.master_keys), utc_now).invite(name, role, email)
    except StaffError as error:
        print(error, file=sys.stderr)
        return 1
    Trail(engine, settings.audit_key, utc_now).note("account_made", detail={"account": person.id, "role": role, "by": "command"})
    print(f"Account {person.name!r} ({role}). Within 24 hours its owner opens")
    print(f"  {settings.console_origins[0]}/console/setup")
    print(f"and types this code, which is shown only once:\n  {code}")
    return 0


def audit_head(settings: Settings) -> int:
    """Print the end of the audit's chain, to be kept elsewhere."""
    print(Trail(connect(settings.records_url), settings.audit_key, utc_now).head())
    return 0


def verify_audit(settings: Settings, anchors: Path | None) -> int:
    """Check the audit's chain; the exit code is 1 at the first entry that does not hold."""
    try:
        lines = anchors.read_text(encoding="utf-8").split() if anchors else []
        heads = tuple(Head.parse(line) for line in lines)
    except (OSError, ValueError):
        print(f"{anchors} is no file of heads; write what `audit-head` prints into it, one a line.", file=sys.stderr)
        return 1
    verdict = Trail(connect(settings.records_url), settings.audit_key, utc_now).verify(heads)
    if verdict.problem:
        print(f"The audit was tampered with: {verdict.problem}. The {verdict.entries} entries before hold.", file=sys.stderr)
        return 1
    print(f"{verdict.entries} entries, all as written.")
    return 0
