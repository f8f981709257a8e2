"""Probabilities in thresholds.yml: which there are, whether one was edited by hand, and how one is written with its figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aftercare.protocol.compose import CLINICAL
from aftercare.protocol.files import read
from evaluation.tuning.sweep import Figures

FILE = "thresholds.yml"
REMEDY = "run `python -m evaluation tune`, or with --keep to measure the value as it is"


class Entry(NamedTuple):
    """A probability and where it is from: `tune` chose it, or it was only `measured`; with its figures, their day and the model's hash."""

    value: float
    origin: str
    figures: Figures
    day: str
    model: str


def files(folder: Path, shared: Path = CLINICAL) -> list[Path]:
    """The files that hold a protocol's thresholds, the protocol's own first."""
    return [path / FILE for path in (folder, shared) if (path / FILE).is_file()]


def probabilities(content: Mapping[str, Any]) -> list[str]:
    """The names of a file's probabilities; other thresholds have no figures."""
    return [name for name, entry in content.items() if "figures" in entry]


def edited_by_hand(file: Path) -> list[str]:
    """A line for each probability whose figures belong to another value."""
    content = read(file)
    return [
        f"{content.places[name]}: {name} is {content[name]['value']}, but was measured as {content[name]['figures']['value']}; {REMEDY}"
        for name in probabilities(content)
        if content[name]["value"] != content[name]["figures"]["value"]
    ]


def write(file: Path, entries: Mapping[str, Entry]) -> None:
    """Put probabilities into the file that holds them; all else in it stays as it is.

    Raises:
        ValueError: the file does not hold one of them once, as an entry of its own lines.
    """
    text = file.read_text(encoding="utf-8")
    for name, entry in entries.items():
        text, count = re.subn(rf"^{re.escape(name)}:\n(?:  .*\n)+", _lines(name, entry), text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{file.name} holds {count} entries {name}; write one, its name on a line of its own")
    file.write_text(text, encoding="utf-8")


def _lines(name: str, entry: Entry) -> str:
    counts = ", ".join(f"{key}: {count}" for key, count in entry.figures.as_counts().items())
    figures = f'value: {entry.value:.2f}, {counts}, date: {entry.day}, model: "{entry.model}"'
    return f"{name}:\n  value: {entry.value:.2f}\n  from: {entry.origin}\n  figures: {{{figures}}}\n"
