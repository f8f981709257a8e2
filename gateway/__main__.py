"""The gateway's commands: to serve, migrate, purge and make keys; and the console's, for accounts, audit, replay and regressions."""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import prometheus_client
import uvicorn
from sqlalchemy import Engine

from aftercare.protocol import ProtocolError, load_protocol, reload_protocol
from gateway.app import create_app
from gateway.console import commands as console
from gateway.console.regressions import FILE, write_regressions
from gateway.console.rights import ROLES
from gateway.logs import set_up_logs
from gateway.records import database
from gateway.records.retention import count, purge, wrap_anew
from gateway.records.sealing import Keyring
from gateway.settings import SettingsError, from_environment
from vault.day_keys import DayKeys

_GRACE_SECONDS = 3
_DAYS_AHEAD = 31


def main() -> int:
    """Run a command; the exit code is 0, or 1 with what to mend."""
    parser = argparse.ArgumentParser(prog="python -m gateway", description="The front door of Aftercare.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer patients")
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
    replay = commands.add_parser("replay", help="run stored conversations by another protocol, and tell what would come out otherwise")
    replay.add_argument("--protocol", type=Path, required=True, help="the folder of the candidate")
    which = replay.add_mutually_exclusive_group()
    which.add_argument("--days", type=int, default=30, help="the conversations of so many last days; 30 by default")
    which.add_argument("--cases", default="", help="these cases instead, as 12,15")
    regressions = commands.add_parser("regressions", help="write accepted disagreements, with what tells who somebody is masked, as cases")
    regressions.add_argument("--write", type=Path, default=FILE, metavar="FILE", help="the file that they are added to")
    arguments = parser.parse_args()
    if arguments.command == "new-key":
        print(base64.b64encode(secrets.token_bytes(32)).decode())
        return 0
    try:
        protocol = load_protocol()
        settings = from_environment(os.environ, demo=protocol.clinic.mode == "demo")
        candidate = reload_protocol(arguments.protocol) if arguments.command == "replay" else protocol
    except (ProtocolError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    engine = database.connect(settings.records_url)
    if arguments.command == "migrate":
        unsealed = console.have_no_seals(engine)
        database.migrate(engine)
        if unsealed:
            console.seal_all(settings)
        return _wrap_anew(engine, settings.keyring)
    if not database.is_current(engine):
        print("The records are not this release's. Run: python -m gateway migrate", file=sys.stderr)
        return 1
    if arguments.command == "purge":
        now, days = datetime.now(UTC), DayKeys(settings.day_keys)
        done = purge(engine, now - settings.retention, dry_run=arguments.dry_run, days=days)
        if not arguments.dry_run:
            console.note_purge(settings, len(done.conversations))
            days.make_ahead(now.date(), _DAYS_AHEAD)
        every, readable = count(engine)
        verb = "would become" if arguments.dry_run else "became"
        print(f"{len(done.conversations)} conversations without an event since {done.before:%Y-%m-%d %H:%M} UTC {verb} unreadable.")
        print(f"{every} conversations in all, {readable} readable now.")
        print(f"{len(done.keys)} keys of days {'would be' if arguments.dry_run else 'were'} destroyed.")
        for name in done.conversations:
            print(f"  {name}")
        return 0
    if arguments.command == "staff":
        return console.add_staff(settings, arguments.name, arguments.role, arguments.email)
    if arguments.command == "seal-account":
        return console.seal_account(settings, arguments.name)
    if arguments.command == "audit-head":
        return console.audit_head(settings)
    if arguments.command == "verify-audit":
        return console.verify_audit(settings, arguments.anchors)
    if arguments.command == "replay":
        return console.replay(settings, protocol, candidate, arguments.days, arguments.cases)
    if arguments.command == "regressions":
        return write_regressions(settings, arguments.write)
    engine.dispose()
    set_up_logs()
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port, addr="127.0.0.1")
    uvicorn.run(
        create_app(settings, protocol),
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
        print(f"The keys of {failed} conversations can not be unwrapped: a master key or a day's key is missing.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.exit(main())
