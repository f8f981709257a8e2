"""Saves the records into a file, and restores them: `python -m deploy.database save|restore VARIABLE FILE`.

PostgreSQL by its own pg_dump and pg_restore, SQLite by its own backup, saved while in use. The address stands in the
environment variable of that name or in its file (`vault.secret`), so that no password stands in a command's arguments.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url

from vault.secret import SecretError, with_secrets


class DatabaseError(RuntimeError):
    """It did not work; the message says what to do."""


def save(url: URL, file: Path) -> None:
    """Write what stands in a database now into a file."""
    if url.get_backend_name() == "sqlite":
        source = Path(url.database or "")
        if not source.is_file():
            raise DatabaseError(f"{source} is no file; check the database's address.")
        with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(file)) as copy:
            database.backup(copy)
    else:
        _run(url, ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(file)])


def restore(url: URL, file: Path) -> None:
    """Bring a saved database back where nothing stands yet."""
    if url.get_backend_name() == "sqlite":
        target = Path(url.database or "")
        if target.exists():
            raise DatabaseError(f"{target} is there already; move it away first.")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        return
    engine = create_engine(url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    if tables:
        raise DatabaseError(f"The database {url.database} is not empty; make a new one: createdb {url.database}_restored")
    whole = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    _run(url, ["pg_restore", *whole, "--dbname", url.database or "", str(file)])


def _run(url: URL, command: Sequence[str]) -> None:
    parts = {"PGHOST": url.host or url.query.get("host"), "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    known = {name: str(value) for name, value in parts.items() if value}
    done = subprocess.run(command, env={**os.environ, **known, "PGDATABASE": url.database or ""}, check=False)
    if done.returncode:
        raise DatabaseError(f"{command[0]} did not work; it said why above.")


def main() -> int:
    """Run a command; the exit code is 0, or 1 with what to mend."""
    parser = argparse.ArgumentParser(prog="python -m deploy.database", description=__doc__)
    parser.add_argument("act", choices=("save", "restore"))
    parser.add_argument("variable", help="AFTERCARE_RECORDS")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    try:
        address = with_secrets(os.environ).get(arguments.variable)
        if not address:
            raise DatabaseError(f"{arguments.variable} is not set; see deploy/env/.")
        (save if arguments.act == "save" else restore)(make_url(address), arguments.file)
    except (DatabaseError, SecretError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
