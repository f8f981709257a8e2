"""What numpy answers is what scikit-learn would have answered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from rasa_ext.intent_model import Floats, IntentModel

_NEIGHBOURS = 5


def _unit(rows: Floats) -> Floats:
    unit: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.fixture(params=[2, 7])
def labelled(request: pytest.FixtureRequest) -> tuple[Floats, list[str]]:
    """Examples of some intents, each around a direction of its own, and not equally many."""
    chance = np.random.default_rng(7)
    centres = chance.normal(size=(request.param, 48))
    labels = [int(label) for label in chance.integers(0, request.param, 300) ** 2 // request.param] + list(range(request.param))
    vectors = _unit(centres[labels] + chance.normal(size=(len(labels), 48)))
    return vectors, [f"intent_{label}" for label in labels]


@pytest.fixture
def asked() -> Floats:
    return _unit(np.random.default_rng(8).normal(size=(40, 48)))


def _fitted(vectors: Floats, intents: list[str]) -> IntentModel:
    return IntentModel.fit(vectors, intents, LogisticRegression(class_weight="balanced"), PCA(16, random_state=1))


def test_the_regression_is_scikit_learns(labelled: tuple[Floats, list[str]], asked: Floats) -> None:
    regression = LogisticRegression(class_weight="balanced").fit(*labelled)
    assert _fitted(*labelled).by_regression(asked) == pytest.approx(regression.predict_proba(asked), abs=1e-6)


def test_the_neighbours_are_scikit_learns(labelled: tuple[Floats, list[str]], asked: Floats) -> None:
    vectors, intents = labelled
    components = PCA(16, random_state=1).fit(vectors)
    peers = KNeighborsClassifier(_NEIGHBOURS, weights="distance", algorithm="brute").fit(components.transform(vectors), intents)
    expected = peers.predict_proba(components.transform(asked))
    assert _fitted(*labelled).by_neighbours(asked, _NEIGHBOURS) == pytest.approx(expected, abs=1e-4)


def test_an_example_itself_is_sure_of_its_intent(labelled: tuple[Floats, list[str]]) -> None:
    vectors, intents = labelled
    model = _fitted(vectors, intents)
    shares = model.by_neighbours(vectors, _NEIGHBOURS)
    assert [str(model.intents[row.argmax()]) for row in shares] == intents
    assert shares.max(axis=1).min() > 0.99


def test_fewer_examples_than_are_looked_at_are_enough() -> None:
    vectors = _unit(np.random.default_rng(9).normal(size=(4, 48)))
    model = IntentModel.fit(vectors, ["a", "a", "b", "b"], LogisticRegression(), PCA(2, random_state=1))
    assert model.by_neighbours(vectors, 50).sum(axis=1) == pytest.approx(1)


def test_what_is_read_is_what_was_written(tmp_path: Path, labelled: tuple[Floats, list[str]], asked: Floats) -> None:
    model = _fitted(*labelled)
    model.save(tmp_path / "intents.npz")
    read = IntentModel.load(tmp_path / "intents.npz")
    assert list(read.intents) == list(model.intents)
    assert (read.by_regression(asked) == model.by_regression(asked)).all()
    assert (read.by_neighbours(asked, _NEIGHBOURS) == model.by_neighbours(asked, _NEIGHBOURS)).all()


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    names = ("intents", "weights", "biases", "centre", "axes", "examples", "labels")
    np.savez(tmp_path / "intents.npz", **{name: np.array([{"an": "object"}], dtype=object) for name in names})
    with pytest.raises(ValueError, match="pickle"):
        IntentModel.load(tmp_path / "intents.npz")
