"""The gateway's commands: `python -m gateway serve | migrate | purge | new-key`."""

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

from aftercare.protocol import ProtocolError, load_protocol
from gateway.app import create_app
from gateway.logs import set_up_logs
from gateway.records import database
from gateway.records.retention import count, purge
from gateway.settings import SettingsError, from_environment

_GRACE_SECONDS = 3


def main() -> int:
    """Run a command; the exit code is 0, or 1 with what to mend."""
    parser = argparse.ArgumentParser(prog="python -m gateway", description="The front door of Aftercare.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer patients")
    commands.add_parser("migrate", help="make the records' tables, or bring them up to date")
    forget = commands.add_parser("purge", help="make the words of conversations unreadable that are older than AFTERCARE_RETENTION_DAYS")
    forget.add_argument("--dry-run", action="store_true", help="change nothing, only tell")
    commands.add_parser("new-key", help="print a new master key")
    arguments = parser.parse_args()
    if arguments.command == "new-key":
        print(base64.b64encode(secrets.token_bytes(32)).decode())
        return 0
    try:
        protocol = load_protocol()
        settings = from_environment(os.environ, demo=protocol.clinic.mode == "demo")
    except (ProtocolError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    engine = database.connect(settings.records_url)
    if arguments.command == "migrate":
        database.migrate(engine)
        return 0
    if not database.is_current(engine):
        print("The records are not this release's. Run: python -m gateway migrate", file=sys.stderr)
        return 1
    if arguments.command == "purge":
        done = purge(engine, datetime.now(UTC) - settings.retention, dry_run=arguments.dry_run)
        every, readable = count(engine)
        verb = "would become" if arguments.dry_run else "became"
        print(f"{len(done.conversations)} conversations without an event since {done.before:%Y-%m-%d %H:%M} UTC {verb} unreadable.")
        print(f"{every} conversations in all, {readable} readable now.")
        for name in done.conversations:
            print(f"  {name}")
        return 0
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
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.exit(main())
