"""Answer reader: what a message would mean as the answer to each question, learnt from the protocol's examples of answers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_ext import encoder
from rasa_ext.answer_model import LABELS, AnswerModel, Example

REPLIES = "replies"
FOLDER = Path(__file__).resolve().parents[1] / "protocols" / "vertebroplasty" / "answers"
_FILE = "answers.npz"
_DIGITS = 4


def examples(file: Path) -> list[Example]:
    """One hand's examples of answers.

    Raises:
        OSError, ValueError, TypeError: the file can not be read, or a line has not exactly question, label and text.
    """
    return [Example(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class AnswerReader(GraphComponent):
    """Sets `replies`: by question, the labels and their probabilities, best first.

    It does not know which question waits, or whether one does: the core picks the question.

    Config:
        C: inverse strength of the regularisation where probabilities are made of scores.
        ridge: how little single examples are trusted, above 0.
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
        return {"C": 100.0, "ridge": 0.3}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: AnswerModel | None = None) -> None:
        self.config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> AnswerReader:
        """A reader that has learnt nothing yet."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> AnswerReader:
        """The trained reader."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, AnswerModel.load(folder / _FILE))

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse settings that are not known.

        Raises:
            InvalidConfigException: a setting has a name that is none of ours.
        """
        unknown = set(config) - set(cls.get_default_config())
        if unknown:
            raise InvalidConfigException(f"AnswerReader has no setting {', '.join(sorted(unknown))}")

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Other examples or another encoder mean another model."""
        digest = hashlib.sha256(encoder.fingerprint().encode())
        for file in sorted(FOLDER.glob("*.jsonl")):
            digest.update(file.name.encode() + file.read_bytes())
        return digest.hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the protocol's examples, and store what was learnt in the model."""
        from sklearn.linear_model import LogisticRegression

        hands = [examples(file) for file in sorted(FOLDER.glob("*.jsonl"))]
        texts = sorted({example.text for hand in hands for example in hand})
        meaning = {text: encoder.encoder().encode(text) for text in texts}
        vectors = [np.array([meaning[example.text] for example in hand]) for hand in hands]
        self._model = AnswerModel.fit(hands, vectors, self.config["ridge"], LogisticRegression(C=self.config["C"], max_iter=500))
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder / _FILE)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Read each message as an answer to each question."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                message.set(REPLIES, self._replies(text, _sentence_vector(message)))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind this component trains on its output."""
        return training_data

    def _replies(self, text: str, vector: Any) -> dict[str, tuple[tuple[str, float], ...]]:
        """By question, each label with its probability, best first."""
        if self._model is None:
            raise RuntimeError("the answer reader is not trained")
        return {
            str(question): tuple((LABELS[place], round(float(shares[place]), _DIGITS)) for place in np.argsort(-shares, kind="stable"))
            for question, shares in zip(self._model.questions, self._model.probabilities(text, vector), strict=True)
        }


def _sentence_vector(message: Message) -> Any:
    features = message.get_dense_features(TEXT)[1]
    if features is None:
        raise ValueError("the message has no sentence features; put a dense featurizer before the answer reader")
    return features.features[0]
