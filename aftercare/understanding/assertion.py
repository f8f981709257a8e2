"""Assertion status of a finding from the words around it: trigger, direction, scope, termination.

The idea is ConText's (Harkema 2009); the triggers are patients' words and stand in the lexicon. A denial must stand in the
finding's own clause. Lists carry it on ('no fever, chills or drainage'); a new subject or verb ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from aftercare.understanding.patterns import Compiler
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
_ORDER = ("absent", "resolved", "hypothetical", "historical", "other_person", "other_relative")
_SENTENCE_WIDE = frozenset({"hypothetical", "historical", "other_person", "other_relative"})


@dataclass(frozen=True)
class _Trigger:
    kind: str
    side: str
    scope: int
    carries: bool
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
        self._triggers = Matcher(vocab)
        for number, trigger in enumerate(rules["triggers"]):
            for pattern in trigger["patterns"]:
                self._triggers.add(f"{number}", compiler.compile(pattern))
        self._guards = Matcher(vocab)
        for pattern in [*rules["not_a_trigger"], *rules["not_a_question"]]:
            self._guards.add("guard", compiler.compile(pattern))
        self._overrides = frozenset(rules["override_history"])
        self._taken_back = frozenset(rules["denial_taken_back"])
        self._particles = frozenset(rules["answer_particles"])
        self._first_person = frozenset(rules["first_person_patient"])
        self._caregiver = frozenset(rules["caregiver"])

    def triggers(self, doc: Doc) -> list[_Trigger]:
        """Every trigger in the text, without those that only look like one."""
        guards = [(start, end) for _, start, end in self._guards(doc)]
        found: dict[tuple[str, int], _Trigger] = {}
        for key, start, end in self._triggers(doc):
            number = doc.vocab.strings[key]
            rule = self._rules["triggers"][int(number)]
            if any((first <= start and end <= last) or first <= start < last <= end for first, last in guards):
                continue
            if self._is_particle(doc, start, end):
                continue
            earlier = found.get((number, start))
            if earlier is None or end > earlier.end:
                found[number, start] = _Trigger(rule["status"], rule["side"], rule["scope"], rule.get("list", False), start, end)
        return list(found.values())

    def status(self, doc: Doc, start: int, end: int, triggers: Sequence[_Trigger]) -> tuple[Status, str]:
        """The status of the mention over tokens `start` to `end`, and the trigger's words that decided it."""
        reaching: list[tuple[int, int, _Trigger]] = []
        for trigger in triggers:
            if trigger.start < end and start < trigger.end:
                continue
            before = trigger.side == "before" and trigger.end <= start
            after = trigger.side == "after" and trigger.start >= end
            if not (before or after):
                continue
            gap = doc[trigger.end : start + 1] if before else doc[end : trigger.start]
            between = [token.norm_ for token in gap]
            if before and between[-1] not in self._breaks:
                between.pop()
            if self._reaches(trigger, between):
                reaching.append((_ORDER.index(trigger.kind), len(between), trigger))
        for _, _, trigger in sorted(reaching, key=lambda item: item[:2]):
            status = self._confirmed(doc, start, end, trigger)
            if status is not None:
                return status, doc[trigger.start : trigger.end].text
        return Status.PRESENT, ""

    def _confirmed(self, doc: Doc, start: int, end: int, trigger: _Trigger) -> Status | None:
        norms = [token.norm_ for token in doc]
        if trigger.kind == "historical":
            rest = norms[end:]
            changed = any(word in self._overrides and not self._denied(norms, end + i) for i, word in enumerate(rest))
            return None if changed else Status.HISTORICAL
        if trigger.kind == "absent" and self._taken_back & set(norms[end : end + 3]):
            return None
        if trigger.kind == "other_relative":
            owns = any(word in self._first_person for word in norms) and not any(word in self._caregiver for word in norms)
            return Status.OTHER_PERSON if owns else None
        return Status(trigger.kind)

    @staticmethod
    def _denied(norms: Sequence[str], position: int) -> bool:
        return any(word in {"not", "no", "nothing", "never", "any"} for word in norms[max(0, position - 2) : position])

    def _reaches(self, trigger: _Trigger, between: Sequence[str]) -> bool:
        if any(word in _HARD_BREAKS for word in between) or len(between) > trigger.scope + (12 if trigger.carries else 0):
            return False
        if any(word in self._breaks for word in between):
            return False
        if trigger.kind in _SENTENCE_WIDE:
            return True
        if not trigger.carries:
            return "," not in between
        pieces = _pieces(between)
        if len(pieces) == 1:
            return len(between) <= trigger.scope and not (_NEW_SUBJECT & set(between[1:]))
        return all(not (_NEW_SUBJECT & set(piece)) and len(piece) <= 4 for piece in pieces[1:]) and len(pieces[0]) <= 5

    def _is_particle(self, doc: Doc, start: int, end: int) -> bool:
        """`No, I have chest pain`: a particle that opens a clause and is followed by a comma or a new subject."""
        if end - start != 1 or doc[start].norm_ not in self._particles:
            return False
        opens = start == 0 or doc[start - 1].norm_ in _HARD_BREAKS | {",", "oh", "well"}
        follows = doc[end].norm_ if end < len(doc) else "."
        return opens and (
            follows in _HARD_BREAKS or follows == "," or follows in _NEW_SUBJECT or follows in {"not", "just", "mainly", "no", "but"}
        )


def _pieces(between: Sequence[str]) -> list[list[str]]:
    """Split at list marks: comma, slash, or, nor, and."""
    pieces: list[list[str]] = [[]]
    for word in between:
        if word in {",", "/", "or", "nor", "and", "&"}:
            pieces.append([])
        else:
            pieces[-1].append(word)
    return pieces
