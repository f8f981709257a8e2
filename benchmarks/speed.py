"""Measures the whole system beside a plain Rasa project in one run, and writes docs/speed.md. `make bench`, on a quiet machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import actions, peer, stored
from benchmarks.load import FAQ, TRIAGE, GatewayClient, RasaClient, Run, at_once, grow
from benchmarks.rounds import CLIENTS, Bench, Target
from benchmarks.speed_page import page
from scripts.common import MODEL, RASA_PYTHON, ROOT, FailureError, rasa_environment, run_script, say
from scripts.stack import Ports, Stack

PAGE = ROOT / "docs" / "speed.md"
_MARKS = (10, 100, 300, 1000)
_PLAIN_MARKS = (10, 100, 300)
_PAIRS = 20
_STAGE_MESSAGES = 110
_PLENTY = "1000000 per minute"
_WORKERS = (1, 2, 4)
_NAMES = {1: "whole", 2: "whole, two workers", 4: "whole, four workers"}
_CONSOLE = Console(width=120)


@dataclass(frozen=True)
class Bar:
    """A ratio that was asked for.

    Attributes:
        at_least: the ratio has to reach it, else it must not exceed it.
    """

    name: str
    found: float
    wanted: float
    at_least: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.found >= self.wanted if self.at_least else self.found <= self.wanted


def _memory(pid: int) -> float:
    """Resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _p50(run: Run) -> float:
    return run.quantile(0.5)


def _p99(run: Run) -> float:
    return run.quantile(0.99)


def _rate(run: Run) -> float:
    return run.rate


def _stages(endpoints: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """CPU milliseconds of a triaged message inside our Rasa, by stage."""
    command: list[str | Path] = [RASA_PYTHON, "-m", "benchmarks.stages", MODEL, endpoints, TRIAGE, str(_STAGE_MESSAGES)]
    env = rasa_environment({**environment, "PYTHONPATH": str(ROOT)})
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailureError(f"The stages could not be measured: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _training_seconds() -> float:
    """How long our own training takes from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        command: list[str | Path] = [RASA_PYTHON, "-m", "rasa", "train", "--out", folder, "--force", "--quiet"]
        env = rasa_environment({"RASA_CACHE_DIRECTORY": f"{folder}/cache"})
        subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - started


def _stack(folder: Path, number: int, env: Mapping[str, str]) -> Stack:
    limits = folder / "limits.yml"
    kinds = {"start": ("address", "key"), "message": ("session", "address"), "read": ("session",), "refused": ("address",)}
    limits.write_text(yaml.safe_dump({what: dict.fromkeys(whom, _PLENTY) for what, whom in kinds.items()}))
    here = folder / str(number)
    here.mkdir()
    return Stack(Ports.free(), here / "conversations.db", here, {"AFTERCARE_LIMITS": str(limits), **env})


def main() -> None:
    """Measure and write.

    Raises:
        FailureError: a server could not be started, or a message stayed without an answer.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--no-training", action="store_true", help="leave out how long our own training takes")
    arguments = parser.parse_args()
    plain_training = peer.train()
    own_training = None if arguments.no_training else _training_seconds()
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        say("Starting the plain project, with the jsonschema that it gets and with ours")
        plain = running.enter_context(peer.running())
        pinned = running.enter_context(peer.running(pinned=True))
        say("Starting our own")
        one = running.enter_context(_stack(folder, 1, {}))
        workers, gateways = [one], {1: one}
        for number in range(2, max(_WORKERS) + 1):
            stack = _stack(folder, number, {})
            workers.append(stack)
            if number in _WORKERS:
                stack.env = {**stack.env, "AFTERCARE_RASA_URL": ",".join(each.url for each in workers)}
                gateways[number] = stack
            running.enter_context(stack)
        bench = Bench(
            Target("plain Rasa", RasaClient, plain.url, plain.pids),
            Target("plain Rasa, our jsonschema", RasaClient, pinned.url, pinned.pids, alone=True),
            Target("our Rasa", RasaClient, one.url, {"rasa": one.pids["rasa"]}),
            {n: Target(_NAMES[n], GatewayClient, stack.gateway, one.pids if n == 1 else {}) for n, stack in gateways.items()},
        )
        peer.check(plain, TRIAGE, FAQ)
        stages = _stages(ROOT / "endpoints.yml", one.environment())
        bench.measure()
        results = _results(bench, plain, one, stages, plain_training, own_training)
    say("Comparing the places where the action can run")
    results["actions"] = actions.measure()
    say("Storing a million conversations")
    with tempfile.TemporaryDirectory() as name:
        results["stored"] = {database: stored.measure(database, Path(name)) for database in ("SQLite", "PostgreSQL")}
    PAGE.write_text(page(results), encoding="utf-8")
    (PAGE.with_suffix(".json")).write_text(json.dumps(results, indent=1) + "\n")
    _show(results)
    if results["silent"]:
        raise FailureError(f"{results['silent']} messages stayed without an answer.")


def _results(
    bench: Bench, plain: peer.Peer, stack: Stack, stages: Mapping[str, float], plain_training: float, own_training: float | None
) -> dict[str, Any]:
    """Every figure of the page."""
    growth = {
        "plain Rasa": asyncio.run(grow(RasaClient, plain.url, TRIAGE, _PLAIN_MARKS)),
        "our Rasa": asyncio.run(grow(RasaClient, stack.url, TRIAGE, _MARKS)),
        "whole": asyncio.run(grow(GatewayClient, stack.gateway, TRIAGE, _MARKS)),
    }
    single, both, silent = asyncio.run(at_once(GatewayClient, stack.gateway, TRIAGE, _PAIRS))
    whole, plainly = bench.whole[1], bench.plain
    bars = [
        Bar("triage over its action message, median", bench.ratio(whole, plainly, "triage", 1, _p50), 0.35),
        Bar("triage over its action message, 99th percentile", bench.ratio(whole, plainly, "triage", 1, _p99), 0.35),
        Bar("FAQ answer over its utter message, median", bench.ratio(whole, plainly, "FAQ", 1, _p50), 0.35),
        *(Bar(f"throughput at {n} clients", bench.ratio(whole, plainly, "triage", n, _rate), 4, at_least=True) for n in CLIENTS),
        Bar("throughput with a second worker, 16 clients", bench.ratio(bench.whole[2], whole, "triage", 16, _rate), 1.8, at_least=True),
        Bar("message 1,000 over message 10", growth["whole"][1000] / growth["whole"][10], 1.5),
        Bar("two messages at once over one", both / single, 2),
        Bar("CPU of the language understanding", stages["NLU"], 25, unit=" ms"),
        Bar("time until ready over its own", stack.ready_seconds / plain.ready_seconds, 0.25),
    ]
    return {
        "machine": f"{os.cpu_count()} cores",
        "bars": [
            {"name": b.name, "found": b.found, "wanted": f"{'≥' if b.at_least else '≤'} {b.wanted:g}{b.unit}", "met": b.met, "unit": b.unit}
            for b in bars
        ],
        "latency": {
            f"{name}, {what}, {clients}": [round(1000 * statistics.median(run.quantile(q) for run in runs), 1) for q in (0.5, 0.95, 0.99)]
            + [round(statistics.median(run.rate for run in runs), 1), sum(run.silent for run in runs)]
            for (name, what, clients), runs in bench.runs.items()
        },
        "stages": stages,
        "cpu": {f"{name}, {process}": round(ms, 1) for (name, process), ms in bench.cpu.items()},
        "growth": {name: {str(mark): round(1000 * seconds, 1) for mark, seconds in marks.items()} for name, marks in growth.items()},
        "at_once": {"one": round(1000 * single, 1), "both": round(1000 * both, 1)},
        "ready": {"plain Rasa": round(plain.ready_seconds, 1), "our Rasa": round(stack.ready_seconds, 1)},
        "training": {
            "plain Rasa, 15 examples an intent": round(plain_training),
            "ours, all messages": own_training and round(own_training),
        },
        "memory": {
            **{f"plain Rasa, {name}": round(_memory(pid)) for name, pid in plain.pids.items()},
            **{f"ours, {name}": round(_memory(pid)) for name, pid in stack.pids.items()},
        },
        "pinned": {what: bench.ratio(whole, bench.pinned, what, 1, _p50) for what in ("triage", "FAQ")},
        "silent": bench.silent() + silent,
    }


def _show(results: Mapping[str, Any]) -> None:
    table = Table("bar", "found", "wanted", "met", title="Ratios over the plain project")
    for bar in results["bars"]:
        table.add_row(bar["name"], f"{bar['found']:.2f}{bar['unit']}", bar["wanted"], "yes" if bar["met"] else "NO")
    _CONSOLE.print(table)


if __name__ == "__main__":
    run_script(main)
