"""Counts of a total, and the interval that stands beside their share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True)
class Rate:
    """`hits` of `total`."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """The share, 0 to 1; of nothing, 0."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of Clopper and Pearson."""
        if not self.total:
            return 0.0, 1.0
        found = binomtest(self.hits, self.total).proportion_ci(0.95, "exact")
        return float(found.low), float(found.high)

    def as_json(self) -> list[int]:
        """Hits and total."""
        return [self.hits, self.total]


def rate(flags: Iterable[bool]) -> Rate:
    """How many of the flags are true."""
    counted = list(flags)
    return Rate(sum(counted), len(counted))
