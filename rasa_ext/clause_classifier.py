"""Intent classifier: logistic regression and nearest neighbours, asked about the whole message and about each of its clauses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from aftercare.understanding.clauses import Clauses
from aftercare.understanding.reading import Opinion
from rasa_ext import binding, encoder, in_force
from rasa_ext.intent_model import IntentModel

OPINIONS = "opinions"
_NEGLIGIBLE = 0.004
_ENDING = ".npz"
# The name of the model of examples that belong to no protocol, where none does.
_FOR_ALL = "-"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ClauseClassifier(IntentClassifier, GraphComponent):
    """Sets intent and ranking, and `opinions` about the whole message and its clauses, with the signs that the encoder hears in each.

    Each protocol has a model of its own. A probability is the mean of what the regression and the nearest training examples say; the
    neighbours know rare wording and what is like nothing that was learnt, the regression where the boundaries run.

    Config:
        C: inverse strength of the regression's regularisation.
        max_iter, tol: when its fitting ends.
        neighbours: how many training examples are looked at.
        dimensions: principal components in which they are looked for.
        neighbours_weight: their share in the probability, 0 to 1.
        ranking_length: how many intents the ranking names.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """A featurizer that gives sentence features."""
        return [Featurizer]

    @staticmethod
    def required_packages() -> list[str]:
        """What must be importable."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Every setting."""
        return {
            "C": 10.0,
            "max_iter": 100,
            "tol": 1e-4,
            "random_state": 42,
            "neighbours": 10,
            "dimensions": 64,
            "neighbours_weight": 0.5,
            "ranking_length": 10,
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        models: Mapping[str, IntentModel] | None = None,
    ) -> None:
        self.config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._models = dict(models or {})

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ClauseClassifier:
        """A classifier that has learnt nothing yet."""
        return cls(config, model_storage, resource)

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
        with model_storage.read_from(resource) as folder:
            models = {file.stem.removeprefix(_FOR_ALL): IntentModel.load(file) for file in folder.glob(f"*{_ENDING}")}
            return cls(config, model_storage, resource, models)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse settings that are not known.

        Raises:
            InvalidConfigException: a setting has a name that is none of ours.
        """
        unknown = set(config) - set(cls.get_default_config())
        if unknown:
            raise InvalidConfigException(f"ClauseClassifier has no setting {', '.join(sorted(unknown))}")

    def train(self, training_data: TrainingData) -> Resource:
        """Learn, and store what was learnt in the model."""
        from sklearn.decomposition import PCA
        from sklearn.linear_model import LogisticRegression

        config = self.config
        settings = {name: config[name] for name in ("C", "max_iter", "tol", "random_state")}
        examples = [message for message in training_data.intent_examples if message.get(INTENT) and message.get(TEXT)]
        for protocol in binding.owners_of(examples):
            own = binding.examples_of(protocol, examples)
            vectors = np.vstack([_sentence_vector(message) for message in own])
            regression = LogisticRegression(class_weight="balanced", **settings)
            components = PCA(config["dimensions"], random_state=config["random_state"])
            self._models[protocol] = IntentModel.fit(vectors, [message.get(INTENT) for message in own], regression, components)
        with self._model_storage.write_to(self._resource) as folder:
            for protocol, model in self._models.items():
                model.save(folder / f"{protocol or _FOR_ALL}{_ENDING}")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Classify each message and its clauses."""
        for message in messages:
            text = message.get(TEXT)
            if not text:
                continue
            protocol = in_force.library().bound(*binding.key_of_message(message))
            model, places = self._model(protocol.id), [(0, len(text)), *Clauses(protocol.grammar.clauses).pieces(text)]
            senses = [encoder.encoder().sense(text[start:end]) for start, end in places]
            vectors = np.vstack([sense.vector for sense in senses])
            shares = self._probabilities(model, vectors)
            distances = model.distances(vectors, shares.argmax(axis=1))
            opinions = [
                Opinion(*place, _ranking(model, probabilities), sense.signs, round(float(distance), 3))
                for place, probabilities, sense, distance in zip(places, shares, senses, distances, strict=True)
            ]
            ranking = [{INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: share} for intent, share in opinions[0].ranking]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking[: self.config["ranking_length"]], add_to_output=True)
            message.set(OPINIONS, opinions)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind this component trains on its output."""
        return training_data

    def _model(self, protocol: str) -> IntentModel:
        """The model of a protocol, or the one that is there for all."""
        model = self._models.get(protocol) or self._models.get("")
        if model is None:
            raise RuntimeError(f"the classifier has learnt nothing about {protocol}; train the model with the protocols in force")
        return model

    def _probabilities(self, model: IntentModel, vectors: Any) -> Any:
        """One row of intent probabilities a vector, in the order of the model's intents."""
        share = self.config["neighbours_weight"]
        by_neighbours = model.by_neighbours(vectors, self.config["neighbours"])
        return (1 - share) * model.by_regression(vectors) + share * by_neighbours


def _ranking(model: IntentModel, probabilities: Any) -> tuple[tuple[str, float], ...]:
    order = [index for index in np.argsort(-probabilities) if probabilities[index] >= _NEGLIGIBLE]
    return tuple((str(model.intents[index]), round(float(probabilities[index]), 4)) for index in order)


def _sentence_vector(message: Message) -> Any:
    features = message.get_dense_features(TEXT)[1]
    if features is None:
        raise ValueError("the message has no sentence features; put a dense featurizer before this classifier")
    return features.features
