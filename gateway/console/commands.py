"""The console's commands: the first account, the audit, and the replay."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, inspect

from aftercare.protocol import Library, Protocol
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog, Head
from gateway.console.cases.replay import LESS, MORE, SAME, Change, Replay, UnmatchedError, newest, parse_numbers
from gateway.console.identity.accounts import Staff, StaffError
from gateway.console.identity.newcomers import Newcomers
from gateway.console.identity.seals import Seals
from gateway.console.identity.staff import StaffBook
from gateway.records.database import connect
from gateway.records.store import Records, utc_now
from gateway.records.tier import Tier
from gateway.settings import Settings


def add_staff(settings: Settings, name: str, role: str, email: str | None) -> int:
    """Make an account and print the code with which its owner sets it up."""
    engine = connect(settings.records_url)
    book = StaffBook(engine, settings.keyring, utc_now)
    try:
        person, code = book.invite(name, role, email)
    except StaffError as error:
        print(error, file=sys.stderr)
        return 1
    AuditLog(engine, settings.audit_key, utc_now).record(
        AuditAct.ACCOUNT_MADE, detail={"account": person.id, "role": role, "by": "command"}
    )
    Newcomers(engine, book, utc_now, f"{settings.console_origins[0]}/console").tell(person, "made", "the operator")
    print(f"Account {person.name!r} ({role}). Within 24 hours its owner opens")
    print(f"  {settings.console_origins[0]}/console/setup")
    print(f"and types this code, which is shown only once:\n  {code}")
    return 0


def have_no_seals(engine: Engine) -> bool:
    """Whether the accounts are of a release that did not seal them; a database that is not there is not made by asking."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        return False
    tables = inspect(engine)
    return tables.has_table("staff") and "seal" not in {column["name"] for column in tables.get_columns("staff")}


def seal_all(settings: Settings) -> None:
    """Seal the accounts of an older release as they stand, and name them, so that somebody looks whether each is one of the clinic's."""
    engine = connect(settings.records_url)
    book = StaffBook(engine, settings.keyring, utc_now)
    people = book.everybody()
    for person in people:
        book.accept(person.name)
        _note_sealed(settings, engine, person)
    if people:
        print("These accounts were sealed as they stand. Shut each that you do not know, on the page Staff:")
        for person in people:
            print(f"  {person.name} ({person.role})")


def seal_account(settings: Settings, name: str | None) -> int:
    """Seal one account as it stands; without a name, list the accounts that somebody changed in the database."""
    engine = connect(settings.records_url)
    book = StaffBook(engine, settings.keyring, utc_now)
    if name is None:
        changed = [person for person in book.everybody() if person.tampered]
        for person in changed:
            print(f"{person.name!r} ({person.role}) was changed in the database without the key, and counts as closed.")
        print(f"{len(changed)} such accounts.")
        return 1 if changed else 0
    try:
        person = book.accept(name)
    except StaffError as error:
        print(error, file=sys.stderr)
        return 1
    _note_sealed(settings, engine, person)
    print(f"{person.name!r} ({person.role}) counts as it stands.")
    print("A new code, on the page Staff, takes away its password, app and recovery codes.")
    return 0


def _note_sealed(settings: Settings, engine: Engine, person: Staff) -> None:
    detail = {"account": person.id, "role": person.role, "by": "command"}
    AuditLog(engine, settings.audit_key, utc_now).record(AuditAct.ACCOUNT_SEALED, detail=detail)


def note_purge(settings: Settings, conversations: int) -> None:
    """Put a purge into the audit."""
    AuditLog(connect(settings.records_url), settings.audit_key, utc_now).record(
        AuditAct.PURGE, detail={"conversations": conversations, "by": "command"}
    )


def audit_head(settings: Settings) -> int:
    """Print the end of the audit's chain, to be kept elsewhere."""
    print(AuditLog(connect(settings.records_url), settings.audit_key, utc_now).head())
    return 0


def verify_audit(settings: Settings, anchors: Path | None) -> int:
    """Check the audit's chain; the exit code is 1 at the first entry that does not hold."""
    try:
        lines = anchors.read_text(encoding="utf-8").split() if anchors else []
        heads = tuple(Head.parse(line) for line in lines)
    except (OSError, ValueError):
        print(f"{anchors} is no file of heads; write what `audit-head` prints into it, one a line.", file=sys.stderr)
        return 1
    engine = connect(settings.records_url)
    verdict = AuditLog(engine, settings.audit_key, utc_now).verify((*heads, *Seals(settings.keyring).anchors(engine)))
    if verdict.problem:
        print(f"The audit was tampered with: {verdict.problem}. The {verdict.entries} entries before hold.", file=sys.stderr)
        return 1
    print(f"{verdict.entries} entries, all as written.")
    return 0


def replay(settings: Settings, library: Library, candidate: Protocol, days: int, cases: str) -> int:
    """Replay conversations by a candidate for a protocol's place; the exit code is 1 when any of them becomes less urgent.

    Args:
        settings: where the records are.
        library: the protocols in force.
        candidate: the protocol that may follow the one of its id and language.
        days: the conversations of so many last days.
        cases: the numbers of cases, with commas between them, instead of days; empty for none.
    """
    records = Records(connect(settings.records_url), settings.keyring)
    try:
        numbers = parse_numbers(cases) if cases else newest(records.engine, utc_now() - timedelta(days=days))
    except ValueError:
        print("--cases are numbers of cases with commas between them, such as 12,15.", file=sys.stderr)
        return 1
    try:
        report = Replay(records, library, candidate).run(numbers)
    except UnmatchedError as error:
        print(error, file=sys.stderr)
        return 1
    AuditLog(records.engine, settings.audit_key, utc_now).record(AuditAct.REPLAY, detail={**report.audited, "by": "command"})
    print(f"{report.before} against {report.after}. Both are run by the core alone, without the classifier's second opinion.")
    for change in report.different:
        print(_line(change))
    print(f"{len(report.changes)} conversations: {', '.join(f'{report.count(verdict)} {verdict}' for verdict in (LESS, MORE, SAME))}.")
    for (before, after), number in sorted(report.matrix.items()):
        print(f"  {number:>6}  {Tier(before).label} -> {Tier(after).label}")
    if report.purged:
        print(f"{len(report.purged)} more were left out, because their words have been purged.")
    if report.others:
        print(f"{report.others} more were left out: they are bound to another protocol, for which nothing changes.")
    return 1 if report.count(LESS) else 0


def _line(change: Change) -> str:
    tiers = f"{Tier(change.before.tier).label} -> {Tier(change.after.tier).label} (the patient got: {Tier(change.got).label})"
    rules = [f"{word}: {', '.join(names)}" for word, names in (("new", change.newly), ("no longer", change.no_longer)) if names]
    return "; ".join([f"Case {change.case}: {change.verdict}, {tiers}", *rules])
