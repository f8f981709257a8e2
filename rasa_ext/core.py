"""The clinical core of this process: one for channel and extractor, and each message read once for both."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from aftercare.protocol import load_protocol
from aftercare.respond import Assistant
from aftercare.understanding.reading import Reading

_MESSAGES_AT_ONCE = 16


@lru_cache(maxsize=1)
def assistant() -> Assistant:
    """The core, loaded at the first call."""
    return Assistant(load_protocol())


@lru_cache(maxsize=_MESSAGES_AT_ONCE)
def read(text: str, today: date) -> Reading:
    """A message read by the lexicon alone; remembered as long as its turn lasts."""
    return assistant().read(text, today)
