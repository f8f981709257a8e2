"""Lets simulated patients chat with the running bot while its parts fail; writes docs/reliability.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.soak.faults import Faults, disk, environment
from benchmarks.soak.judge import Verdict, judge
from benchmarks.soak.patients import Ledger, Patient, lines, plan
from benchmarks.soak.report import Outcome, figures, written
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog, Head
from gateway.console.identity.staff import StaffBook
from gateway.records.database import connect
from gateway.records.store import Records, utc_now
from gateway.settings import Settings, from_environment
from scripts.common import GATEWAY_PYTHON, ROOT, FailureError, run_script, say
from scripts.stack import Ports, Stack

REPORT = ROOT / "docs" / "reliability.md"
FIGURES = REPORT.with_suffix(".json")
NUMBER = 10_000
AT_ONCE = 24
_FEWEST_FOR_A_REPORT = 1_000
_PATIENTS_A_FAULT = 400
_TELL_SECONDS = 10.0
_DRAIN_SECONDS = 60.0
_SHOWN = 20
_PLENTY = {
    "start": {"address": "1000000 per minute", "key": "1000000 per minute"},
    "message": {"session": "1000000 per minute", "address": "1000000 per minute"},
    "read": {"session": "1000000 per minute"},
    "refused": {"address": "1000000 per minute"},
}


class Office:
    """Makes accounts for the console while things fail, so that the audit has entries, and keeps the audit's ends.

    Args:
        engine: the records.
        settings: the gateway's.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._book = StaffBook(engine, settings.keyring, utc_now)
        self._audit_log = AuditLog(engine, settings.audit_key, utc_now)
        self._tried = 0
        self.heads: list[Head] = []

    def work(self) -> None:
        """Make an account; where the records do not take it, none."""
        self._tried += 1
        with suppress(SQLAlchemyError):
            person, _code = self._book.invite(f"Soak nurse {self._tried}", "nurse")
            self._audit_log.record(AuditAct.ACCOUNT_MADE, detail={"account": person.id, "role": "nurse", "by": "command"})
            self.heads.append(self._audit_log.head())


@dataclass
class Run:
    """Patients and faults, side by side.

    Args:
        number: how many patients.
        at_once: how many at the same time.
        prefix: begins the client ids.
    """

    number: int
    at_once: int
    seed: int
    faults: Faults
    office: Office
    ledger: Ledger = field(default_factory=Ledger)
    begun: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._deck = self.faults.deck(max(len(self.faults.kinds), self.number // _PATIENTS_A_FAULT))
        self._a_fault = self.number / len(self._deck)
        self._over_with = 0

    async def all(self, url: str) -> None:
        """Let everybody chat, and things fail meanwhile."""
        started = time.monotonic()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=4 * self.at_once)
        async with httpx.AsyncClient(base_url=url, limits=limits, trust_env=False) as client:
            over = asyncio.Event()
            side = [asyncio.create_task(self._fail(over)), asyncio.create_task(self._tell(started))]
            numbers = iter(range(self.number))
            try:
                async with asyncio.TaskGroup() as crowd:
                    for _ in range(self.at_once):
                        crowd.create_task(self._chat(client, numbers))
                self.seconds = time.monotonic() - started
                over.set()
                await side[0]
            finally:
                for task in side:
                    task.cancel()
                await asyncio.gather(*side, return_exceptions=True)

    async def _chat(self, client: httpx.AsyncClient, numbers: Iterator[int]) -> None:
        said = lines()
        for number in numbers:
            while self.begun > (self._over_with + 1.5) * self._a_fault:  # nobody begins so early that the next faults meet nobody
                await asyncio.sleep(0.1)
            self.begun += 1
            await Patient(client, plan(number, self.seed, said), f"soak-{self.seed}", self.ledger).live()

    async def _fail(self, over: asyncio.Event) -> None:
        """Inject the faults, spread over the run; the one that lasts when it is over ends before this does."""
        for turn, kind in enumerate(self._deck):
            while not over.is_set() and self.begun < (turn + 0.5) * self._a_fault:
                await asyncio.sleep(0.1)
            if over.is_set():
                return
            _, fault = await asyncio.gather(asyncio.to_thread(self.office.work), self.faults.inject(kind))
            self._over_with = turn + 1
            say(f"  {kind}, {fault.ended - fault.began:.1f} s")

    async def _tell(self, started: float) -> None:
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            done, passed = self.ledger.counts["conversations"], time.monotonic() - started
            say(
                f"{passed:5.0f} s: {done:,} of {self.number:,} conversations, {done / passed:.1f}/s, {len(self.ledger.sent):,} messages, "
                f"{len(self.ledger.refused):,} failed requests, {len(self.faults.log)} faults, {len(self.ledger.wrong)} violations"
            )


def drain(records: Records) -> None:
    """Wait until every message has its answer, or that is overdue."""
    end = time.monotonic() + _DRAIN_SECONDS
    while time.monotonic() < end and records.unanswered():
        time.sleep(0.5)


def verify_audit(stack: Stack, heads: list[Head], folder: Path) -> tuple[str, bool]:
    """What the gateway's command says of the audit, with the ends that were kept; whether it holds."""
    anchors = folder / "heads"
    anchors.write_text("\n".join(map(str, heads)))
    done = subprocess.run(
        [GATEWAY_PYTHON, "-m", "gateway", "verify-audit", "--anchors", anchors],
        cwd=ROOT, env=stack.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return " ".join((done.stdout + done.stderr).split()), done.returncode == 0


def soak(number: int, at_once: int, seed: int, folder: Path, report: Callable[[str], None], *, action_server: bool = False) -> Outcome:
    """One whole run; with an action server, which is killed too, or with the action in Rasa's process."""
    clock, limits = folder / "clock", folder / "limits.yml"
    clock.write_text("0")
    limits.write_text(yaml.safe_dump(_PLENTY))
    with disk(folder, 1_024 + number // 5, report) as where:
        env = {"AFTERCARE_LIMITS": str(limits), "AFTERCARE_RECORDS": f"sqlite:///{where.folder / 'records.db'}", **environment(clock)}
        with Stack(Ports.free(actions=action_server), where.folder / "conversations.db", folder / "logs", env, report) as stack:
            settings = from_environment(stack.environment(), demo=True)
            engine = connect(settings.records_url)
            records = Records(engine, settings.keyring)
            faults = Faults(stack, where, clock, random.Random(seed))
            run = Run(number, at_once, seed, faults, Office(engine, settings))
            try:
                asyncio.run(run.all(stack.gateway))
                report("Nobody writes any more; looking at the records.")
                drain(records)
            finally:
                engine.dispose()
        try:
            verdict: Verdict = judge(records, run.ledger.sent)
            said, holds = verify_audit(stack, run.office.heads, folder)
        finally:
            engine.dispose()
    wrong = [*run.ledger.wrong, *verdict.wrong, *([] if holds else [f"the audit does not hold: {said}"])]
    came = {fault.kind for fault in faults.log}
    skipped = sorted(set(faults.kinds) - came) + ([] if where.own else ["disk slow", "disk full"])
    return Outcome(
        number, at_once, seed, datetime.now(UTC), run.seconds, run.ledger, faults.log, skipped, verdict, len(run.office.heads), said, wrong,
        action_server,
    )  # fmt: skip


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one run."""
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _write(found: dict[str, Any]) -> None:
    REPORT.write_text(written(found), encoding="utf-8")
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run, judge, print and write the report.

    Raises:
        FailureError: something was lost, answered twice, answered with silence, or understated.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument(
        "number", type=int, nargs="?", default=NUMBER, help=f"patients; with {_FEWEST_FOR_A_REPORT:,} or more a report is written"
    )
    parser.add_argument("--seed", type=int, default=None, help="chooses patients and faults; by chance when not given, and printed")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"patients at the same time, {AT_ONCE} by default")
    parser.add_argument("--action-server", action="store_true", help="run the custom action in a server of its own, and kill it too")
    arguments = parser.parse_args()
    number = max(1, arguments.number)
    seed = arguments.seed if arguments.seed is not None else random.randrange(1_000_000)
    at_once = max(1, min(arguments.at_once, 64, 1 + number // 25))
    say(f"{number:,} patients, {at_once} at once, seed {seed}")
    with scratch() as folder:
        found = figures(soak(number, at_once, seed, folder, say, action_server=arguments.action_server))
    say(written(found))
    if number >= _FEWEST_FOR_A_REPORT:
        _write(found)
    if found["violations"]:
        raise FailureError(f"{len(found['violations'])} of what may never happen:\n  " + "\n  ".join(found["violations"][:_SHOWN]))


if __name__ == "__main__":
    run_script(main)
