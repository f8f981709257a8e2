"""What the intent classifier has learnt, as arrays: fitted by scikit-learn, asked by numpy, which is faster and loads at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
_SPARE = 6


@dataclass(frozen=True)
class IntentModel:
    """A logistic regression and the nearest training examples, over the same intents.

    Attributes:
        intents: the intents, in the order of every row of probabilities.
        weights: the regression's, one row an intent.
        biases: the regression's, one an intent.
        centre: what is taken from a vector before it is turned.
        axes: principal components, one row each.
        examples: every training example along these axes, one row each.
        labels: the place of each example's intent in `intents`.
    """

    intents: npt.NDArray[np.str_]
    weights: Floats
    biases: Floats
    centre: Floats
    axes: Floats
    examples: Floats
    labels: npt.NDArray[np.int64]

    @classmethod
    def fit(cls, vectors: Floats, intents: list[str], regression: Any, components: Any) -> IntentModel:
        """Learn from vectors, one row an example.

        Args:
            vectors: unit vectors.
            intents: the intent of each.
            regression: scikit-learn's LogisticRegression, new.
            components: scikit-learn's PCA, new.
        """
        regression.fit(vectors, intents)
        examples = components.fit_transform(vectors)
        names = np.array(regression.classes_, dtype=np.str_)
        weights, biases = regression.coef_, regression.intercept_
        if len(names) == 2:  # scikit-learn keeps the second of two alone
            weights, biases = np.vstack([-weights / 2, weights / 2]), np.concatenate([-biases / 2, biases / 2])
        labels = np.searchsorted(names, np.array(intents))
        return cls(names, weights, biases, components.mean_, components.components_, examples, labels)

    def save(self, file: Path) -> None:
        """Write it to a file of numpy's, .npz."""
        np.savez(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, file: Path) -> IntentModel:
        """Read what `save` wrote. Nothing in the file is run.

        Raises:
            OSError, ValueError, KeyError: the file is none of these.
        """
        with np.load(file, allow_pickle=False) as arrays:
            return cls(**{each.name: arrays[each.name] for each in fields(cls)})

    def by_regression(self, vectors: Floats) -> Floats:
        """Probabilities by the regression, one row a vector."""
        scores = vectors @ self.weights.T + self.biases
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def by_neighbours(self, vectors: Floats, count: int) -> Floats:
        """Probabilities by the nearest examples, the nearer the weightier, one row a vector.

        Args:
            vectors: unit vectors, one a row.
            count: how many examples are looked at.
        """
        points = (vectors - self.centre) @ self.axes.T
        far = self._lengths - 2 * (points @ self.examples.T)
        shares = np.zeros((len(points), len(self.intents)))
        for row, point in enumerate(points):
            near = _smallest(far[row], count + _SPARE)
            distances = np.linalg.norm((self.examples[near] - point).astype(np.float64), axis=1)
            nearest = _smallest(distances, count)
            np.add.at(shares[row], self.labels[near[nearest]], _closeness(distances[nearest]))
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def distances(self, vectors: Floats, intents: npt.NDArray[np.intp]) -> Floats:
        """How far each vector is from the nearest training example of its intent, from 0, the same, to 2.

        Args:
            vectors: unit vectors, one a row.
            intents: the place of each one's intent in `intents`.
        """
        points = (vectors - self.centre) @ self.axes.T
        own = [self.examples[self.labels == intent] for intent in intents]
        return np.array([np.linalg.norm(examples - point, axis=1).min() for examples, point in zip(own, points, strict=True)])

    @cached_property
    def _lengths(self) -> Floats:
        """The squared length of every example."""
        lengths: Floats = np.einsum("ij,ij->i", self.examples, self.examples)
        return lengths


def _smallest(values: Floats, count: int) -> npt.NDArray[np.intp]:
    """Where the smallest values stand, in no order."""
    return np.argpartition(values, count)[:count] if count < len(values) else np.arange(len(values))


def _closeness(distances: Floats) -> Floats:
    """What each neighbour weighs; one that is the same weighs everything."""
    same = distances == 0
    return same.astype(float) if same.any() else 1 / distances
