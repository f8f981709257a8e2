"""The danger check's rows on their way to the patient's browser and back, and what became of each of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from aftercare.conversation import Conversation
from aftercare.decision.danger_check import NAME
from aftercare.protocol.model import DangerCheck, Disposition
from gateway.records.signals import Standing

_ID_BYTES = 12
STATES = {"yes": "yes", "no": "no", "unsure": "not_sure"}


class RowState(StrEnum):
    """What became of a row: it waits, it was answered, or it was passed over."""

    ASKED = "asked"
    YES = "yes"
    NO = "no"
    NOT_SURE = "not_sure"
    LEFT = "left"


def issued(rows: Iterable[Mapping[str, str]], check: DangerCheck) -> list[dict[str, str]]:
    """Rows as they are kept with their answer, each with an id that is good for this turn alone.

    The last two characters of an id are the row's number in the protocol, so that a Yes is known where the records cannot be read.
    """
    numbers = {row.fact: number for number, row in enumerate(check.rows)}
    return [{**row, "id": f"{secrets.token_urlsafe(_ID_BYTES)}{numbers[row['fact']]:02d}"} for row in rows if row["fact"] in numbers]


def facts_of(answers: Mapping[str, str], check: DangerCheck) -> dict[str, str]:
    """Answers by the rows' facts instead of their ids; what is no id of a row is left out."""
    found = {}
    for identity, answer in answers.items():
        number = identity[-2:]
        if number.isascii() and number.isdigit() and int(number) < len(check.rows):
            found[check.rows[int(number)].fact] = answer
    return found


def answered(answers: Mapping[str, str], asked: Sequence[Mapping[str, str]]) -> list[dict[str, str]] | None:
    """The rows that were answered, in the order in which they were asked; None when one of the ids was not issued for them."""
    if not answers.keys() <= {row["id"] for row in asked}:
        return None
    return [{"fact": row["fact"], "text": row["text"], "answer": answers[row["id"]]} for row in asked if row["id"] in answers]


def is_danger(answers: Mapping[str, str], check: DangerCheck) -> bool:
    """Whether one of these answers is an emergency by itself."""
    return any(answer != "no" and check.row(fact).tier is Disposition.EMERGENCY for fact, answer in answers.items())


def split(answers: Mapping[str, str], check: DangerCheck) -> tuple[dict[str, str], bool]:
    """The answers to rows of a check, and whether one to another row could be dangerous.

    There are others where the conversation's protocol was taken out of force after they were asked.
    """
    known = {row.fact for row in check.rows}
    lost = any(answer != "no" for fact, answer in answers.items() if fact not in known)
    return {fact: answer for fact, answer in answers.items() if fact in known}, lost


def expected(answers: Mapping[str, str], check: DangerCheck) -> set[str]:
    """The findings that these answers make present."""
    return {check.row(fact).yes for fact, answer in answers.items() if answer != "no"}


def states(check: DangerCheck, before: Conversation, after: Conversation, *, left: bool) -> dict[str, RowState]:
    """What became of the rows that were asked so far, row -> state.

    Args:
        check: all rows.
        before: the conversation before the turn.
        after: the conversation after it.
        left: the rows that wait were left.
    """
    found: dict[str, RowState] = {}
    for row in check.rows:
        if row.fact in after.checks:
            found[row.fact] = RowState.LEFT if left else RowState.ASKED
        elif row.fact in after.rows:
            found[row.fact] = RowState(STATES[after.rows[row.fact]])
        elif row.fact in before.checks:
            otherwise = RowState.YES if row.yes in after.has("present") else RowState.LEFT
            found[row.fact] = RowState.NO if row.fact in after.settled else otherwise
    return found


def standing(custom: Mapping[str, Any], after: Conversation) -> Standing:
    """Where the check stands behind a reply with this payload."""
    if custom.get("unfinished"):
        return Standing.UNFINISHED
    if custom.get("about") != NAME:
        return Standing.NONE
    if after.pending == NAME:
        return Standing.BEFORE
    return Standing.BEHIND if after.disposition == Disposition.CALL_DOCTOR.wire else Standing.NONE
