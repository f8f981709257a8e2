"""How the findings of a case stand in the end, so that no file says both that one is there and that it was denied."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import groupby

from gateway.console.cases.case_view import CaseView
from gateway.console.cases.explained import Known
from gateway.console.cases.statuses import COUNTED, NOT_SURE
from gateway.console.export.content import DENIED, Finding, When
from gateway.records.cases import PRESENT


def findings_of(view: CaseView, when: Callable[[datetime], When]) -> tuple[Finding, ...]:
    """The findings of a case.

    Left out is what counts as absent and was not denied, such as what follows from the day of the procedure; and the denial of the finding
    that a code is named after, where another finding of that code counts as present: what is present wins.

    Args:
        view: the case.
        when: cuts a moment to the profile.
    """
    answered = _answers(view)
    found = [_finding(view, known, answered, when) for known in view.findings if known.status != DENIED or known.evidence]
    counted = {each.code for each in found if each.status in COUNTED}
    return tuple(each for each in found if each.status != DENIED or each.id != each.code or each.code not in counted)


def _finding(view: CaseView, known: Known, answered: set[tuple[str, int]], when: Callable[[datetime], When]) -> Finding:
    steps = [list(same)[-1] for _, same in groupby(known.course, key=lambda step: step.status)]
    last = steps[-1] if steps else None
    unsure = last is not None and last.status == NOT_SURE and known.status == PRESENT
    return Finding(
        id=known.finding,
        code=known.code,
        label=known.label,
        qualifier=view.protocol.findings[known.finding].qualifier,
        status=NOT_SURE if unsure else known.status,
        because=known.because,
        since=when(last.at) if last else None,
        seq=last.seq if last else None,
        from_check=last is not None and (known.finding, last.seq) in answered,
        earlier=tuple((step.status, when(step.at)) for step in steps[:-1]),
    )


def _answers(view: CaseView) -> set[tuple[str, int]]:
    """Each finding that a row of the danger check is about, with the messages that answered the row."""
    about = {row.fact: row.findings for row in view.protocol.danger_check.rows}
    return {
        (finding, step.seq) for row in view.check for step in row.course if step.how for finding in about.get(row.fact, frozenset[str]())
    }
