"""Answer reader: what a message would mean as the answer to each question, learnt from the protocol's examples of answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
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

from aftercare.protocol import folders_in_force
from aftercare.protocol.compose import CLINICAL
from rasa_ext import binding, encoder, in_force
from rasa_ext.answer_model import LABELS, AnswerModel, Example

REPLIES = "replies"
_FOLDER = "answers"
_ENDING = ".npz"
_DIGITS = 4


def examples(file: Path) -> list[Example]:
    """One hand's examples of answers.

    Raises:
        OSError, ValueError, TypeError: the file cannot be read, or a line has not exactly question, label and text.
    """
    return [Example(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class AnswerReader(GraphComponent):
    """Sets `replies`: by question, the labels and their probabilities, best first. Each protocol has a model of its own.

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

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        models: Mapping[str, AnswerModel] | None = None,
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
            models = {file.stem: AnswerModel.load(file) for file in folder.glob(f"*{_ENDING}")}
            return cls(config, model_storage, resource, models)

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
        for folder in _folders():
            for file in sorted(folder.glob("*.jsonl")):
                digest.update(f"{folder.parent.name}/{file.name}".encode() + file.read_bytes())
        return digest.hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from each protocol's examples, and store what was learnt in the model."""
        from sklearn.linear_model import LogisticRegression

        shared, *own = _folders()
        meaning: dict[str, Any] = {}
        for folder in own:
            hands = _hands((shared, folder))
            for text in sorted({example.text for hand in hands for example in hand} - meaning.keys()):
                meaning[text] = encoder.encoder().encode(text)
            vectors = [np.array([meaning[example.text] for example in hand]) for hand in hands]
            regression = LogisticRegression(C=self.config["C"], max_iter=500)
            self._models[folder.parent.name] = AnswerModel.fit(hands, vectors, self.config["ridge"], regression)
        with self._model_storage.write_to(self._resource) as store:
            for protocol, model in self._models.items():
                model.save(store / f"{protocol}{_ENDING}")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Read each message as an answer to each question."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                protocol = in_force.library().bound(*binding.key_of_message(message))
                message.set(REPLIES, self._replies(protocol.id, text, _sentence_vector(message)))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing behind this component trains on its output."""
        return training_data

    def _replies(self, protocol: str, text: str, vector: Any) -> dict[str, tuple[tuple[str, float], ...]]:
        """By question, each label with its probability, best first."""
        model = self._models.get(protocol)
        if model is None:
            raise RuntimeError(f"the answer reader has learnt nothing about {protocol}; train the model with the protocols in force")
        return {
            str(question): tuple((LABELS[place], round(float(shares[place]), _DIGITS)) for place in np.argsort(-shares, kind="stable"))
            for question, shares in zip(model.questions, model.probabilities(text, vector), strict=True)
        }


def _folders() -> list[Path]:
    """The folders of examples: what all protocols share, then each protocol's own."""
    return [CLINICAL / _FOLDER, *(folder / _FOLDER for folder in folders_in_force())]


def _hands(folders: Sequence[Path]) -> list[list[Example]]:
    """The examples of each hand, from all folders."""
    names = sorted({file.name for folder in folders for file in folder.glob("*.jsonl")})
    return [[example for folder in folders if (folder / name).exists() for example in examples(folder / name)] for name in names]


def _sentence_vector(message: Message) -> Any:
    features = message.get_dense_features(TEXT)[1]
    if features is None:
        raise ValueError("the message has no sentence features; put a dense featurizer before the answer reader")
    return features.features[0]
