"""The report's pictures, as SVG: confusion, emergency sensitivity beside published figures, errors by tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot as plt

from evaluation.figures import GROUPS
from evaluation.rates import Rate

matplotlib.use("svg")
plt.rcParams.update({"svg.hashsalt": "aftercare", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
_METADATA = {"Date": None, "Creator": "aftercare"}
_OURS, _OTHERS, _UNDER, _OVER = "#0b5fa5", "#8a8f98", "#b3261e", "#d98a00"


def confusion(table: Mapping[str, Mapping[str, int]], path: Path) -> None:
    """How many messages of each first accepted outcome got which outcome."""
    rows = [[table[group].get(column, 0) for column in GROUPS] for group in GROUPS]
    figure, axes = plt.subplots(figsize=(6.4, 5.2))
    shares = [[count / max(1, sum(row)) for count in row] for row in rows]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for y, row in enumerate(rows):
        for x, count in enumerate(row):
            if count:
                axes.text(x, y, str(count), ha="center", va="center", color="white" if shares[y][x] > 0.5 else "black")
    axes.set_xticks(range(len(GROUPS)), GROUPS, rotation=40, ha="right")
    axes.set_yticks(range(len(GROUPS)), GROUPS)
    axes.set(xlabel="answered", ylabel="first accepted outcome")
    _save(figure, path)


def sensitivity(ours: Mapping[str, Sequence[int]], published: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Emergency sensitivity with 95% intervals: the systems of this run, and published figures on their own cases."""
    bars = [(name, Rate(*found), _OURS if name == "Aftercare" else _OTHERS, "s") for name, found in ours.items()]
    bars += [(each["name"], Rate(each["hits"], each["total"]), _OTHERS, "o") for each in published]
    figure, axes = plt.subplots(figsize=(7.2, 0.36 * len(bars) + 0.9))
    for place, (_, found, colour, mark) in enumerate(reversed(bars)):
        low, high = found.interval
        axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=2)
        axes.plot(100 * found.share, place, marker=mark, color=colour, markersize=7)
    axes.set_yticks(range(len(bars)), [f"{name} ({found.hits}/{found.total})" for name, found, _, _ in reversed(bars)])
    axes.set(
        xlim=(0, 101),
        xlabel="emergencies answered as emergencies, %, with 95% interval\n(squares: this run; circles: published, other cases)",
    )
    axes.grid(axis="x", linewidth=0.3)
    _save(figure, path)


def errors_by_tag(tags: Mapping[str, Mapping[str, Sequence[int]]], path: Path) -> None:
    """Share of each tag's messages that were not right, with under- and over-triage marked."""
    rows = sorted(
        ((tag, Rate(*row["right"]), Rate(*row["under"]), Rate(*row["over"])) for tag, row in tags.items()), key=lambda r: r[1].share
    )
    figure, axes = plt.subplots(figsize=(7.2, 0.3 * len(rows) + 0.9))
    for place, (_, right, under, over) in enumerate(reversed(rows)):
        rest = 100 * (1 - right.share - under.share - over.share)
        axes.barh(place, 100 * under.share, color=_UNDER, hatch="//", label="too low" if place == 0 else None)
        axes.barh(place, 100 * over.share, left=100 * under.share, color=_OVER, hatch="..", label="too high" if place == 0 else None)
        left = 100 * (under.share + over.share)
        axes.barh(
            place, max(0.0, rest), left=left, color=_OTHERS, label="another answer of that urgency, or a question" if place == 0 else None
        )
    axes.set_yticks(range(len(rows)), [f"{tag} ({right.total})" for tag, right, _, _ in reversed(rows)])
    axes.set(xlabel="messages not answered as accepted, %")
    axes.legend(frameon=False, loc="lower right")
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata=_METADATA, bbox_inches="tight")
    plt.close(figure)
