"""Cases as a table for a spreadsheet, a row a message or a row a case; each row ends with who made the file, when and why."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.console.cases.statuses import COUNTED
from gateway.console.export.content import DENIED, CheckStep, Content, Stamp, When, about
from gateway.records.cases import ASSUMED, PRESENT

MEDIA_TYPE = "text/csv; charset=utf-8"
PURGED = "[purged]"
_BYTE_ORDER = "\ufeff"
_SIGNS = "=+@＝＋－＠-"
_FORMULA = re.compile(rf'[\s"]*[{_SIGNS}]|[ \u00a0"]*[\t\r\n]')
# Blanks, quotes and what cells may be split at, before a sign; each such run is read once, however long.
_BEFORE = re.compile(rf'(?<![;"\s])[;"\s]++(?=[{_SIGNS}])')
_SPLIT = re.compile(r"[;\t\r\n]")
_ENDS = ("exported_by", "exported_at", "time_zone", "profile", "reason", "audit_head")
_OWN_COLUMNS = (PRESENT, DENIED, ASSUMED)
_Cells = Iterator[tuple[object, ...]]


@dataclass(frozen=True)
class Table:
    """A kind of table.

    Attributes:
        own: its columns before those that tell of the export.
        cells: the cells of a case in these columns, row by row.
    """

    own: tuple[str, ...]
    cells: Callable[[Content], _Cells]

    @property
    def columns(self) -> tuple[str, ...]:
        """The heading."""
        return (*self.own, *_ENDS)

    def rows(self, contents: Iterable[Content], stamp: Stamp) -> list[tuple[str, ...]]:
        """The rows below the heading, each cell as it goes out."""
        end = tuple(about(stamp).values())
        return [
            tuple(harmless("" if cell is None else str(cell)) for cell in (*cells, *end))
            for content in contents
            for cells in self.cells(content)
        ]

    def write(self, contents: Iterable[Content], stamp: Stamp) -> bytes:
        """The file, in the encoding that a spreadsheet knows by its first bytes."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(self.columns)
        writer.writerows(self.rows(contents, stamp))
        return (_BYTE_ORDER + text.getvalue()).encode()


def _messages(content: Content) -> _Cells:
    for line in content.lines:
        yield (
            content.name, content.conversation, line.seq, line.when.at, line.when.minutes, line.who,
            PURGED if line.words is None else line.words,
            line.disposition, " ".join(line.rules), "yes" if line.delivered else "no", content.tier_name, content.state,
            "; ".join(_codes(content)), content.check_standing, "; ".join(map(_step, content.check)), content.days_since_procedure,
            content.writer, _at(content.acknowledged), content.acknowledged_by, content.outcome, content.protocol, content.language,
            "; ".join(f"{each.code} {each.because}" for each in content.findings if each.because),
        )  # fmt: skip


def _case(content: Content) -> _Cells:
    def listed(status: str) -> str:
        return "; ".join(each.id for each in content.findings if each.status == status)

    others = (each for each in content.findings if each.status not in _OWN_COLUMNS)
    findings = (*map(listed, _OWN_COLUMNS), "; ".join(f"{each.id} {each.status_words}" for each in others))
    states = {step.fact: step.state for step in content.check}
    yield (
        content.name, content.conversation, content.opened.at, content.tier_name, content.state, _at(content.acknowledged),
        content.acknowledged_by, _at(content.closed), content.outcome, content.minutes_to_acknowledge, content.minutes_to_close,
        " ".join(content.rules), *([PURGED] * len(findings) if content.purged else findings), content.check_standing,
        "; ".join(f"{fact} {state}" for fact, state in states.items()), content.days_since_procedure, content.writer, content.protocol,
        content.language,
    )  # fmt: skip


MESSAGES = Table(
    (
        "case", "conversation", "message", "at", "minutes_since_opening", "who", "words", "disposition", "rules", "delivered", "tier",
        "state", "findings", "danger_check", "danger_check_rows", "days_since_procedure", "writer", "acknowledged_at", "acknowledged_by",
        "outcome", "protocol", "language", "findings_because",
    ),
    _messages,
)  # fmt: skip
CASES = Table(
    (
        "case", "conversation", "opened_at", "tier", "state", "acknowledged_at", "acknowledged_by", "closed_at", "outcome",
        "minutes_to_acknowledge", "minutes_to_close", "rules", "findings_present", "findings_denied", "findings_assumed",
        "findings_other", "danger_check", "danger_check_rows", "days_since_procedure", "writer", "protocol", "language",
    ),
    _case,
)  # fmt: skip


def _codes(content: Content) -> list[str]:
    """Code and status of each finding. A code that counts as present is not denied as well, and a qualifier denies no code."""
    counted = {each.code for each in content.findings if each.status in COUNTED}
    told = [each for each in content.findings if each.status != DENIED or not (each.qualifier or each.code in counted)]
    return list(dict.fromkeys(f"{each.code} {each.status_words}" for each in told))


def _at(when: When | None) -> str:
    return when.at if when else ""


def _step(step: CheckStep) -> str:
    """A step as `<row> no by tap at 2030-05-10T08:00:00-04:00`, or `after 2 min` where no moment goes out."""
    how = f" by {step.how}" if step.how else ""
    when = f" after {step.when.minutes} min" if step.when.minutes is not None else f" at {step.when.at}"
    return f"{step.fact} {step.state}{how}{when}"


def harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula, also where it splits cells at semicolons, tabs or new lines, quoted or not."""
    cell = _BEFORE.sub(lambda run: f"{run[0]}'" if _SPLIT.search(run[0]) else run[0], cell)
    return f"'{cell}" if _FORMULA.match(cell) else cell
