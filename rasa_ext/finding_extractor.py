"""Entity extractor: the clinical core's reading of the message, findings with status as entities."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

from aftercare.clock import moment_of, utc_now
from aftercare.protocol import load_library
from rasa_ext import binding, in_force
from rasa_ext.answer_reader import REPLIES
from rasa_ext.clause_classifier import OPINIONS
from readers.pool import UnreadError

_logger = logging.getLogger(__name__)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FindingExtractor(GraphComponent, EntityExtractorMixin):
    """Sets one entity a finding's mention, its value the assertion status, and one entity `reading` with all else."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FindingExtractor:
        """A new extractor; its state is the protocol's files."""
        in_force.assistants()
        return cls()

    @staticmethod
    def required_packages() -> list[str]:
        """What must be importable."""
        return ["rapidfuzz"]

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Another lexicon means other findings."""
        return ",".join(protocol.version for protocol in load_library())

    def process(self, messages: list[Message]) -> list[Message]:
        """Read each message; one that cannot be read in time has no entities."""
        for message in messages:
            protocol = in_force.library().bound(*binding.key_of_message(message))
            day = protocol.clinic.day(moment_of(message.get(METADATA), utc_now))
            try:
                reading = in_force.read(protocol.key, message.get(TEXT) or "", day)
            except UnreadError:
                _logger.error("a message could not be read")
                continue
            reading = replace(reading, opinions=tuple(message.get(OPINIONS) or ()), replies=message.get(REPLIES) or {})
            entities = self.add_extractor_name(reading.to_entities())
            message.set(ENTITIES, [*(message.get(ENTITIES) or []), *entities], add_to_output=True)
        return messages
