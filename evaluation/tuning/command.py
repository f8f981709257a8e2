"""Chooses the probabilities of thresholds.yml by the validation part, and writes them there with the figures that chose them.

    python -m evaluation tune              choose and write
    python -m evaluation tune --dry-run    show what would be chosen, and write nothing
    python -m evaluation tune --keep       choose nothing: measure the values that stand there, and write their figures

Needs the trained model and starts no bot. evaluation/tuning/sweep.py says what is better, evaluation/tuning/trials.py what is counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console
from rich.table import Table

from aftercare.protocol import folders_in_force, load_protocol
from aftercare.protocol.files import read
from evaluation import nlu
from evaluation.tuning import record
from evaluation.tuning.offline import Limits, Offline
from evaluation.tuning.record import Entry
from evaluation.tuning.sweep import Change, Figures, Sweep
from evaluation.tuning.trials import texts, trials
from scripts.common import MODEL, FailureError, digest, read_stamp
from scripts.train import ingredients, stamp_of

_PART = "validation"
_CONSOLE = Console()
_HASH_DIGITS = 12
_COUNTS = ("lost", "asked", "doctor_lost", "over", "needless", "wrong")


def main(arguments: Sequence[str]) -> None:
    """Tune.

    Raises:
        FailureError: there is no trained model, it is out of date, or it could not read the messages.
    """
    parser = argparse.ArgumentParser(
        prog="python -m evaluation tune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--keep", action="store_true", help="keep the values, write their figures")
    options = parser.parse_args(arguments)
    model = _fingerprint()
    protocol = load_protocol()
    limits = Limits(protocol.thresholds)
    sweep = Sweep(Offline(protocol, nlu.read(MODEL, texts(_PART, protocol)), limits), trials(_PART))
    by_file = _by_file()
    names = [name for name in protocol.thresholds if any(name in held for held in by_file.values())]
    before = {name: float(limits[name]) for name in names}
    _CONSOLE.print(_of_total("before", sweep.total))
    changes = [] if options.keep else sweep.run(names)
    entries = entries_of(sweep, limits, names, origin="measured" if options.keep else "tune", model=model)
    show(before, entries, changes, {} if options.keep else {name: sweep.around(name) for name in names})
    _CONSOLE.print(_of_total("after", sweep.total))
    if options.dry_run:
        return
    for file, held in by_file.items():
        record.write(file, {name: entries[name] for name in held})
        _CONSOLE.print(f"Written: {file}")


def entries_of(sweep: Sweep, limits: Limits, names: Sequence[str], *, origin: str, model: str) -> dict[str, Entry]:
    """The probabilities as they stand, with what is to be recorded of each."""
    day = datetime.now(timezone.utc).date().isoformat()
    return {name: Entry(float(limits[name]), origin, sweep.figures(name), day, model) for name in names}


def show(
    before: Mapping[str, float], entries: Mapping[str, Entry], changes: Sequence[Change], around: Mapping[str, Mapping[float, Figures]]
) -> None:
    """Print each probability with the figures of the conversations in which it is consulted, and what each change gains."""
    table = Table("", "was", "is", "as good", "n", *_COUNTS, title="Probabilities, and the conversations in which they are consulted")
    for name, entry in entries.items():
        counts = entry.figures.as_counts()
        flat = _flat(entry.value, around[name]) if name in around else ""
        row = [name, f"{before[name]:.2f}", f"{entry.value:.2f}", flat, *(str(counts[key]) for key in ("n", *_COUNTS))]
        table.add_row(*row, style="bold" if entry.value != before[name] else "")
    _CONSOLE.print(table)
    for change in changes:
        gained = ", ".join(f"{key} {was} to {now}" for key, (was, now) in _differences(change).items())
        _CONSOLE.print(f"{change.name} from {change.old:.2f} to {change.new:.2f}: {gained}")


def _fingerprint() -> str:
    """The beginning of the hash of what the trained model is made of."""
    made_of = digest(ingredients(folders_in_force()))
    if not MODEL.is_file() or read_stamp(stamp_of(MODEL)) != made_of:
        raise FailureError("The trained model is missing or out of date. Train it with: make train")
    return made_of[:_HASH_DIGITS]


def _by_file() -> dict[Path, list[str]]:
    """The files with thresholds, each with the probabilities that hold from it."""
    found: dict[Path, list[str]] = {}
    for file in record.files(folders_in_force()[0]):
        taken = {name for names in found.values() for name in names}
        found[file] = [name for name in record.probabilities(read(file)) if name not in taken]
    return found


def _flat(value: float, around: Mapping[float, Figures]) -> str:
    """From where to where, of the values that were tried, nothing changes in what counts."""
    values = list(around)
    low = high = values.index(value)
    while low and around[values[low - 1]].order == around[value].order:
        low -= 1
    while high + 1 < len(values) and around[values[high + 1]].order == around[value].order:
        high += 1
    return f"{values[low]:.2f} to {values[high]:.2f}"


def _differences(change: Change) -> dict[str, tuple[int, int]]:
    before, after = change.before.as_counts(), change.after.as_counts()
    return {key: (before[key], after[key]) for key in _COUNTS if before[key] != after[key]}


def _of_total(when: str, figures: Figures) -> str:
    return f"All conversations, {when}: " + ", ".join(f"{key} {count}" for key, count in figures.as_counts().items())
