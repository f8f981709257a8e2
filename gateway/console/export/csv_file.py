"""Cases as a table for a spreadsheet: a row a message or answer; each row ends with who made the file, when and why."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from gateway.console.export.content import CheckStep, Content, Stamp, about

MEDIA_TYPE = "text/csv; charset=utf-8"
_BYTE_ORDER = "\ufeff"
_SIGNS = "=+@＝＋－＠-"
_FORMULA = re.compile(rf'[\s"]*[{_SIGNS}]|[ \u00a0"]*[\t\r\n]')
# Blanks, quotes and what cells may be split at, before a sign; each such run is read once, however long.
_BEFORE = re.compile(rf'(?<![;"\s])[;"\s]++(?=[{_SIGNS}])')
_SPLIT = re.compile(r"[;\t\r\n]")
_OWN = (
    "case", "conversation", "message", "at", "minutes_since_opening", "who", "words", "disposition", "rules", "delivered", "tier", "state",
    "findings", "danger_check", "danger_check_rows", "days_since_procedure", "writer", "acknowledged_at", "acknowledged_by", "outcome",
    "protocol", "language", "findings_because",
)  # fmt: skip
COLUMNS = (*_OWN, "exported_by", "exported_at", "time_zone", "profile", "reason", "audit_head")


def rows(contents: Iterable[Content], stamp: Stamp) -> list[tuple[str, ...]]:
    """The rows below the heading, each cell as it goes out."""
    end = tuple(about(stamp).values())
    return [
        tuple(
            harmless("" if cell is None else str(cell))
            for cell in (
                content.name, content.conversation, line.seq, line.at, line.minutes, line.who,
                "[purged]" if line.words is None else line.words,
                line.disposition, " ".join(line.rules), "yes" if line.delivered else "no", content.tier_name, content.state,
                "; ".join(f"{code} {status}" for code, _, status, _ in content.findings),
                content.check_standing, "; ".join(map(_step, content.check)), content.days_since_procedure, content.writer,
                content.acknowledged_at, content.acknowledged_by, content.outcome, content.protocol, content.language,
                "; ".join(f"{code} {because}" for code, _, _, because in content.findings if because), *end,
            )
        )
        for content in contents
        for line in content.lines
    ]  # fmt: skip


def _step(step: CheckStep) -> str:
    """A step as `<row> no by tap at 2030-05-10T08:00:00-04:00`, or `after 2 min` where no moment goes out."""
    how = f" by {step.how}" if step.how else ""
    when = f" after {step.minutes} min" if step.minutes is not None else f" at {step.at}"
    return f"{step.fact} {step.state}{how}{when}"


def write(contents: Iterable[Content], stamp: Stamp) -> bytes:
    """The file, in the encoding that a spreadsheet knows by its first bytes."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(rows(contents, stamp))
    return (_BYTE_ORDER + text.getvalue()).encode()


def harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula, also where it splits cells at semicolons, tabs or new lines, quoted or not."""
    cell = _BEFORE.sub(lambda run: f"{run[0]}'" if _SPLIT.search(run[0]) else run[0], cell)
    return f"'{cell}" if _FORMULA.match(cell) else cell
