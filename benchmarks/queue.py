"""How fast the nurses' queue is: 100,000 cases in SQLite, 1,000,000 in PostgreSQL; writes docs/console-speed.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy
import structlog
from limits import parse
from sqlalchemy import Connection, Engine, Table, event, insert

from aftercare.protocol import Library, load_library
from gateway.app import create_app
from gateway.console.cases.filters import Filter
from gateway.console.cases.queue import PAGE, Queue
from gateway.console.identity.sessions import COOKIE
from gateway.console.services import ConsoleServices, make_console_services
from gateway.records.database import connect, migrate, writing
from gateway.records.signals import ACKNOWLEDGED, CLOSED, OPEN, rank_of
from gateway.records.tables import case_finding, case_rule, conversation, triage_case
from gateway.settings import Settings, from_environment
from scripts import postgresql
from scripts.common import ROOT, FailureError, run_script, say

REPORT = ROOT / "docs" / "console-speed.md"
COMMAND = "make bench-queue"
SIZES = {"SQLite": 100_000, "PostgreSQL": 1_000_000}
LIMIT_MS = 100.0
RUNS = 50
IN_WORK, RESTING = 6_000, 0.2
FAR_PAGE = 22
_BATCH = 10_000
_YEAR_SECONDS = 365 * 86_400
_PLENTY = parse("1000000 per minute")
_FINDINGS = ("fever", "soreness", "severe_pain", "bruising", "leg_numbness", "chest_pain", "bladder_bowel", "stroke")
_WEIGHTS = (200, 400, 200, 150, 60, 30, 10, 1)
_RULES = {2: ("fever", "severe_pain", "site_infection", "leg_signs"), 3: ("chest_pain", "loss_of_control", "stroke")}
COMMON, RARE, RULE = "fever", "stroke", "leg_signs"


@dataclass(frozen=True)
class Figure:
    """How long something took in milliseconds, and the plans of its statements."""

    name: str
    median: float
    high: float
    plans: tuple[str, ...] = ()


def _rows(number: int, now: datetime, chance: random.Random) -> Iterator[dict[Table, list[dict[str, Any]]]]:
    """One case after the other, by the tables that hold it: a year of them, most closed, some thousands in work."""
    in_work = min(IN_WORK, number // 5)
    for case in range(1, number + 1):
        at = now - timedelta(seconds=_YEAR_SECONDS * (1 - case / number))
        working = case > number - in_work
        tier = chance.choices((2, 3), (5, 1))[0] if working else chance.choices((0, 1, 2, 3), (40, 30, 25, 5))[0]
        state = OPEN if not working and tier < 2 and chance.random() < RESTING else CLOSED
        if working:
            state = chance.choice((OPEN, ACKNOWLEDGED))
        seen = at + timedelta(minutes=4) if state != OPEN else None
        name = f"{case:032x}"
        row = {
            "id": case, "conversation_id": name, "opened_at": at, "tier": tier,
            "rank": int(rank_of({"tier": tier, "state": state, "failed": False, "asking": False})), "state": state, "fired_at": at,
            "fired_seq": 3,
            "waiting_since": at if working and case % 50 == 0 else None, "last_at": at, "last_seq": 3, "failed": False,
            "silent": chance.random() < 0.1, "asking": False, "acknowledged_at": seen, "acknowledged_by": None, "assignee": None,
            "snoozed_until": None, "closed_at": at + timedelta(hours=1) if state == CLOSED else None,
            "outcome": "reached" if state == CLOSED else None, "escalated": 0, "version": 3, "changed_at": at + timedelta(minutes=5),
        }  # fmt: skip
        codes = dict.fromkeys(chance.choices(_FINDINGS, _WEIGHTS, k=chance.randint(1, 3)))
        rules = [chance.choice(_RULES[tier])] if tier in _RULES else []
        yield {
            conversation: [{"id": name, "embed_key": "demo", "started_at": at, "protocol": "vertebroplasty", "language": "en"}],
            triage_case: [row],
            case_finding: [{"case_id": case, "code": code, "status": chance.choice(("present", "present", "absent"))} for code in codes],
            case_rule: [
                {"case_id": case, "rule": rule, "seq": 3, "rank": rank, "tier": tier, "at": at, "protocol": "bench 1"}
                for rank, rule in enumerate(rules)
            ],
        }


def fill(engine: Engine, number: int) -> None:
    """Fill an empty database with so many cases."""
    everything = _rows(number, datetime.now(UTC), random.Random(1))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        while some := list(islice(everything, _BATCH)):
            for table in (conversation, triage_case, case_finding, case_rule):
                insert_rows(connection, table, [row for each in some for row in each[table]])
    settle(engine)


def settle(engine: Engine) -> None:
    """Let PostgreSQL count what is in its tables, as it does by itself after a while; SQLite never does."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns, the fastest way."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([json.dumps(row[name]) if isinstance(row[name], dict) else row[name] for name in names])


def timed(name: str, act: Callable[[], Any], plans: tuple[str, ...] = ()) -> Figure:
    """Do something many times."""
    act()
    taken = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1_000)
    return Figure(name, statistics.median(taken), statistics.quantiles(taken, n=20)[-1], plans)


def plans_of(engine: Engine, act: Callable[[], Any]) -> tuple[str, ...]:
    """How the database goes about the statements on cases that something makes."""
    seen: list[tuple[str, Any]] = []

    def notice(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "triage_case" in statement:
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", notice)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", notice)
    explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with engine.connect() as connection:
        return tuple("\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + said, given)) for said, given in seen)


def measure(settings: Settings, library: Library) -> tuple[list[Figure], list[Figure]]:
    """The figures of the queue itself, and of its pages over HTTP."""
    app = create_app(settings, library)
    services = make_console_services(settings, library, app.state.services.records, app.state.services.event_bus)
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    wanted = {
        "page 1": (Filter(), ""),
        f"page {FAR_PAGE}": (Filter(), _key(queue, Filter(), FAR_PAGE)),
        "a common finding": (Filter(finding=COMMON), ""),
        "a rare finding": (Filter(finding=RARE), ""),
        "a rule": (Filter(rule=RULE), ""),
        "breached": (Filter(only="breached"), ""),
        "all open": (Filter(view="all"), ""),
        "closed": (Filter(view="closed"), ""),
        f"closed, page {FAR_PAGE}": (Filter(view="closed"), _key(queue, Filter(view="closed"), FAR_PAGE)),
        "closed, a rare finding": (Filter(view="closed", finding=RARE), ""),
        "closed, a rule": (Filter(view="closed", rule=RULE), ""),
    }
    acts: dict[str, Callable[[], Any]] = {name: partial(queue.page, *given) for name, given in wanted.items()}
    acts |= {"counts": queue.counts, "fingerprint": queue.fingerprint}
    own = [timed(name, act, plans_of(services.records.engine, act)) for name, act in acts.items()]
    pages = {name: ("/console/", {**given.as_query(), "after": after}) for name, (given, after) in wanted.items()}
    pages["live part, nothing new"] = ("/console/queue", {"seen": queue.fingerprint()})
    with asyncio.Runner() as runner:
        client = _client(app, settings, services)

        def get(path: str, query: dict[str, str]) -> None:
            response = runner.run(client.get(path, params=query))
            if response.status_code not in (200, 204):
                raise FailureError(f"{path} answered {response.status_code}")

        whole = [timed(name, partial(get, *page)) for name, page in pages.items()]
        runner.run(client.aclose())
    services.records.engine.dispose()
    return own, whole


def _key(queue: Queue, wanted: Filter, page: int) -> str:
    after = ""
    for _ in range(page - 1):
        after = queue.page(wanted, after).next
    return after


def _client(app: Any, settings: Settings, services: ConsoleServices) -> httpx.AsyncClient:
    """The browser of a nurse who is logged in."""
    nurse, _code = services.book.invite("Bench Nurse", "nurse")
    token = services.sessions.start(nurse)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=settings.public_origins[0], headers={"Cookie": f"{COOKIE}={token}"}
    )


def bench(url: str, number: int, library: Library) -> tuple[list[Figure], list[Figure]]:
    """The figures of one database, which is empty before."""
    engine = connect(url)
    migrate(engine)
    begun = time.monotonic()
    fill(engine, number)
    engine.dispose()
    say(f"  {number:,} cases written in {time.monotonic() - begun:.0f} s")
    settings = from_environment({"AFTERCARE_RECORDS": url}, demo=True, protocols=[protocol.key for protocol in library])
    return measure(replace(settings, limits=dict.fromkeys(settings.limits, _PLENTY)), library)


def _table(figures: Sequence[Figure]) -> str:
    lines = ["| | median | 95th percentile |", "| --- | ---: | ---: |"]
    return "\n".join([*lines, *(f"| {each.name} | {each.median:.1f} ms | {each.high:.1f} ms |" for each in figures)])


def _plans(figures: Sequence[Figure]) -> str:
    return "\n\n".join(f"{each.name}:\n\n" + "\n".join(f"```\n{plan}\n```" for plan in each.plans) for each in figures)


def written(found: dict[str, tuple[list[Figure], list[Figure]]], sizes: dict[str, int]) -> str:
    """The report."""
    parts = [
        "# How fast the nurses' queue is\n",
        f"Made by `{COMMAND}` on a machine with {_cores()} processor cores, Python {platform.python_version()}, SQLite "
        f"{_sqlite()}; {RUNS} runs of each. A year of cases, {IN_WORK:,} of them in work. The command fails when a page of the queue "
        f"takes {LIMIT_MS:.0f} ms or more at the median. A page is {PAGE} cases; later ones are found by key, not by counting.\n",
    ]
    for name, (own, whole) in found.items():
        parts += [f"## {name}, {sizes[name]:,} cases\n", "The whole page over HTTP: login, audit entry, queries, template.\n"]
        parts.append(_table(whole))
        parts += ["\nThe queries alone.\n", _table(own), ""]
    parts.append("## Query plans\n")
    for name, (own, _) in found.items():
        parts += [f"### Plans of {name}\n", _plans(own), ""]
    return "\n".join(parts).rstrip() + "\n"


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _sqlite() -> str:
    return ".".join(map(str, sqlalchemy.create_engine("sqlite://").dialect.dbapi.sqlite_version_info))  # type: ignore[union-attr]


def main() -> None:
    """Measure, print and write the report.

    Raises:
        FailureError: a page takes too long, or PostgreSQL cannot be started.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="this share of the cases, for a quick look; writes no report")
    scale = parser.parse_args().scale
    sizes = {name: int(size * scale) for name, size in SIZES.items()}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    library, found = load_library(), dict[str, tuple[list[Figure], list[Figure]]]()
    with tempfile.TemporaryDirectory() as folder:
        found["SQLite"] = bench(f"sqlite:///{Path(folder) / 'records.db'}", sizes["SQLite"], library)
    try:
        with postgresql.server() as address:
            postgresql.create_database(address, "bench")
            found["PostgreSQL"] = bench(address.format(database="bench"), sizes["PostgreSQL"], library)
    except RuntimeError as error:
        raise FailureError(str(error)) from None
    report = written(found, sizes)
    say(report)
    if scale == 1:
        REPORT.write_text(report, encoding="utf-8")
    slow = [f"{name}, {each.name}: {each.median:.0f} ms" for name, (_, whole) in found.items() for each in whole if each.median >= LIMIT_MS]
    if slow:
        raise FailureError("these pages of the queue are too slow:\n  " + "\n  ".join(slow))


if __name__ == "__main__":
    run_script(main)
