"""Intent classifier: logistic regression and nearest neighbours, asked about the whole message and about each of its clauses."""

from __future__ import annotations

from typing import Any

import numpy as np
import skops.io
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from aftercare.understanding.clauses import clauses
from aftercare.understanding.reading import Opinion
from rasa_ext import encoder

OPINIONS = "opinions"
_NEGLIGIBLE = 0.004
_NEIGHBOURS_FILE = "neighbours.skops"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ClauseClassifier(LogisticRegressionClassifier):
    """Sets intent and ranking, and `opinions` about the whole message and its clauses.

    A probability is the mean of what the regression and the nearest training examples say; the neighbours know rare wording and what is
    like nothing that was learnt, the regression where the boundaries run.

    Config:
        C: inverse strength of the regression's regularisation.
        neighbours: how many training examples are looked at.
        dimensions: principal components in which they are looked for.
        neighbours_weight: their share in the probability, 0 to 1.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The parent's settings and its own."""
        own = {"C": 10.0, "neighbours": 10, "dimensions": 64, "neighbours_weight": 0.5}
        return {**LogisticRegressionClassifier.get_default_config(), **own}

    def __init__(self, config: dict[str, Any], name: str, model_storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, name, model_storage, resource)
        self.clf.C = self.config["C"]
        self._neighbours = make_pipeline(
            PCA(self.config["dimensions"], random_state=self.config["random_state"]),
            KNeighborsClassifier(self.config["neighbours"], weights="distance", algorithm="brute"),
        )

    def _create_X(self, messages: list[Message]) -> Any:  # noqa: N802
        """The messages' vectors, one a row; the parent would go through sparse matrices that are fifty times slower."""
        return np.vstack([_sentence_vector(message) for message in messages])

    def train(self, training_data: TrainingData) -> Resource:
        """Train both, and store them."""
        vectors, intents = self._create_training_matrix(training_data)
        self.clf.fit(vectors, intents)
        self._neighbours.fit(vectors, intents)
        self.persist()
        return self._resource

    def persist(self) -> None:
        """Store both in the model."""
        super().persist()
        with self._model_storage.write_to(self._resource) as folder:
            skops.io.dump(self._neighbours, folder / _NEIGHBOURS_FILE)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ClauseClassifier:
        """The trained classifier."""
        component = super().load(config, model_storage, resource, execution_context, **kwargs)
        assert isinstance(component, cls)
        with model_storage.read_from(resource) as folder:
            component._neighbours = skops.io.load(folder / _NEIGHBOURS_FILE)
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        """Classify each message and its clauses."""
        for message in messages:
            text = message.get(TEXT)
            if not text:
                continue
            places = clauses(text)
            vectors = [_sentence_vector(message), *(encoder.encoder().encode(text[start:end])[np.newaxis] for start, end in places)]
            opinions = [
                Opinion(start, end, self._ranking(probabilities))
                for (start, end), probabilities in zip([(0, len(text)), *places], self._probabilities(np.vstack(vectors)), strict=True)
            ]
            ranking = [{INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: share} for intent, share in opinions[0].ranking]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking[: self.config["ranking_length"]], add_to_output=True)
            message.set(OPINIONS, opinions)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind this component trains on its output."""
        return training_data

    def _probabilities(self, vectors: Any) -> Any:
        """One row of intent probabilities a vector, in the order of the classes, which both models share."""
        share = self.config["neighbours_weight"]
        return (1 - share) * self.clf.predict_proba(vectors) + share * self._neighbours.predict_proba(vectors)

    def _ranking(self, probabilities: Any) -> tuple[tuple[str, float], ...]:
        order = [index for index in np.argsort(-probabilities) if probabilities[index] >= _NEGLIGIBLE]
        return tuple((str(self.clf.classes_[index]), round(float(probabilities[index]), 4)) for index in order)


def _sentence_vector(message: Message) -> Any:
    features = message.get_dense_features(TEXT)[1]
    if features is None:
        raise ValueError("the message has no sentence features; put a dense featurizer before this classifier")
    return features.features
