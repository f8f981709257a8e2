"""The danger check: which of its rows are open, and what the patient's words and taps say of them.

Nothing is reassured unasked: the rows are those whose findings could still raise the disposition and that nobody has settled.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aftercare.conversation import Conversation
from aftercare.protocol.model import DangerCheck, Disposition, Row
from aftercare.understanding.reading import Reading, Status

NAME = "danger_check"
ANSWERS = ("yes", "no", "unsure")
_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)?|[&#?,;.-]")
_PAUSE = re.compile(r"[,.;!?\n]")
_DENIED = "\0"
_MARKS = frozenset({",", ";", ".", "-", "#"})
_LONGEST_POINTER = 14
_FEWEST_IN_ORDER = 3
_NEAR = 4


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
class RowAnswers:
    """What words say of the rows that wait: row -> answer; `all_of_them` where one answer speaks of the list as a whole."""

    rows: dict[str, str] = field(default_factory=dict)
    all_of_them: str = ""


class RowReader:
    """Reads answers to the whole list: numbers, 'none of these', 'only the second', 'no no yes'.

    Args:
        check: the rows.
        words: the content of the language's answers.yml.
        acts: tells the acts of a piece of a message.
    """

    def __init__(self, check: DangerCheck, words: Mapping[str, Any], acts: Callable[[str], Set[str]]) -> None:
        self._check, self._acts = check, acts
        self._numbers: Mapping[str, int] = words["numbers"] | words["ordinals"]
        self._ordinals = frozenset(words["ordinals"])
        self._answer_of = {word: answer for answer in ANSWERS for word in words[answer]}
        self._doubts: Sequence[str] = words["unsure_phrases"]
        self._between = frozenset(words["between_numbers"])
        self._others = frozenset(words["others"])
        self._ranges = frozenset(words["ranges"])
        self._except = frozenset(words["except"])
        self._fillers = frozenset(words["fillers"])

    def read(self, waiting: Sequence[str], reading: Reading, quiet: bool) -> RowAnswers:
        """What a message says of the rows that wait.

        Args:
            waiting: their facts, in the order in which they were numbered.
            reading: the message.
            quiet: whether nothing was reported or asked in it.
        """
        tokens = self._tokens(reading.text)
        rows = self._in_order(waiting, tokens) or self._numbered(waiting, tokens)
        if not rows and quiet and not reading.mentions:
            rows = self._pointed(waiting, tokens)
        if rows or not quiet:
            rest = "rest_none" in reading.acts or self._all_but(tokens) if rows else "rest_none" in reading.acts
            return RowAnswers((dict.fromkeys(waiting, "no") if rest else {}) | rows)
        return RowAnswers(all_of_them=self._as_a_whole(_words(tokens), reading) or self._beside_denials(reading))

    def _tokens(self, text: str) -> list[str]:
        """The words, figures and marks of a text; phrases of doubt as one word."""
        text = text.lower().replace("’", "'")
        for phrase in self._doubts:
            text = text.replace(phrase, " ? ")
        return _TOKEN.findall(text)

    def _in_order(self, waiting: Sequence[str], tokens: Sequence[str]) -> dict[str, str]:
        """`no no yes no`: one answer a row, from the first on."""
        answers = [self._answer_of.get(token, "") for token in tokens if token not in _MARKS]
        mixed = len(set(answers)) > 1 or len(answers) == len(waiting)
        if not _FEWEST_IN_ORDER <= len(answers) <= len(waiting) or not all(answers) or not mixed:
            return {}
        return dict(zip(waiting, answers, strict=False))

    def _numbered(self, waiting: Sequence[str], tokens: Sequence[str]) -> dict[str, str]:
        """`3 and 5`, `1 no 2 yes`, `1-8 no`, `yes to the third one`: only numbers of rows, answers, and what stands between them.

        An answer holds for the numbers behind it when it stands before the first one, else for those before it.
        """
        tokens = [token for before, token in itertools.pairwise(["", *tokens]) if before not in self._ordinals or not self._number(token)]
        numbers = [number for token in tokens if (number := self._number(token))]
        known = self._between | self._others | self._ranges | self._except | self._answer_of.keys() | _MARKS
        if not numbers or max(numbers) > len(waiting) or any(not self._number(token) and token not in known for token in tokens):
            return {}
        first = next(place for place, token in enumerate(tokens) if self._number(token))
        leads = any(self._answers_on(tokens, place) for place in range(first))
        found: dict[str, str] = {}
        held: list[str] = []
        answer, ranging = "", False
        for place, token in enumerate(tokens):
            number = self._number(token)
            if number:
                begin = waiting.index(held[-1]) + 1 if ranging and held else number - 1
                held = [*held, *waiting[begin:number]]
                ranging = False
                if leads:
                    found |= dict.fromkeys(held, answer or "yes")
            elif token in self._ranges and held:
                ranging = True
            elif token in self._others or token in self._except:
                found = dict.fromkeys(held, "yes") | found
                held, answer = [], "yes"
                if token in self._others:
                    break
            elif token in self._answer_of and (leads is False or self._answers_on(tokens, place)):
                answer = self._answer_of[token]
                if not leads:
                    found |= dict.fromkeys(held, answer)
                held = []
        return dict.fromkeys(held, "yes") | found

    def _answers_on(self, tokens: Sequence[str], place: int) -> bool:
        """Whether an answer speaks of what follows it: `no to 3`, not `no, number 3`."""
        return tokens[place] in self._answer_of and tokens[place + 1 : place + 2] != [","]

    def _number(self, token: str) -> int:
        return int(token) if token.isascii() and token.isdigit() and len(token) < 3 else self._numbers.get(token, 0)

    def _pointed(self, waiting: Sequence[str], tokens: Sequence[str]) -> dict[str, str]:
        """`only the <name>`: a few words that name rows and say nothing else of them."""
        if len(tokens) > _LONGEST_POINTER:
            return {}
        found: dict[str, str] = {}
        answer, only = "yes", False
        for token in tokens:
            row = next((row.fact for row in self._rows(waiting) if token in row.names), "")
            if row:
                found[row] = answer
            elif token in self._answer_of:
                answer = self._answer_of[token]
            elif token in self._except:
                answer, only = "yes", True
            elif token in self._others:
                return {**(dict.fromkeys(waiting, "no") if answer == "no" else {}), **found} if found else {}
            elif token not in self._between and token not in _MARKS:
                return {}
        return dict.fromkeys(waiting, "no") | found if only and found else found

    def _all_but(self, tokens: Sequence[str]) -> bool:
        """`none except 4`, `3 yes, the others no`: a No to all stands before an exception, or behind the others."""
        first = next((place for place, token in enumerate(tokens) if token in self._except), 0)
        others = next((place for place, token in enumerate(tokens) if token in self._others), None)
        around = [] if others is None else [*tokens[others + 1 :], *tokens[max(0, others - _NEAR) : others]]
        return any(self._answer_of.get(token) == "no" for token in (*tokens[:first], *around))

    def _as_a_whole(self, tokens: Sequence[str], reading: Reading) -> str:
        if "refuse" in reading.acts:
            return "unsure"
        if self._except & set(tokens):
            return ""
        answers = {self._answer_of[token] for token in tokens if token in self._answer_of}
        if len(answers) > 1:
            return "unsure" if answers == {"no", "unsure"} else ""
        if reading.bare:
            return {"normal": "no"}.get(reading.answer, reading.answer)
        return "no" if "none" in reading.acts and self._says_no_more(tokens) else ""

    def _beside_denials(self, reading: Reading) -> str:
        """`None of that, I walk fine`: a None in a clause of its own, beside findings that are denied; `no such sign at all` is none."""
        denied = {place for mention in reading.mentions if mention.status is Status.ABSENT for place in range(mention.start, mention.end)}
        rest = "".join(_DENIED if place in denied else letter for place, letter in enumerate(reading.text))
        apart = [clause for clause in _PAUSE.split(rest) if _DENIED not in clause]
        only_denials = all(mention.status is Status.ABSENT for mention in reading.mentions)
        none = any("none" in self._acts(clause) for clause in apart)
        tokens = _words(self._tokens(rest.replace(_DENIED, " ")))
        return "no" if denied and only_denials and none and not self._except & set(tokens) and self._says_no_more(tokens) else ""

    def _says_no_more(self, tokens: Sequence[str]) -> bool:
        """Whether these are only words that say No or nothing."""
        known = self._fillers | self._between | self._others
        return all(self._answer_of.get(token, "no" if token in known else "") == "no" for token in tokens)

    def _rows(self, facts: Iterable[str]) -> list[Row]:
        return [row for row in self._check.rows if row.fact in facts]


def _words(tokens: Iterable[str]) -> list[str]:
    return [token for token in tokens if token not in _MARKS]
