"""The figures as tables for a spreadsheet: one a subject, times in seconds, no patient's words."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from gateway.console.cases.checks import End
from gateway.console.export.csv_file import harmless
from gateway.console.insights.figures import Figures
from gateway.console.insights.load import SINGLED_OUT
from gateway.console.insights.speed import Speed
from gateway.records.tier import Tier

Cell = str | int | float | None
Rows = Iterable[Sequence[Cell]]
_BYTE_ORDER = "\ufeff"
_SPEED = ("acknowledged", "p50_seconds", "p90_seconds", "in_time", "late", "share_in_time", "waiting", "overdue", "closed_unacknowledged")
_TIERS = tuple(reversed(Tier))


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else round(time.total_seconds(), 1)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _speed(name: str, each: Speed) -> Sequence[Cell]:
    found = each.summary
    return (
        name, found.acknowledged, _seconds(found.median), _seconds(found.slowest_tenth), each.in_time, found.late,
        _share(each.in_time, each.decided), each.waiting, each.overdue, each.closed_unseen,
    )  # fmt: skip


def _volume(figures: Figures) -> Rows:
    return ((day.day.isoformat(), day.all, *(day.tiers.get(tier, 0) for tier in _TIERS)) for day in figures.volume)


def _signals(figures: Figures) -> Rows:
    return (tuple(vars(each).values()) for each in figures.signals)


def _by_tier(figures: Figures) -> Rows:
    return (_speed(Tier(tier).key, each) for tier, each in figures.speed.items())


def _by_shift(figures: Figures) -> Rows:
    return (_speed(shift, each) for shift, each in figures.shifts.items())


def _closings(figures: Figures) -> Rows:
    return (
        (Tier(tier).key, each.closed, _seconds(each.median), _seconds(each.slowest_tenth), each.still_open)
        for tier, each in figures.closings.tiers.items()
    )


def _outcomes(figures: Figures) -> Rows:
    return ((name, sum(tiers.values()), *(tiers.get(tier, 0) for tier in _TIERS)) for name, tiers in figures.closings.outcomes.items())


def _hours(figures: Figures) -> Rows:
    return ((each.hour, each.conversations, each.urgent, each.acts) for each in figures.load.hours)


def _acts(name: str, acts: Mapping[str, int]) -> Sequence[Cell]:
    return (name, sum(acts.values()), *(acts.get(kind, 0) for kind in SINGLED_OUT))


def _nurses(figures: Figures) -> Rows:
    load = figures.load
    return [*(_acts(each.name, each.acts) for each in load.nurses), _acts(f"all ({load.people})", load.team)]


def _callbacks(figures: Figures) -> Rows:
    kept = figures.callbacks
    yield kept.asked, kept.kept, kept.in_time, kept.late, kept.not_kept, kept.waiting, kept.overdue, _seconds(kept.median)


def _attempts(figures: Figures) -> Rows:
    return figures.attempts.items()


def _follow_ups(figures: Figures) -> Rows:
    return ((each.tier, each.asked, *each.answers.values(), each.unanswered) for each in figures.follow_ups)


def _checks(figures: Figures) -> Rows:
    return ((end, figures.checks.ends.get(end, 0)) for end in End)


def _rows(figures: Figures) -> Rows:
    return ((each.fact, each.shown, each.yes, each.not_sure) for each in figures.checks.rows)


def _silent(figures: Figures) -> Rows:
    return ((each.meaning, each.topic, " ".join(each.findings), each.count) for each in figures.answers.unanswered)


def _reviews(figures: Figures) -> Rows:
    a = figures.agreement
    yield a.reviewed, a.accepted, _share(a.accepted, a.reviewed), a.under_triaged, a.over_triaged, a.waiting


def _alarms(figures: Figures) -> Rows:
    return ((each.rule, each.fired, each.over_triaged, each.not_needed, each.false) for each in figures.alarms)


def _findings(figures: Figures) -> Rows:
    return figures.findings


_BY_TIER = tuple(tier.key for tier in _TIERS)
_TABLES: Mapping[str, tuple[Sequence[str], Callable[[Figures], Rows]]] = {
    "conversations": (("day", "all", *_BY_TIER), _volume),
    "signals": (("signal", "queue", "reason", "cases", "acknowledged", "not_needed", "over_triaged"), _signals),
    "acknowledgement": (("tier", *_SPEED), _by_tier),
    "shifts": (("shift", *_SPEED), _by_shift),
    "closing": (("tier", "closed", "p50_seconds", "p90_seconds", "still_open"), _closings),
    "outcomes": (("outcome", "all", *_BY_TIER), _outcomes),
    "hours": (("hour", "conversations", "urgent", "acts"), _hours),
    "nurses": (("nurse", "acts", *SINGLED_OUT), _nurses),
    "callbacks": (("asked", "kept", "in_time", "late", "not_kept", "waiting", "overdue", "p50_seconds"), _callbacks),
    "attempts": (("result", "attempts"), _attempts),
    "follow_up": (("tier", "asked", "reached", "nobody", "not_yet", "unanswered"), _follow_ups),
    "danger_check": (("end", "conversations"), _checks),
    "danger_check_rows": (("row", "shown", "yes", "not_sure"), _rows),
    "leaflet_silent": (("meaning", "topic", "findings", "answers"), _silent),
    "reviews": (("reviewed", "accepted", "share_accepted", "under_triaged", "over_triaged", "waiting"), _reviews),
    "alarms": (("rule", "cases", "too_urgent_accepted", "no_contact_needed", "false_alarms"), _alarms),
    "findings": (("finding", "conversations"), _findings),
}
NAMES = tuple(_TABLES)


def write_table(name: str, figures: Figures) -> bytes:
    """A table as a file, in the encoding that a spreadsheet knows by its first bytes.

    Args:
        name: one of NAMES.
        figures: what is written.

    Raises:
        KeyError: there is no such table.
    """
    columns, rows = _TABLES[name]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(tuple(harmless("" if cell is None else str(cell)) for cell in row) for row in rows(figures))
    return (_BYTE_ORDER + text.getvalue()).encode()
