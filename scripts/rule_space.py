"""Every combination of findings that the rules can tell apart, looked at one by one.

A set of findings is a number here: bit i stands for the i-th finding. There are 2^50 sets; two exact ways make them few.

By parts: two findings belong to one part when a rule names both. Every rule lies in one part, so a set's disposition is the maximum over
its parts' dispositions, and what holds for every set of every part holds for every set. Nothing is left out and nothing is merged.

By classes: rules of one disposition that need no finding of `all` may be read as one rule with all their `any`, since dispositions combine
by maximum. Findings that then stand in the same `any` lists and in no `all` are alike: which of them is present changes no disposition.
With one bit a class, all classes together are few enough to go through at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from aftercare.decision.rules import disposition, fired
from aftercare.protocol import Disposition, Protocol
from aftercare.protocol.model import Question, Row, Rule

# Facts about other findings: alone they mean nothing, and lead to no disposition.
FACTS = frozenset({"beyond_48_hours", "both_legs"})
_SEED = 20

Class = tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """A rule's condition on a number: every bit of `all_of`, and one of `any_of` where there are any."""

    urgency: int
    all_of: int
    any_of: int

    def holds(self, present: int) -> bool:
        """Whether a set meets it."""
        return present & self.all_of == self.all_of and (not self.any_of or bool(present & self.any_of))


@dataclass
class Figures:
    """What was looked at, and each combination that is not as it must be."""

    looked_at: int = 0
    problems: list[str] = field(default_factory=list)

    def expect(self, right: bool, problem: str) -> None:
        """Count one check."""
        self.looked_at += 1
        if not right:
            self.problems.append(problem)


class RuleSpace:
    """The sets of findings of one protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    @cached_property
    def parts(self) -> list[Class]:
        """The findings, parted so that every rule lies in one part."""
        part = {finding: {finding} for finding in self.protocol.findings}
        for rule in self.protocol.rules:
            joined = set().union(*(part[finding] for finding in rule.atoms()))
            part |= dict.fromkeys(joined, joined)
        return sorted({tuple(sorted(each)) for each in part.values()})

    @cached_property
    def classes(self) -> list[Class]:
        """The findings, those that are alike together."""
        marks: dict[str, set[str]] = {finding: set() for finding in self.protocol.findings}
        for rule in self.protocol.rules:
            for finding in rule.any_of:
                marks[finding].add(rule.id if rule.all_of else rule.disposition.wire)
            for finding in rule.all_of:
                marks[finding].add(f"{rule.id}, all: {finding}")
        alike: dict[frozenset[str], list[str]] = {}
        for finding, mark in marks.items():
            alike.setdefault(frozenset(mark), []).append(finding)
        return [tuple(each) for each in alike.values()]

    @cached_property
    def bit_of(self) -> Mapping[str, int]:
        """The bit of each finding's class."""
        return {finding: 1 << number for number, each in enumerate(self.classes) for finding in each}

    @cached_property
    def urgencies(self) -> list[int]:
        """The urgency of every combination of the classes, 0 where there is no disposition."""
        conditions = self._conditions(self.bit_of)
        return [max((each.urgency for each in conditions if each.holds(present)), default=0) for present in range(1 << len(self.classes))]

    def bits(self, findings: Iterable[str]) -> int:
        """The classes of these findings."""
        total = 0
        for finding in findings:
            total |= self.bit_of[finding]
        return total

    def by_parts(self) -> Figures:
        """Every set of every part: the code agrees with the bits, a finding gives a disposition, one more never lowers it."""
        figures = Figures()
        for rule in self.protocol.rules:
            figures.expect(sum(set(rule.atoms()) <= set(part) for part in self.parts) == 1, f"{rule.id} lies in no part, or in two")
        for part in self.parts:
            alone = {finding: 1 << number for number, finding in enumerate(part)}
            conditions = self._conditions(alone)
            urgency = [max((each.urgency for each in conditions if each.holds(present)), default=0) for present in range(1 << len(part))]
            for present, own in enumerate(urgency):
                names = {finding for finding, bit in alone.items() if present & bit}
                figures.expect((disposition(self.protocol, names) or 0) == own, f"the code and the bits disagree: {sorted(names)}")
                figures.expect(bool(own) or names <= FACTS, f"no disposition: {sorted(names)}")
                for finding, bit in alone.items():
                    figures.expect(urgency[present | bit] >= own, f"{finding} lowers {sorted(names)}")
        return figures

    def by_classes(self) -> Figures:
        """Every combination of the classes at once: a finding gives a disposition, one more never lowers it."""
        figures = Figures()
        facts = self.bits(FACTS)
        for present, own in enumerate(self.urgencies):
            figures.expect(bool(own) or present & ~facts == 0, f"no disposition: {self._names(present)}")
            for number, each in enumerate(self.classes):
                figures.expect(self.urgencies[present | 1 << number] >= own, f"{each[0]} lowers {self._names(present)}")
        return figures

    def by_chance(self, sets: int) -> Figures:
        """Sets drawn from all findings: the code, the parts and the classes say the same."""
        figures, chance, findings = Figures(), random.Random(_SEED), sorted(self.protocol.findings)
        of_part = [set(part) for part in self.parts]
        for _ in range(sets):
            present = set(chance.sample(findings, chance.randint(0, len(findings))))
            own = disposition(self.protocol, present) or 0
            parted = max((disposition(self.protocol, present & part) or 0 for part in of_part), default=0)
            figures.expect(own == parted == self.urgencies[self.bits(present)], f"three ways disagree: {sorted(present)}")
        return figures

    def answers(self) -> Figures:
        """Every question and row in every combination of the classes: 'not sure' never lowers, and no answer is more urgent.

        Yes to a row of the danger check, and 'not sure', lead to no less than its tier, whatever else is present.
        """
        figures = Figures()
        for asker in askers(self.protocol):
            name, least = (asker.fact, asker.tier) if isinstance(asker, Row) else (asker.id, 0)
            unsure, *answers = (self.bits(effect) for effect in effects(asker))
            others = set(answers) - {unsure}
            for present, own in enumerate(self.urgencies):
                doubt = self.urgencies[present | unsure]
                figures.expect(doubt >= max(own, least), f"'not sure' to {name} lowers {self._names(present)}, or is below its tier")
                for other in others:
                    figures.expect(self.urgencies[present | other] <= doubt, f"an answer to {name} is above 'not sure': {present}")
        return figures

    def unasked(self) -> list[str]:
        """Findings that alone are an emergency, and that neither Yes to a row of the danger check means nor No rules out."""
        asked = frozenset[str]().union(*(row.findings for row in self.protocol.danger_check.rows))
        return sorted(self.protocol.red_flags - asked)

    def silent_rules(self) -> tuple[list[Rule], list[Rule]]:
        """Rules that hold for no set of their part, and those that never decide where they hold."""
        holding: set[str] = set()
        deciding: set[str] = set()
        for part in self.parts:
            for names in _subsets(part):
                rules = fired(self.protocol, set(names))
                holding |= {rule.id for rule in rules}
                deciding |= {rule.id for rule in rules[:1]}
        return (
            [rule for rule in self.protocol.rules if rule.id not in holding],
            [rule for rule in self.protocol.rules if rule.id in holding - deciding],
        )

    def _conditions(self, bit_of: Mapping[str, int]) -> list[Condition]:
        """The rules that name none but these findings."""
        return [
            Condition(int(rule.disposition), _sum(bit_of, rule.all_of), _sum(bit_of, rule.any_of))
            for rule in self.protocol.rules
            if set(rule.atoms()) <= bit_of.keys()
        ]

    def _names(self, present: int) -> list[str]:
        return [each[0] for number, each in enumerate(self.classes) if present >> number & 1]


def askers(protocol: Protocol) -> list[Question | Row]:
    """All that asks: the single questions, and the rows of the danger check."""
    return [*protocol.questions.values(), *protocol.danger_check.rows]


def effects(asker: Question | Row) -> list[tuple[str, ...]]:
    """What each answer makes present: 'not sure', which counts as yes, first, then no or each button."""
    if isinstance(asker, Row):
        return [(asker.yes,), ()]
    return [asker.covers[:1], *(button.present for button in asker.buttons)]


def emergencies(protocol: Protocol) -> list[tuple[str, ...]]:
    """The smallest sets that are an emergency: each emergency rule's `all` with each of its `any`."""
    rules = (rule for rule in protocol.rules if rule.disposition is Disposition.EMERGENCY)
    return list(dict.fromkeys((*rule.all_of, finding) for rule in rules for finding in rule.any_of))


def _sum(bit_of: Mapping[str, int], findings: Iterable[str]) -> int:
    total = 0
    for finding in findings:
        total |= bit_of[finding]
    return total


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for number in range(1 << len(names)):
        yield tuple(name for place, name in enumerate(names) if number >> place & 1)
