"""Loads several systems in turn, round after round, and keeps what each round found."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import FAQ, TRIAGE, Client, Run, drive
from scripts.common import say

CLIENTS = {1: 80, 4: 120, 16: 192, 64: 256}
_ROUNDS = 3
_WARM = 20
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    """What is measured.

    Attributes:
        kind: how its clients speak.
        pids: the processes that do the work.
        alone: it is asked by one client only.
    """

    name: str
    kind: type[Client]
    url: str
    pids: Mapping[str, int]
    alone: bool = False


class Bench:
    """The measurements of one run.

    Args:
        plain: the plain project.
        pinned: the same with our jsonschema.
        alone: our Rasa alone.
        whole: the gateway over one, two and four workers, by their number.
    """

    def __init__(self, plain: Target, pinned: Target, alone: Target, whole: Mapping[int, Target]) -> None:
        self.plain, self.pinned, self.whole = plain, pinned, whole
        self.ours = (alone, *whole.values())
        self.runs: dict[tuple[str, str, int], list[Run]] = {}
        self.cpu: dict[tuple[str, str], float] = {}

    def measure(self) -> None:
        """Warm up, then let every target take its turn in each round."""
        targets = (self.plain, self.pinned, *self.ours)
        for target in targets:
            for text in (TRIAGE, FAQ):
                asyncio.run(drive(target.kind, target.url, text, 2, _WARM))
        for clients, messages in CLIENTS.items():
            for number in range(_ROUNDS):
                say(f"  {clients} clients, round {number + 1} of {_ROUNDS}")
                for target in targets:
                    if clients == 1 or not target.alone:
                        self._run(target, "triage", TRIAGE, clients, messages)
                    if clients == 1:
                        self._run(target, "FAQ", FAQ, clients, messages)

    def _run(self, target: Target, what: str, text: str, clients: int, messages: int) -> None:
        before = {name: _cpu(pid) for name, pid in target.pids.items()}
        run = asyncio.run(drive(target.kind, target.url, text, clients, messages))
        self.runs.setdefault((target.name, what, clients), []).append(run)
        if clients == 1 and what == "triage":
            for name, pid in target.pids.items():
                self.cpu[target.name, name] = 1000 * (_cpu(pid) - before[name]) / messages

    def ratio(self, target: Target, over: Target, what: str, clients: int, figure: Callable[[Run], float]) -> float:
        """The median over the rounds of a target's figure over another's in the same round."""
        pairs = zip(self.runs[target.name, what, clients], self.runs[over.name, what, clients], strict=True)
        return statistics.median(figure(one) / figure(other) for one, other in pairs)

    def median(self, target: Target, what: str, clients: int, figure: Callable[[Run], float]) -> float:
        """The median over the rounds of a figure."""
        return statistics.median(map(figure, self.runs[target.name, what, clients]))

    def silent(self) -> int:
        """Messages of ours that stayed without an answer."""
        ours = {target.name for target in self.ours}
        return sum(run.silent for (name, _, _), runs in self.runs.items() if name in ours for run in runs)


def _cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / _TICK
