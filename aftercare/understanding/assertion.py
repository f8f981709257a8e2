"""Assertion status of a finding from the words around it: trigger, direction, scope, termination.

The idea is ConText's (Harkema 2009); the triggers are patients' words and stand in the lexicon. A denial must stand in the
finding's own clause. Lists carry it on ('no A, B or C'); a new subject or verb ends it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from aftercare.protocol.grammar import Grammar
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.lists import Lists, Reach
from aftercare.understanding.patterns import Compiler, PatternMatcher
from aftercare.understanding.reading import Status

_ORDER = ("absent", "resolved", "hypothetical", "asked", "historical", "other_person", "other_relative")
_SENTENCE_WIDE = frozenset({"hypothetical", "asked", "historical", "other_person", "other_relative"})
_LABEL_AHEAD = 6
_OF_ANOTHER_TIME_OR_PERSON = frozenset({Status.HISTORICAL, Status.OTHER_PERSON})


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


@dataclass(frozen=True)
class Context:
    """What one text says that bears on the status of its mentions.

    Attributes:
        words: its words as read.
        norms: the same, spelled as the lexicon spells them.
        triggers: in order.
        changes: the places of words that tell a thing of the past as changed, in order.
        helpers: the places of words that only one who cares for the patient says, in order.
        says_i: whether the writer says I.
        named: the places of all words of mentions, by which a list of findings is recognised.
    """

    words: Sequence[str]
    norms: Sequence[str]
    triggers: Sequence[Trigger]
    changes: Sequence[int]
    helpers: Sequence[int]
    says_i: bool
    named: Set[int] = frozenset()

    def among(self, named: Set[int]) -> Context:
        """The same text with its mentions known: what is part of a mention is no trigger."""
        free = [trigger for trigger in self.triggers if named.isdisjoint(range(trigger.start, trigger.end))]
        return replace(self, triggers=free, named=named)


class Assertion:
    """Decides the status of mentions in one tokenised text.

    Args:
        grammar: the language's.
        clauses: where its clauses end.
        compiler: compiles the rules' patterns.
    """

    def __init__(self, grammar: Grammar, clauses: Clauses, compiler: Compiler) -> None:
        self._rules = rules = grammar.assertion
        self._clauses = clauses
        self._far = Reach(**rules["reach"])
        self._reach = max(trigger["scope"] for trigger in rules["triggers"]) + self._far.list_carries + 1
        self._ends_clause = clauses.ends | clauses.turns
        self._triggers = PatternMatcher()
        self._longest = 0
        for number, trigger in enumerate(rules["triggers"]):
            for pattern in trigger["patterns"]:
                compiled = compiler.compile(pattern, close=True)
                self._triggers.add(f"{number}", compiled)
                self._longest = max(self._longest, *map(len, compiled))
        self._guards = PatternMatcher()
        for pattern in [*rules["not_a_trigger"], *rules["not_a_question"]]:
            self._guards.add("guard", compiler.compile(pattern, close=True))
        self._overrides, self._only = frozenset(rules["override_history"]), frozenset(rules["only"])
        self._taken_back = tuple(words.split() for words in rules["denial_taken_back"])
        self._particles, self._before_particles = frozenset(rules["answer_particles"]), frozenset(rules["before_particles"])
        self._behind_particles = clauses.ends | clauses.new_subject | frozenset([",", *rules["behind_particles"]])
        self._denied_by = frozenset(rules["denied"])
        self._not_normal = {place: frozenset(words) for place, words in rules["not_normal"].items()}
        self._first_person, self._writer = frozenset(rules["first_person_patient"]), frozenset(rules["writer"])
        self._speaks_again = frozenset(rules["speaks_of_patient"])
        self._caregiver = frozenset(rules["caregiver"])
        self._lists = Lists(clauses, self._far, grammar.names_of_signs)
        answers = grammar.answers
        self._label_marks, self._label_ends = frozenset(answers["label_marks"]), clauses.ends | frozenset(answers["label_ends"])
        self._label_yes, self._label_no = frozenset(answers["labels"]["yes"]), frozenset(answers["labels"]["no"])

    def labelled(self, context: Context, end: int) -> Status | None:
        """The answer that stands behind a mention as behind a label, `name: no`, `name? Yes.`, `name - none`; None where there is none.

        Args:
            context: the text, with its mentions.
            end: the word behind the mention's last.
        """
        norms = context.norms[end : end + _LABEL_AHEAD]
        marked = bool(norms) and norms[0] in self._label_marks
        answer = "".join(norms[marked : marked + 1])
        if marked and " ".join(norms[marked : marked + 3]) in self._label_no:
            return Status.ABSENT
        behind = norms[marked + 1 :]
        ends = not behind or behind[0] in self._label_ends
        follows = end + marked + 1 in context.named or bool(self._label_marks & set(behind[1:4]))
        if not (ends or (marked and follows)):
            return None
        if answer in self._label_no:
            return Status.ABSENT
        return Status.PRESENT if answer in self._label_yes else None

    def context(self, words: Sequence[str], norms: Sequence[str]) -> Context:
        """What bears on the status of mentions in a text; see `Context`."""
        return Context(
            words=words,
            norms=norms,
            triggers=self._find_triggers(norms),
            changes=[place for place, norm in enumerate(norms) if norm in self._overrides and self._tells_of_change(norms, place)],
            helpers=[place for place, norm in enumerate(norms) if norm in self._caregiver],
            says_i=not self._writer.isdisjoint(norms),
        )

    def _find_triggers(self, norms: Sequence[str]) -> list[Trigger]:
        """Every trigger in the text, without those that only look like one."""
        guarded = {place for _, start, end in self._guards(norms) for place in range(start, end)}
        found: set[Trigger] = set()
        for number, start, end in self._triggers(norms):
            rule = self._rules["triggers"][int(number)]
            negated = rule["side"] == "after" and self._clauses.is_negated(norms, start)
            if start in guarded or negated or self._is_particle(norms, start, end):
                continue
            found.add(Trigger(rule["status"], rule["side"], rule["scope"], rule.get("list", False), rule.get("sure", False), start, end))
        return sorted(found, key=lambda trigger: (trigger.start, trigger.end))

    def status(self, context: Context, start: int, end: int) -> tuple[Status, str]:
        """The status of the mention over words `start` to `end`, and the trigger's words that decided it.

        Args:
            context: the text.
            start: the mention's first word.
            end: the word behind its last.
        """
        first, last = self._clause(context.norms, start, end)
        reaching = [
            (trigger, *((trigger.end, start) if trigger.side == "before" else (end, trigger.start)))
            for trigger in self._near(context.triggers, first, last)
            if (first <= trigger.end <= start if trigger.side == "before" else end <= trigger.start <= last)
        ]
        for trigger, begin, finish in sorted(reaching, key=lambda each: (_ORDER.index(each[0].kind), each[2] - each[1])):
            if self._reaches(trigger, context, begin, finish):
                status = self._confirmed(context, start, end, trigger)
                if status is not None:
                    return status, " ".join(context.words[trigger.start : trigger.end])
        return Status.PRESENT, ""

    def is_normal(self, context: Context, start: int, end: int) -> bool:
        """Whether words that call something normal, in a clause that is no question, mean that: of the patient, now, and not wished.

        Args:
            context: the text.
            start: the first of these words.
            end: the word behind the last.
        """
        norms, words = context.norms, self._not_normal
        begin, _ = self._clause(norms, start, end)
        first = max((place + 1 for place in range(begin, start) if norms[place] in self._clauses.breaks), default=min(begin, start))
        asked = norms[first] in words["question"] and first + 1 < start
        refused = (
            not words["before"].isdisjoint(norms[first:start])
            or not words["within"].isdisjoint(norms[start:end])
            or not words["behind"].isdisjoint(norms[end : end + 1])
            or self._clauses.is_negated(norms, start, self._far.denial)
        )
        return not asked and not refused and self.status(context, start, end)[0] not in _OF_ANOTHER_TIME_OR_PERSON

    def _clause(self, norms: Sequence[str], start: int, end: int) -> tuple[int, int]:
        """The first word and the word behind the last of a mention's clause, no further away than any trigger reaches."""
        first, last = start, end
        while first > max(0, start - self._reach) and norms[first - 1] not in self._ends_clause:
            first -= 1
        while last < min(len(norms), end + self._reach) and norms[last] not in self._ends_clause:
            last += 1
        return (start + 1 if norms[start] in self._clauses.turns else first), last

    def _near(self, triggers: Sequence[Trigger], first: int, last: int) -> Sequence[Trigger]:
        """The triggers that touch some words; a few more at their beginning."""
        begin = bisect_left(triggers, first - self._longest, key=_begin)
        return triggers[begin : bisect_left(triggers, last + 1, key=_begin)]

    def _confirmed(self, context: Context, start: int, end: int, trigger: Trigger) -> Status | None:
        norms = context.norms
        if trigger.kind == "absent":
            if any(_holds(norms[end : end + self._far.taken_back], words) for words in self._taken_back):
                return None
            listed = not trigger.sure and trigger.side == "before" and "," in norms[trigger.end : start]
            return self._lists.status(norms, trigger.end, start, end) if listed else Status.ABSENT
        if trigger.kind == "asked":
            return Status.HYPOTHETICAL
        if trigger.kind == "historical":
            changed = _count(context.changes, end, len(norms))
            own = _count(context.changes, max(end, trigger.start), max(end, trigger.end))
            return None if changed > own else Status.HISTORICAL
        if trigger.kind == "other_relative":
            others = len(context.helpers) > _count(context.helpers, trigger.start, trigger.end)
            return Status.OTHER_PERSON if context.says_i and not others else None
        return Status(trigger.kind)

    def _tells_of_change(self, norms: Sequence[str], place: int) -> bool:
        """Whether such a word is not denied itself, and no denial follows at once (`now not at all`)."""
        behind = norms[place + 1 : place + 4]
        return not self._denied(norms, place) and bool(self._only & set(behind) or not self._clauses.negators & set(behind[:2]))

    def _denied(self, norms: Sequence[str], position: int) -> bool:
        return not self._denied_by.isdisjoint(norms[max(0, position - 2) : position])

    def _reaches(self, trigger: Trigger, context: Context, first: int, last: int) -> bool:
        between = context.norms[first:last]
        if len(between) > trigger.scope + (self._far.list_carries if trigger.carries else 0):
            return False
        if trigger.kind in _SENTENCE_WIDE:
            return self._stays_in_frame(trigger, between)
        if not trigger.carries:
            return "," not in between
        if trigger.sure:
            return True
        pieces = self._lists.pieces(first, between)
        if len(pieces) == 1:
            return len(between) <= trigger.scope and not (self._clauses.new_subject & set(between[1:]))
        listed = all(self._is_listed(context, begin, finish) for begin, finish in pieces[:-1])
        lengths = [finish - begin for begin, finish in pieces]
        fresh = any(self._clauses.new_subject & set(context.norms[begin:finish]) for begin, finish in pieces[1:])
        return listed and not fresh and max(lengths) <= self._far.longest_piece

    def _is_listed(self, context: Context, begin: int, finish: int) -> bool:
        """Whether a piece of a list is empty, names a finding, or is a plain name that is none."""
        named = not context.named.isdisjoint(range(begin, finish))
        return begin == finish or named or self._lists.is_name(context.norms[begin:finish], loosely=False)

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

    def _is_particle(self, norms: Sequence[str], start: int, end: int) -> bool:
        """`No, I have A`: a particle before a new subject, or one that opens a clause and stands apart."""
        if end - start != 1 or norms[start] not in self._particles:
            return False
        follows = norms[end] if end < len(norms) else "."
        if norms[start] in self._clauses.negators and follows in self._clauses.new_subject:
            return True
        before = norms[start - 1] if start else "."
        opens = before in self._clauses.ends or before == "," or before in self._before_particles
        return opens and follows in self._behind_particles


def _begin(trigger: Trigger) -> int:
    return trigger.start


def _count(places: Sequence[int], first: int, last: int) -> int:
    """How many of these places, which are in order, are from `first` to before `last`."""
    return bisect_left(places, last) - bisect_left(places, first)


def _holds(norms: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words stand there, one right behind the other."""
    return any(list(norms[start : start + len(words)]) == list(words) for start in range(len(norms) - len(words) + 1))
