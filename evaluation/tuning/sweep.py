"""Tries other values for one probability after the other, and keeps the best by a stated order.

No emergency is lost that was not lost before. Then the fewest emergencies lost or asked about; then the fewest doctor's signs lost; then
the fewest alarms over nothing and needless questions; then the fewest other wrong answers. Of equals the nearest to the present value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from evaluation.tuning.offline import Offline
from evaluation.tuning.trials import Trial, Verdict

PASSES = 2
_ODDS = (1 / 8, 1 / 4, 1 / 2, 1 / 1.4, 1.4, 2, 4, 8)
_DIGITS = 2


@dataclass(frozen=True)
class Figures:
    """How many conversations there are, and what became of them; see `Verdict`."""

    n: int
    lost: int
    asked: int
    doctor_lost: int
    over: int
    needless: int
    wrong: int

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Figures:
        """Counted."""
        counted = Counter(verdicts)
        kinds = {verdict.value: counted[verdict] for verdict in Verdict if verdict is not Verdict.RIGHT}
        return cls(n=counted.total(), **kinds)

    @property
    def order(self) -> tuple[int, ...]:
        """By which the better is the smaller; of the same conversations."""
        return self.lost + self.asked, self.doctor_lost, self.over + self.needless, self.wrong

    def as_counts(self) -> dict[str, int]:
        """Name -> count."""
        return asdict(self)


class Judged(NamedTuple):
    """What became of one conversation, and the thresholds that were consulted in it."""

    verdict: Verdict
    consulted: frozenset[str]


@dataclass(frozen=True)
class Change:
    """Another value for a probability, with the figures of all conversations before and after it."""

    name: str
    old: float
    new: float
    before: Figures
    after: Figures


def grid(value: float) -> list[float]:
    """Values around a probability, the nearest first: its odds halved, doubled and so on."""
    odds = value / (1 - value)
    around = {round(odds * factor / (1 + odds * factor), _DIGITS) for factor in _ODDS} - {value}
    return sorted((each for each in around if 0 < each < 1), key=lambda each: (abs(each - value), each))


class Sweep:
    """The probabilities as they stand, and what becomes of all conversations with them.

    Args:
        bot: decides the conversations.
        trials: the conversations.
    """

    def __init__(self, bot: Offline, trials: Sequence[Trial]) -> None:
        self._bot, self._trials = bot, trials
        self._judged = [self._judge(trial) for trial in trials]
        self._lost_before = frozenset(self._lost(self._judged))

    @property
    def total(self) -> Figures:
        """The figures of all conversations."""
        return _figures(self._judged)

    def figures(self, name: str) -> Figures:
        """The figures of those in which a probability is consulted."""
        return _figures(judged for judged in self._judged if name in judged.consulted)

    def run(self, names: Sequence[str]) -> list[Change]:
        """Improve each probability in turn, and all a second time where the first changed any; the changes, in their order."""
        changes: list[Change] = []
        for _ in range(PASSES):
            found = [change for name in names if (change := self._improve(name)) is not None]
            changes += found
            if not found:
                break
        return changes

    def around(self, name: str) -> Mapping[float, Figures]:
        """The figures of all conversations by values of a probability, its own among them, in their order."""
        value = self._bot.limits[name]
        found = {value: self.total} | {each: _figures(self._with(name, each)) for each in grid(value)}
        return dict(sorted(found.items()))

    def _improve(self, name: str) -> Change | None:
        old, before = self._bot.limits[name], self.total
        best, order = None, before.order
        for value in grid(old):
            judged = self._with(name, value)
            allowed = self._lost_before.issuperset(self._lost(judged))
            if allowed and _figures(judged).order < order:
                best, order = (value, judged), _figures(judged).order
        if best is None:
            return None
        new, self._judged = best
        self._bot.limits.change(name, new)
        return Change(name, old, new, before, self.total)

    def _with(self, name: str, value: float) -> list[Judged]:
        """What becomes of all with another value; conversations in which it is not consulted stay as they are."""
        kept = self._bot.limits[name]
        self._bot.limits.change(name, value)
        try:
            pairs = zip(self._trials, self._judged, strict=True)
            return [self._judge(trial) if name in judged.consulted else judged for trial, judged in pairs]
        finally:
            self._bot.limits.change(name, kept)

    def _judge(self, trial: Trial) -> Judged:
        self._bot.limits.consulted.clear()
        verdict = trial(self._bot)
        return Judged(verdict, frozenset(self._bot.limits.consulted))

    @staticmethod
    def _lost(judged: Sequence[Judged]) -> Iterator[int]:
        return (number for number, each in enumerate(judged) if each.verdict is Verdict.LOST)


def _figures(judged: Iterable[Judged]) -> Figures:
    return Figures.of(each.verdict for each in judged)
