"""Compares the two places where the custom action can run, Rasa's process and an action server; `make bench` reports it.

python -m benchmarks.actions prints the figures alone.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.load import FAQ, TRIAGE, RasaClient, drive
from scripts.common import FailureError, run_script, say
from scripts.stack import Ports, Stack

PLACES = ("in Rasa's process", "in an action server")
_TEXTS = {"triage": TRIAGE, "FAQ": FAQ}
_ROUNDS, _MESSAGES, _WARM = 12, 40, 40


def measure() -> dict[str, Any]:
    """Both set-ups, started together and asked in turn, by one client over Rasa's REST channel.

    Returns:
        By set-up, the median milliseconds of a turn by kind of message, processes and memory; and the ratios of the medians, as the median
        over the rounds.

    Raises:
        FailureError: a server could not be started, or a message stayed without an answer.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        stacks = {place: running.enter_context(_stack(Path(name), place)) for place in PLACES}
        for stack in stacks.values():
            for text in _TEXTS.values():
                _median(stack, text, _WARM)
        rounds = {what: [_in_turn(stacks, text, number) for number in range(_ROUNDS)] for what, text in _TEXTS.items()}
        here, there = PLACES
        return {
            "set-ups": {place: _milliseconds(place, rounds) | weight(stack) for place, stack in stacks.items()},
            "ratios": {what: round(statistics.median(each[here] / each[there] for each in found), 2) for what, found in rounds.items()},
        }


def _stack(folder: Path, place: str) -> Stack:
    """A set-up that is not started yet."""
    here = folder / str(PLACES.index(place))
    here.mkdir()
    return Stack(Ports.free(actions=place == PLACES[1]), here / "conversations.db", here)


def _in_turn(stacks: Mapping[str, Stack], text: str, number: int) -> dict[str, float]:
    """The median seconds of a turn of each set-up in one round; who begins changes from round to round."""
    order = PLACES if number % 2 else PLACES[::-1]
    return {place: _median(stacks[place], text, _MESSAGES) for place in order}


def _median(stack: Stack, text: str, messages: int) -> float:
    run = asyncio.run(drive(RasaClient, stack.url, text, 1, messages))
    if run.silent:
        raise FailureError(f"{run.silent} messages stayed without an answer.")
    return run.quantile(0.5)


def _milliseconds(place: str, rounds: Mapping[str, list[dict[str, float]]]) -> dict[str, float]:
    return {f"{what}, median ms": round(1000 * statistics.median(each[place] for each in found), 1) for what, found in rounds.items()}


def weight(stack: Stack) -> dict[str, int]:
    """How many processes Rasa and the action server are, their readers included, and their memory.

    The sum of resident memory counts pages that forked readers share once for each of them; the proportional sum counts them once.
    """
    pids = [pid for name, root in stack.pids.items() if name != "gateway" for pid in _family(root)]
    return {
        "processes": len(pids),
        "resident MiB": sum(_kilobytes(pid, "Rss") for pid in pids) // 1024,
        "proportional MiB": sum(_kilobytes(pid, "Pss") for pid in pids) // 1024,
    }


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
