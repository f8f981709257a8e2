"""What the answer reader has learnt, as arrays: answers to every question, by their likeness to the examples; run by numpy alone."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

LABELS = ("yes", "no", "unsure", "aside", "other", "unclear")
_WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|\?")
_SHORT = 5
_FEWEST = 2
_MEANING = 2.0
_NARROW = 3.0
_ALWAYS = 0.2


@dataclass(frozen=True)
class Example:
    """What somebody answered to a question, and what it means there.

    Attributes:
        question: the question's key.
        text: the answer.
        label: one of LABELS.
    """

    question: str
    text: str
    label: str


@dataclass(frozen=True)
class AnswerModel:
    """Kernel least squares over examples of all questions at once, and a logistic regression that makes probabilities of its scores.

    Two answers are alike in meaning (their vectors) and in wording (words, pairs of words). An example counts twice for its own question
    and once for the others: what 'not since Tuesday' or 'hold on' means is learnt once, what 'in the wheelchair' means by each question.

    Attributes:
        questions: the keys, in the order of the examples.
        starts: where each question's examples begin.
        vectors: every example's unit vector, one row each.
        weights: what each example says for each label, one row each.
        grams: the words and pairs of words that are known, sorted.
        gram_weights: what each of them says, by question and label.
        slopes: the logistic regression's, one row a label.
        biases: the logistic regression's, one a label.
    """

    questions: npt.NDArray[np.str_]
    starts: npt.NDArray[np.int64]
    vectors: Floats
    weights: Floats
    grams: npt.NDArray[np.str_]
    gram_weights: Floats
    slopes: Floats
    biases: Floats

    @classmethod
    def fit(cls, halves: Sequence[Sequence[Example]], vectors: Sequence[Floats], ridge: float, regression: Any) -> AnswerModel:
        """Learn from parts of independent hands; what one part teaches about another tells how sure the scores are.

        Args:
            halves: the examples, in at least two parts.
            vectors: each part's unit vectors, one row an example.
            ridge: how little single examples are trusted, above 0.
            regression: scikit-learn's LogisticRegression, new.
        """
        examples = [example for half in halves for example in half]
        order = np.argsort([example.question for example in examples], kind="stable")
        examples = [examples[index] for index in order]
        stacked = np.vstack(vectors)[order]
        hands = np.repeat(np.arange(len(halves)), [len(half) for half in halves])[order]
        names, starts, owners = np.unique([e.question for e in examples], return_index=True, return_inverse=True)
        grams = _known(examples)
        wording = np.zeros((len(examples), len(grams)), dtype=np.float32)
        places = {gram: place for place, gram in enumerate(grams)}
        for row, example in zip(wording, examples, strict=True):
            row[[places[gram] for gram in _grams(example.text) if gram in places]] = 1
        wording /= np.maximum(np.linalg.norm(wording, axis=1, keepdims=True), 1)
        alike = _closeness(stacked @ stacked.T) + wording @ wording.T + _ALWAYS
        alike *= 1 + (owners[:, np.newaxis] == owners)
        labels = np.array([LABELS.index(example.label) for example in examples])
        targets = np.eye(len(LABELS))[labels]

        scores = np.zeros_like(targets)
        for hand in range(len(halves)):
            others, own = hands != hand, hands == hand
            scores[own] = alike[np.ix_(own, others)] @ _solved(alike[np.ix_(others, others)], targets[others], ridge)
        regression.fit(scores, labels)
        weights = _solved(alike, targets, ridge)
        gram_weights = np.stack([wording[owners == q].T @ weights[owners == q] for q in range(len(names))], axis=1)
        return cls(
            names,
            starts,
            stacked.astype(np.float32),
            weights.astype(np.float32),
            np.array(grams, dtype=np.str_),
            gram_weights.astype(np.float32),
            regression.coef_,
            regression.intercept_,
        )

    def save(self, file: Path) -> None:
        """Write it to a file of numpy's, .npz."""
        np.savez(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, file: Path) -> AnswerModel:
        """Read what `save` wrote. Nothing in the file is run.

        Raises:
            OSError, ValueError, KeyError: the file is none of these.
        """
        with np.load(file, allow_pickle=False) as arrays:
            return cls(**{each.name: arrays[each.name] for each in fields(cls)})

    def probabilities(self, text: str, vector: Floats) -> Floats:
        """What a text would mean as an answer: one row a question, one column a label, each row's sum 1.

        Args:
            text: the answer.
            vector: its unit vector.
        """
        scores = self.scores(text, vector) @ self.slopes.T + self.biases
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def scores(self, text: str, vector: Floats) -> Floats:
        """How much speaks for each label, about 0 to 1, one row a question; takes what `probabilities` takes."""
        near = _closeness(self.vectors @ vector) + _ALWAYS
        said = np.add.reduceat(near[:, np.newaxis] * self.weights, self.starts, axis=0)
        places = sorted(self._places[gram] for gram in _grams(text) if gram in self._places)
        if places:
            said += self.gram_weights[places].sum(axis=0) / np.sqrt(len(places))
        total: Floats = said + said.sum(axis=0)
        return total

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where each known gram stands."""
        return {str(gram): place for place, gram in enumerate(self.grams)}


def _solved(alike: Floats, targets: Floats, ridge: float) -> Floats:
    """The examples' weights."""
    weights: Floats = np.linalg.solve(alike.astype(np.float64) + ridge * np.eye(len(alike)), targets)
    return weights


def _closeness(cosines: Floats) -> Floats:
    """How alike two meanings are."""
    close: Floats = _MEANING * np.exp(_NARROW * (cosines - 1))
    return close


def _known(examples: Sequence[Example]) -> list[str]:
    """The grams of at least two different answers, sorted."""
    seen = Counter(gram for text in {example.text for example in examples} for gram in _grams(text))
    return sorted(gram for gram, count in seen.items() if count >= _FEWEST)


def _grams(text: str) -> set[str]:
    """Words, neighbouring words, and words with one between; figures are all one word, and a short text is marked as such."""
    typed = text.lower().replace("\u2019", "'").replace("'", "")
    words = ["#" if word[0].isdigit() else word for word in _WORD.findall(typed)]
    framed = ["<", *words, ">"]
    pairs = {f"{first} {second}" for first, second in itertools.pairwise(framed)}
    apart = {f"{first} _ {second}" for first, second in zip(framed, framed[2:], strict=False)}
    return {*words, *pairs, *apart, *(["<short>"] if len(framed) <= _SHORT else [])}
