"""Rasa's LogisticRegressionClassifier, asked about the whole message and about each of its clauses."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from aftercare.understanding.clauses import clauses
from aftercare.understanding.reading import Opinion
from rasa_ext import encoder

OPINIONS = "opinions"
_NEGLIGIBLE = 0.004


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ClauseClassifier(LogisticRegressionClassifier):
    """Sets intent and ranking as its parent does, and `opinions` about the whole message and its clauses.

    Config:
        C: inverse strength of the regularisation.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The parent's settings and C."""
        return {**LogisticRegressionClassifier.get_default_config(), "C": 20.0}

    def __init__(self, config: dict[str, Any], name: str, model_storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, name, model_storage, resource)
        self.clf.C = self.config["C"]

    def _create_X(self, messages: list[Message]) -> Any:  # noqa: N802
        """The messages' vectors, one a row; the parent would go through sparse matrices that are fifty times slower."""
        return np.vstack([_sentence_vector(message) for message in messages])

    def process(self, messages: list[Message]) -> list[Message]:
        """Classify each message, then its clauses."""
        with_words = [message for message in messages if message.get(TEXT)]
        if with_words:
            super().process(with_words)
        for message in with_words:
            text = message.get(TEXT)
            whole = Opinion(0, len(text), self._ranking(_sentence_vector(message)))
            parts = [Opinion(start, end, self._ranking(self._vector(text[start:end]))) for start, end in clauses(text)]
            message.set(OPINIONS, [whole, *parts])
        return messages

    def process_training_data(self, training_data: Any) -> Any:
        """Nothing behind this component trains on its output."""
        return training_data

    @staticmethod
    def _vector(text: str) -> Any:
        return encoder.encoder().encode(text)[np.newaxis]

    def _ranking(self, features: Any) -> tuple[tuple[str, float], ...]:
        probabilities = self.clf.predict_proba(features)[0]
        order = [index for index in np.argsort(-probabilities) if probabilities[index] >= _NEGLIGIBLE]
        return tuple((str(self.clf.classes_[index]), round(float(probabilities[index]), 4)) for index in order)


def _sentence_vector(message: Message) -> Any:
    features = message.get_dense_features(TEXT)[1]
    if features is None:
        raise ValueError("the message has no sentence features; put a dense featurizer before this classifier")
    return features.features
