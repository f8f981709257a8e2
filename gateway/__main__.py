"""The gateway's commands: to serve, check, migrate, purge and make keys; and the console's, for accounts, audit, replay and regressions."""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import prometheus_client
import uvicorn
from sqlalchemy import Engine

from aftercare.protocol import Library, ProtocolError, load_library, reload_protocol
from gateway.app import create_app
from gateway.console import commands as console
from gateway.console.identity.rights import ROLES
from gateway.console.insights.regressions import write_regressions
from gateway.logs import set_up_logs
from gateway.patient_copy import is_demo
from gateway.records import database
from gateway.records.retention import count, purge, wrap_anew
from gateway.records.sealing import Keyring
from gateway.settings import Settings, SettingsError, from_environment
from vault.day_keys import DayKeys

_GRACE_SECONDS = 3
_DAYS_AHEAD = 31


@dataclass(frozen=True)
class _Call:
    """What a command works with."""

    arguments: argparse.Namespace
    library: Library
    settings: Settings
    engine: Engine


def main() -> int:
    """Run a command; the exit code is 0, or 1 with what to mend."""
    arguments = _parser().parse_args()
    if arguments.command in _ALONE:
        return _ALONE[arguments.command]()
    try:
        library = load_library()
        settings = from_environment(os.environ, demo=is_demo(library), protocols=[protocol.key for protocol in library])
        call = _Call(arguments, library, settings, database.connect(settings.records_url))
        if arguments.command != "migrate" and not database.is_current(call.engine):
            print("The records are not this release's. Run: python -m gateway migrate", file=sys.stderr)
            return 1
        return _COMMANDS[arguments.command](call)
    except (ProtocolError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description="The front door of Aftercare.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer patients")
    commands.add_parser("check", help="read the whole set-up, try every address, and tell what is missing or weak")
    commands.add_parser("migrate", help="make the records' tables, or bring them up to date")
    forget = commands.add_parser("purge", help="make the words of conversations unreadable that are older than AFTERCARE_RETENTION_DAYS")
    forget.add_argument("--dry-run", action="store_true", help="change nothing, only tell")
    commands.add_parser("new-key", help="print a new master key")
    staff = commands.add_parser("staff", help="make an account for the console")
    staff.add_argument("name")
    staff.add_argument("--role", choices=ROLES, default="nurse")
    staff.add_argument("--email")
    seal = commands.add_parser("seal-account", help="list accounts that were changed in the database, or let one count as it stands")
    seal.add_argument("name", nargs="?")
    commands.add_parser("audit-head", help="print the end of the audit, to be kept elsewhere")
    verify = commands.add_parser("verify-audit", help="check that nobody changed the audit")
    verify.add_argument("--anchors", type=Path, help="a file of what audit-head printed before, one a line")
    replay = commands.add_parser(
        "replay", help="run stored conversations by a candidate for their protocol's place, and tell what would come out otherwise"
    )
    replay.add_argument(
        "--protocol", type=Path, required=True, help="the folder of the candidate, which has the id of the protocol in force"
    )
    which = replay.add_mutually_exclusive_group()
    which.add_argument("--days", type=int, default=30, help="the conversations of so many last days; 30 by default")
    which.add_argument("--cases", default="", help="these cases instead, as 12,15")
    regressions = commands.add_parser("regressions", help="write accepted disagreements, with what tells who somebody is masked, as cases")
    regressions.add_argument("--write", type=Path, required=True, metavar="FILE", help="the file that they are added to")
    regressions.add_argument(
        "--protocol", default="", metavar="ID", help="of the conversations of this protocol; the default one's without it"
    )
    return parser


def _new_key() -> int:
    print(base64.b64encode(secrets.token_bytes(32)).decode())
    return 0


def _check() -> int:
    from gateway.check import check  # what it tries with is no burden on the others' start

    return check(os.environ, load_library)


def _migrate(call: _Call) -> int:
    unsealed = console.have_no_seals(call.engine)
    database.migrate(call.engine)
    if unsealed:
        console.seal_all(call.settings)
    return _wrap_anew(call.engine, call.settings.keyring)


def _purge(call: _Call) -> int:
    dry = call.arguments.dry_run
    now, days = datetime.now(UTC), DayKeys(call.settings.day_keys)
    done = purge(call.engine, now - call.settings.retention, dry_run=dry, days=days)
    if not dry:
        console.note_purge(call.settings, len(done.conversations))
        days.make_ahead(now.date(), _DAYS_AHEAD)
    every, readable = count(call.engine)
    verb = "would become" if dry else "became"
    print(f"{len(done.conversations)} conversations without an event since {done.before:%Y-%m-%d %H:%M} UTC {verb} unreadable.")
    print(f"{every} conversations in all, {readable} readable now.")
    print(f"{len(done.keys)} keys of days {'would be' if dry else 'were'} destroyed.")
    for name in done.conversations:
        print(f"  {name}")
    return 0


def _staff(call: _Call) -> int:
    return console.add_staff(call.settings, call.arguments.name, call.arguments.role, call.arguments.email)


def _replay(call: _Call) -> int:
    candidate = reload_protocol(call.arguments.protocol)
    return console.replay(call.settings, call.library, candidate, call.arguments.days, call.arguments.cases)


def _serve(call: _Call) -> int:
    call.engine.dispose()
    set_up_logs()
    settings = call.settings
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port, addr="127.0.0.1")
    uvicorn.run(
        create_app(settings, call.library),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return 0


def _wrap_anew(engine: Engine, keyring: Keyring) -> int:
    """Bring the wrapping of the conversations' keys up to date, and see that the keys of the next days are there."""
    if keyring.days is not None:
        keyring.days.make_ahead(datetime.now(UTC).date(), _DAYS_AHEAD)
    done, failed = wrap_anew(engine, keyring)
    if done:
        print(f"The keys of {done} conversations were wrapped under the first master key and the keys of their days.")
    if failed:
        print(f"The keys of {failed} conversations cannot be unwrapped: a master key or a day's key is missing.", file=sys.stderr)
    return 0


_ALONE: Mapping[str, Callable[[], int]] = {"new-key": _new_key, "check": _check}
_COMMANDS: Mapping[str, Callable[[_Call], int]] = {
    "serve": _serve,
    "migrate": _migrate,
    "purge": _purge,
    "staff": _staff,
    "seal-account": lambda call: console.seal_account(call.settings, call.arguments.name),
    "audit-head": lambda call: console.audit_head(call.settings),
    "verify-audit": lambda call: console.verify_audit(call.settings, call.arguments.anchors),
    "replay": _replay,
    "regressions": lambda call: write_regressions(call.settings, call.arguments.write, call.library, call.arguments.protocol),
}


if __name__ == "__main__":
    os.umask(0o077)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.exit(main())
