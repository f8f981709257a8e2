"""The clinical core of this process: one for channel and extractor, and each message read once for both, where it can be stopped."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from aftercare.assistant import Assistant
from aftercare.protocol import load_library, load_protocol
from aftercare.understanding.reading import Reading
from readers.pool import Readers

_MESSAGES_AT_ONCE = 64


@lru_cache(maxsize=1)
def assistant() -> Assistant:
    """The core, loaded at the first call."""
    return Assistant(load_protocol())


@lru_cache(maxsize=1)
def readers() -> Readers:
    """Where the core can be stopped; loaded from the first call on."""
    made = Readers(load_library())
    made.start()
    return made


@lru_cache(maxsize=_MESSAGES_AT_ONCE)
def read(text: str, today: date) -> Reading:
    """A message read by the lexicon alone; remembered as long as its turn lasts.

    Raises:
        UnreadError: the words could not be read in time.
    """
    reading: Reading = readers().call("read", assistant().protocol.key, text, today)
    return reading
