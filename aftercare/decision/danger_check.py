"""The danger check: which of its rows are open, and what the patient's words and taps say of them.

Nothing is reassured unasked: the rows are those whose findings could still raise the disposition and that nobody has settled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aftercare.conversation import Conversation
from aftercare.protocol.model import DangerCheck, Disposition, Row
from aftercare.understanding.reading import Reading

NAME = "danger_check"
ANSWERS = ("yes", "no", "unsure")
_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)?|[&#?]")
_LONGEST_POINTER = 9


def open_rows(check: DangerCheck, conversation: Conversation, least: Disposition) -> list[str]:
    """The facts of the rows that are still open, worst first.

    Args:
        check: the rows.
        conversation: what is known.
        least: rows that lead to less than this are left out.
    """
    absent, present = conversation.has("absent"), conversation.has("present")
    return [
        row.fact
        for row in check.rows
        if row.tier >= least
        and row.fact not in conversation.settled
        and row.yes not in present
        and not any(absent >= set(each) for each in row.closed_by)
    ]


def expire(check: DangerCheck, conversation: Conversation, now: datetime) -> None:
    """Open the rows again whose denial is too long ago."""
    limit = now - timedelta(hours=check.valid_hours)
    for row in check.rows:
        if row.fact in conversation.settled and _moment(conversation.settled[row.fact], limit) <= limit:
            reopen(conversation, row)


def reopen(conversation: Conversation, row: Row) -> None:
    """Forget that a row was denied; what is present stays so."""
    conversation.settled.pop(row.fact, None)
    if conversation.rows.get(row.fact) == "no":
        del conversation.rows[row.fact]
    for finding in row.findings & conversation.has("absent"):
        del conversation.findings[finding]
        conversation.evidence.pop(finding, None)


def note_denials(check: DangerCheck, conversation: Conversation, now: datetime) -> None:
    """Date the rows that the patient's own words have closed."""
    absent = conversation.has("absent")
    for row in check.rows:
        if row.fact not in conversation.settled and any(absent >= set(each) for each in row.closed_by):
            conversation.settled[row.fact] = now.isoformat()


def settle(row: Row, answer: str, conversation: Conversation, evidence: str, now: datetime) -> None:
    """Record a row's answer: Yes and 'not sure' are the finding, present.

    Args:
        row: the row.
        answer: `yes`, `no` or `unsure`.
        conversation: is changed.
        evidence: the patient's own words, or the row and the answer that was tapped.
        now: the moment of the answer.
    """
    conversation.rows[row.fact] = answer
    if row.fact in conversation.checks:
        conversation.checks.remove(row.fact)
    if answer != "no":
        conversation.record(row.yes, "present", evidence)
        return
    conversation.settled[row.fact] = now.isoformat()
    for finding in row.no:
        conversation.record(finding, "absent", evidence)


def _moment(text: str, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return otherwise


@dataclass
class Told:
    """What words say of the rows that wait: row -> answer; `all_of_them` where one answer speaks of the list as a whole."""

    rows: dict[str, str] = field(default_factory=dict)
    all_of_them: str = ""


class RowReader:
    """Reads answers to the whole list: numbers, 'none of these', 'only the breathing', 'no no yes'.

    Args:
        check: the rows.
        words: the content of lexicon/dialogue.yml.
    """

    def __init__(self, check: DangerCheck, words: Mapping[str, Any]) -> None:
        self._check = check
        self._numbers: Mapping[str, int] = words["numbers"]
        self._answer_of = {word: answer for answer in ANSWERS for word in words[answer]}
        self._between = frozenset(words["between_numbers"])
        self._except = frozenset(words["except"])
        self._fillers = frozenset(words["fillers"])

    def read(self, waiting: Sequence[str], reading: Reading, quiet: bool) -> Told:
        """What a message says of the rows that wait.

        Args:
            waiting: their facts, in the order in which they were numbered.
            reading: the message.
            quiet: whether nothing was reported or asked in it.
        """
        tokens = _TOKEN.findall(reading.text.lower().replace("’", "'"))
        rest = "rest_none" in reading.acts or ("only" in reading.acts and len(tokens) <= _LONGEST_POINTER)
        rows = self._in_order(waiting, tokens) or self._numbered(waiting, tokens) or (self._pointed(waiting, tokens) if quiet and not reading.mentions else {})
        if rows:
            others = dict.fromkeys(waiting, "no") if rest or self._all_but(tokens) else {}
            return Told(others | rows)
        if not quiet:
            return Told({} if not rest else dict.fromkeys(waiting, "no"))
        return Told(all_of_them=self._as_a_whole(tokens, reading))

    def _in_order(self, waiting: Sequence[str], tokens: Sequence[str]) -> dict[str, str]:
        """`no no yes no`: as many answers as there are rows."""
        if len(tokens) < 2 or len(tokens) != len(waiting) or not all(token in self._answer_of for token in tokens):
            return {}
        return {fact: self._answer_of[token] for fact, token in zip(waiting, tokens, strict=True)}

    def _numbered(self, waiting: Sequence[str], tokens: Sequence[str]) -> dict[str, str]:
        """`3 and 5`, `1 no 2 yes`, `yes to the third one`: only numbers of rows, answers, and what stands between them."""
        known = [self._number(token) for token in tokens]
        numbers = [number for number in known if number]
        if not numbers or max(numbers) > len(waiting):
            return {}
        rest = [token for token, number in zip(tokens, known, strict=True) if not number]
        if any(token not in self._answer_of and token not in self._between and token not in self._except for token in rest):
            return {}
        behind = not any(token in self._answer_of for token in tokens[: next(i for i, number in enumerate(known) if number)])
        found: dict[str, str] = {}
        held: list[int] = []
        answer = ""
        for token, number in zip(tokens, known, strict=True):
            if number:
                held.append(number)
                if not behind:
                    found[waiting[number - 1]] = answer or "yes"
            elif token in self._answer_of:
                answer = self._answer_of[token]
                if behind:
                    found |= {waiting[each - 1]: answer for each in held}
                    held = []
            elif token in self._except:
                answer = "yes"
        return {waiting[each - 1]: "yes" for each in held if behind} | found

    def _number(self, token: str) -> int:
        return int(token) if token.isascii() and token.isdigit() and len(token) < 3 else self._numbers.get(token, 0)

    def _pointed(self, waiting: Sequence[str], tokens: Sequence[str]) -> dict[str, str]:
        """`only the breathing`: a few words that name rows and say nothing else of them."""
        if len(tokens) > _LONGEST_POINTER:
            return {}
        found: dict[str, str] = {}
        answer = "yes"
        for token in tokens:
            row = next((row.fact for row in self._rows(waiting) if token in row.names), "")
            if row:
                found[row] = answer
            elif token in self._answer_of:
                answer = self._answer_of[token]
            elif token in self._except:
                answer = "yes"
            elif token not in self._between:
                return {}
        return found

    def _all_but(self, tokens: Sequence[str]) -> bool:
        """`none except 4`, `no, just the breathing`: a No to all stands before the exception."""
        first = next((place for place, token in enumerate(tokens) if token in self._except), 0)
        return any(self._answer_of.get(token) == "no" for token in tokens[:first])

    def _as_a_whole(self, tokens: Sequence[str], reading: Reading) -> str:
        if "refuse" in reading.acts:
            return "unsure"
        if self._except & set(tokens):
            return ""
        if reading.bare:
            return {"normal": "no"}.get(reading.answer, reading.answer)
        known = self._fillers | self._between | self._answer_of.keys()
        return "no" if "none" in reading.acts and known.issuperset(tokens) else ""

    def _rows(self, facts: Iterable[str]) -> list[Row]:
        return [row for row in self._check.rows if row.fact in facts]
