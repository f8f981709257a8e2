"""Assertion status of a finding from the words around it: trigger, direction, scope, termination.

The idea is ConText's (Harkema 2009); the triggers are patients' words and stand in the lexicon. A denial must stand in the
finding's own clause. Lists carry it on ('no fever, chills or drainage'); a new subject or verb ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc
from spacy.vocab import Vocab

from aftercare.understanding.patterns import CLAUSE_BREAKS, NEGATORS, Compiler, PatternMatcher
from aftercare.understanding.reading import Status

_HARD_BREAKS = frozenset({".", "!", "?", ";", "\n"})
_NEW_SUBJECT = frozenset(
    [
        "i",
        "my",
        "she",
        "her",
        "he",
        "his",
        "it",
        "its",
        "we",
        "they",
        "there",
        "the",
        "this",
        "that",
        "has",
        "have",
        "had",
        "is",
        "was",
        "are",
        "were",
        "am",
        "got",
        "get",
        "feels",
        "feel",
        "now",
    ]
)
_ORDER = ("absent", "resolved", "hypothetical", "asked", "historical", "other_person", "other_relative")
_SENTENCE_WIDE = frozenset({"hypothetical", "asked", "historical", "other_person", "other_relative"})
_LIST_WORDS = frozenset({"or", "nor", "and", "/", "&"})
_LIST_ENDS_WITHIN = 8
_SHORT_LIST, _LONG_LIST = 2, 4
_LABEL_MARKS = frozenset({":", "=", "-", "?"})


@dataclass(frozen=True)
class Trigger:
    """A trigger's words in one text: its kind, its direction, its reach in words, and whether lists carry it on."""

    kind: str
    side: str
    scope: int
    carries: bool
    sure: bool
    start: int
    end: int


class Assertion:
    """Decides the status of mentions in one tokenised text.

    Args:
        vocab: the vocabulary that the documents share.
        rules: the content of lexicon/assertion.yml.
        compiler: compiles the rules' patterns.
    """

    def __init__(self, vocab: Vocab, rules: Mapping[str, Any], compiler: Compiler) -> None:
        self._rules = rules
        self._breaks = frozenset(rules["break_clause"])
        self._triggers = PatternMatcher(vocab)
        for number, trigger in enumerate(rules["triggers"]):
            for pattern in trigger["patterns"]:
                self._triggers.add(f"{number}", compiler.compile(pattern, close=True))
        self._guards = PatternMatcher(vocab)
        for pattern in [*rules["not_a_trigger"], *rules["not_a_question"]]:
            self._guards.add("guard", compiler.compile(pattern, close=True))
        self._overrides = frozenset(rules["override_history"])
        self._taken_back = frozenset(rules["denial_taken_back"])
        self._particles = frozenset(rules["answer_particles"])
        self._first_person = frozenset(rules["first_person_patient"])
        self._speaks_again = frozenset(rules["speaks_of_patient"])
        self._caregiver = frozenset(rules["caregiver"])
        self._list_nouns = frozenset(rules["list_nouns"])
        self._label_yes, self._label_no = frozenset(rules["label_answers"]["yes"]), frozenset(rules["label_answers"]["no"])

    def labelled(self, doc: Doc, end: int, found: Sequence[tuple[int, int]]) -> Status | None:
        """The answer that stands behind a mention as behind a label: `fever: no`, `chest pain? Yes.`, `fits - none`.

        Args:
            doc: the tokenised text.
            end: the token behind the mention's last.
            found: the places of all mentions, for the next label may follow at once.
        """
        norms = [token.norm_ for token in doc[end : end + 4]]
        marked = bool(norms) and norms[0] in _LABEL_MARKS
        answer = norms[1] if marked and len(norms) > 1 else norms[0] if norms and not marked else ""
        behind = end + 1 + marked
        ends = behind >= len(doc) or doc[behind].norm_ in _HARD_BREAKS | {",", "and", ")"}
        if not ends and not (marked and (any(start == behind for start, _ in found) or _label_follows(doc, behind))):
            return None
        if answer in self._label_no:
            return Status.ABSENT
        return Status.PRESENT if answer in self._label_yes else None

    def triggers(self, doc: Doc) -> list[Trigger]:
        """Every trigger in the text, without those that only look like one."""
        guards = [(start, end) for _, start, end in self._guards(doc)]
        found: set[Trigger] = set()
        for number, start, end in self._triggers(doc):
            rule = self._rules["triggers"][int(number)]
            if any((first <= start and end <= last) or first <= start < last <= end for first, last in guards):
                continue
            if self._is_particle(doc, start, end) or (rule["side"] == "after" and is_negated(doc, start)):
                continue
            found.add(Trigger(rule["status"], rule["side"], rule["scope"], rule.get("list", False), rule.get("sure", False), start, end))
        return sorted(found, key=lambda trigger: (trigger.start, trigger.end))

    def status(
        self, doc: Doc, start: int, end: int, triggers: Sequence[Trigger], found: Sequence[tuple[int, int]] = ()
    ) -> tuple[Status, str]:
        """The status of the mention over tokens `start` to `end`, and the trigger's words that decided it.

        Args:
            doc: the tokenised text.
            start: the mention's first token.
            end: the token behind its last.
            triggers: what `triggers` returned for this text.
            found: the places of all mentions in the text, by which a list of findings is told.
        """
        reaching: list[tuple[int, int, Trigger]] = []
        for trigger in triggers:
            if trigger.start < end and start < trigger.end:
                continue
            before = trigger.side == "before" and trigger.end <= start
            after = trigger.side == "after" and trigger.start >= end
            if not (before or after):
                continue
            first, last = (trigger.end, start) if before else (end, trigger.start)
            if before and doc[start].norm_ in self._breaks:
                last += 1
            if self._reaches(trigger, doc, first, last, found):
                reaching.append((_ORDER.index(trigger.kind), last - first, trigger))
        for _, _, trigger in sorted(reaching, key=lambda item: item[:2]):
            status = self._confirmed(doc, start, end, trigger)
            if status is not None:
                return status, doc[trigger.start : trigger.end].text
        return Status.PRESENT, ""

    def _confirmed(self, doc: Doc, start: int, end: int, trigger: Trigger) -> Status | None:
        norms = [token.norm_ for token in doc]
        if trigger.kind == "absent":
            if self._taken_back & set(norms[end : end + 3]):
                return None
            return self._in_list(norms, trigger, start, end)
        if trigger.kind == "asked":
            return Status.HYPOTHETICAL
        if trigger.kind == "historical":
            rest = (place for place in range(end, len(norms)) if not trigger.start <= place < trigger.end)
            changed = any(norms[place] in self._overrides and not self._denied(norms, place) for place in rest)
            return None if changed else Status.HISTORICAL
        if trigger.kind == "other_relative":
            others = norms[: trigger.start] + norms[trigger.end :]
            owns = "i" in norms and not self._caregiver & set(others)
            return Status.OTHER_PERSON if owns else None
        return Status(trigger.kind)

    def _in_list(self, norms: Sequence[str], trigger: Trigger, start: int, end: int) -> Status | None:
        """Whether the denial of a list's first item holds for one behind a comma.

        `no fever, chills or pus` denies all. `no rash, wet the bed` tells what stands behind the comma: it is more than a noun, or
        something behind it is. `no fever, chest pain` may be either.
        """
        if trigger.sure or trigger.side != "before" or "," not in norms[trigger.end : start]:
            return Status.ABSENT
        if {"or", "nor"} & set(norms[trigger.end : end + _LIST_ENDS_WITHIN]):
            return Status.ABSENT
        items = _items(norms[trigger.end :])
        place = sum(word == "," for word in norms[trigger.end : start])
        nouns = [self._is_name(item, loosely=len(items) >= _LONG_LIST) for item in items]
        first_told = next((number for number, noun in enumerate(nouns) if number and not noun), len(items))
        if place < len(nouns) and not nouns[place]:
            return None
        if first_told < len(items) and first_told <= _SHORT_LIST:
            return None
        return Status.ABSENT if {"and", "&"} & set(norms[trigger.end : end + _LIST_ENDS_WITHIN]) else Status.DOUBTFUL

    def _is_name(self, item: Sequence[str], *, loosely: bool) -> bool:
        """Whether an item of a list is a sign's plain name; in a long list one with a word before its noun is, too (`black stools`)."""
        return all(word in self._list_nouns for word in (item[-1:] if loosely else item))

    @staticmethod
    def _denied(norms: Sequence[str], position: int) -> bool:
        return any(word in {"not", "no", "nothing", "never", "any"} for word in norms[max(0, position - 2) : position])

    def _reaches(self, trigger: Trigger, doc: Doc, first: int, last: int, found: Sequence[tuple[int, int]]) -> bool:
        between = [token.norm_ for token in doc[first:last]]
        if any(word in _HARD_BREAKS for word in between) or len(between) > trigger.scope + (12 if trigger.carries else 0):
            return False
        if any(word in self._breaks for word in between):
            return False
        if trigger.kind in _SENTENCE_WIDE:
            return self._stays_in_frame(trigger, between)
        if not trigger.carries:
            return "," not in between
        if trigger.sure:
            return True
        pieces = _pieces(first, between)
        if len(pieces) == 1:
            return len(between) <= trigger.scope and not (_NEW_SUBJECT & set(between[1:]))
        listed = all(begin == finish or any(begin < stop and at < finish for at, stop in found) for begin, finish in pieces[:-1])
        lengths = [finish - begin for begin, finish in pieces]
        fresh = any(_NEW_SUBJECT & {token.norm_ for token in doc[begin:finish]} for begin, finish in pieces[1:])
        return listed and not fresh and max(lengths) <= 5

    def _stays_in_frame(self, trigger: Trigger, between: Sequence[str]) -> bool:
        """A question, a supposition, a past or another person's story ends where the patient speaks of themself."""
        own = self._first_person | self._caregiver
        if trigger.kind == "hypothetical":
            return "," not in between or not own & set(between[between.index(",") :])
        if trigger.kind == "historical":
            return not self._overrides & set(between)
        if trigger.kind == "asked":
            return not own & set(between)
        return not self._speaks_again & set(between)

    def _is_particle(self, doc: Doc, start: int, end: int) -> bool:
        """`No, I have chest pain`: a particle before a new subject, or one that opens a clause and stands apart."""
        if end - start != 1 or doc[start].norm_ not in self._particles:
            return False
        if doc[start].norm_ == "no" and end < len(doc) and doc[end].norm_ in _NEW_SUBJECT:
            return True
        opens = start == 0 or doc[start - 1].norm_ in _HARD_BREAKS | {",", "oh", "well"}
        follows = doc[end].norm_ if end < len(doc) else "."
        return opens and (
            follows in _HARD_BREAKS or follows == "," or follows in _NEW_SUBJECT or follows in {"not", "just", "mainly", "no", "but"}
        )


def is_negated(doc: Doc, position: int, reach: int = 1) -> bool:
    """Whether one of the `reach` words before a position, in the same clause, negates what stands there."""
    for token in reversed(doc[max(0, position - reach) : position]):
        if token.norm_ in NEGATORS:
            return True
        if token.norm_ in CLAUSE_BREAKS:
            return False
    return False


def _label_follows(doc: Doc, position: int) -> bool:
    """Whether another label with its answer begins at a position: `fever-no bladder-ok`."""
    return any(token.norm_ in _LABEL_MARKS for token in doc[position + 1 : position + 4])


def _items(norms: Sequence[str]) -> list[list[str]]:
    """The items between the commas of a list, up to the clause's end."""
    items: list[list[str]] = [[]]
    for word in norms:
        if word in _HARD_BREAKS:
            break
        if word == ",":
            items.append([])
        elif word not in _LIST_WORDS:
            items[-1].append(word)
    return items


def _pieces(first: int, between: Sequence[str]) -> list[tuple[int, int]]:
    """Token ranges between list marks: comma, slash, or, nor, and."""
    marks = [first + number for number, word in enumerate(between) if word in _LIST_WORDS or word == ","]
    begins = [first, *(mark + 1 for mark in marks)]
    return list(zip(begins, [*marks, first + len(between)], strict=True))
