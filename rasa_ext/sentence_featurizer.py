"""Dense featurizer: the sentence encoder's vector as the message's sentence feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_ext import encoder


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceFeaturizer(DenseFeaturizer, GraphComponent):
    """Sets the encoder's unit vector as sentence feature; sequence features it has none."""

    @classmethod
    def required_components(cls) -> list[type]:
        """A tokenizer, as every featurizer."""
        return [Tokenizer]

    @staticmethod
    def required_packages() -> list[str]:
        """What must be importable."""
        return ["onnxruntime", "tokenizers"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """No settings of its own."""
        return DenseFeaturizer.get_default_config()

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceFeaturizer:
        """A new featurizer; its state is the encoder's files."""
        return cls(execution_context.node_name or cls.__name__, config)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Every configuration is valid: there is none."""

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Another encoder file means other features."""
        return encoder.fingerprint()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the vector to each message."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                vector = encoder.encoder().encode(text)
                message.add_features(Features(np.array([vector]), FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the vector to each training example."""
        self.process(training_data.training_examples)
        return training_data
