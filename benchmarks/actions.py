"""Compares the two places where the custom action can run, Rasa's process and an action server; `make bench` reports it.

python -m benchmarks.actions prints the figures alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import FAQ, TRIAGE, RasaClient
from scripts.common import FailureError, run_script, say
from scripts.stack import Ports, Stack

HERE, THERE = "in Rasa's process", "in an action server"
_TEXTS = {"triage": TRIAGE, "FAQ": FAQ}
_TURNS, _WARM, _TALK = 400, 40, 10


@dataclass(frozen=True)
class Turns:
    """What turns of one set-up took.

    Attributes:
        median: the seconds of a turn.
        cpu: the seconds of processor time of a turn, in Rasa, action server and readers.
    """

    median: float
    cpu: float


def measure() -> dict[str, Any]:
    """Both set-ups, started together and asked turn by turn, by one client each over Rasa's REST channel.

    Returns:
        By set-up, by kind of message the median milliseconds of a turn and those of processor time that it takes, processes and memory; and
        the ratios of the medians.

    Raises:
        FailureError: a server could not be started, or a message stayed without an answer.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        stacks = {place: running.enter_context(_stack(Path(name), place)) for place in (HERE, THERE)}
        for text in _TEXTS.values():
            asyncio.run(_asked(stacks, text, _WARM))
        found = {what: asyncio.run(_asked(stacks, text, _TURNS)) for what, text in _TEXTS.items()}
        return {
            "set-ups": {place: _milliseconds(place, found) | _weight(stack) for place, stack in stacks.items()},
            "ratios": {what: round(turns[HERE].median / turns[THERE].median, 2) for what, turns in found.items()},
        }


def _stack(folder: Path, place: str) -> Stack:
    """A set-up that is not started yet."""
    here = folder / ("here" if place == HERE else "there")
    here.mkdir()
    return Stack(Ports.free(actions=place == THERE), here / "conversations.db", here)


async def _asked(stacks: Mapping[str, Stack], text: str, turns: int) -> dict[str, Turns]:
    """Ask each set-up so many times, one after the other; who begins changes from turn to turn."""
    clients = {place: RasaClient(stack.url) for place, stack in stacks.items()}
    seconds: dict[str, list[float]] = {place: [] for place in stacks}
    before = {place: _cpu_seconds(stack) for place, stack in stacks.items()}
    for number in range(turns):
        for place in (HERE, THERE) if number % 2 else (THERE, HERE):
            seconds[place].append(await _turn(clients[place], text, begin=number % _TALK == 0))
    for client in clients.values():
        await client.leave()
    return {
        place: Turns(statistics.median(seconds[place]), (_cpu_seconds(stack) - before[place]) / turns) for place, stack in stacks.items()
    }


async def _turn(client: RasaClient, text: str, *, begin: bool) -> float:
    """The seconds until a message is answered, in a new conversation or in the one before."""
    if begin:
        await client.begin()
    started = time.perf_counter()
    answer = await client.send(text)
    if not answer.strip():
        raise FailureError("A message stayed without an answer.")
    return time.perf_counter() - started


def _milliseconds(place: str, found: Mapping[str, Mapping[str, Turns]]) -> dict[str, float]:
    said = {}
    for what, turns in found.items():
        said[f"{what}, median ms"] = round(1000 * turns[place].median, 1)
        said[f"{what}, CPU ms"] = round(1000 * turns[place].cpu, 1)
    return said


def _weight(stack: Stack) -> dict[str, int]:
    """How many processes Rasa and the action server are, their readers included, and their memory.

    The sum of resident memory counts pages that forked readers share once for each of them; the proportional sum counts them once.
    """
    pids = _processes(stack)
    return {
        "processes": len(pids),
        "resident MiB": sum(_kilobytes(pid, "Rss") for pid in pids) // 1024,
        "proportional MiB": sum(_kilobytes(pid, "Pss") for pid in pids) // 1024,
    }


def _processes(stack: Stack) -> list[int]:
    return [pid for name, root in stack.pids.items() if name != "gateway" for pid in _family(root)]


def _cpu_seconds(stack: Stack) -> float:
    """The processor time so far of all processes but the gateway."""
    figures = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in _processes(stack)]
    return sum(int(each[11]) + int(each[12]) for each in figures) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _kilobytes(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{kind}:")).split()[1])


def main() -> None:
    """Measure and print."""
    say(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    run_script(main)
