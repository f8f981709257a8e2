"""The gateway's configuration: read from the environment and checked before the gateway starts."""

from gateway.settings.environment import from_environment
from gateway.settings.model import (
    ABSOLUTE,
    ANSWER_SECONDS,
    IDLE,
    LARGEST_BODY,
    LONGEST_TEXT,
    EmbedKey,
    OwnLimits,
    Provider,
    Settings,
    SettingsError,
)
from gateway.settings.variables import VARIABLES, Variable

__all__ = [
    "ABSOLUTE",
    "ANSWER_SECONDS",
    "IDLE",
    "LARGEST_BODY",
    "LONGEST_TEXT",
    "VARIABLES",
    "EmbedKey",
    "OwnLimits",
    "Provider",
    "Settings",
    "SettingsError",
    "Variable",
    "from_environment",
]
