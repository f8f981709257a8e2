"""The clinical core of this process: one for channel and extractor, and each message read once for both, where it can be stopped."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from aftercare.assistant import Assistant
from aftercare.protocol import Library, load_library, load_protocol
from aftercare.understanding.reading import Reading
from readers.shared import readers

_MESSAGES_AT_ONCE = 64


@lru_cache(maxsize=1)
def library() -> Library:
    """The protocols in force, read at the first call."""
    return load_library()


@lru_cache(maxsize=1)
def assistant() -> Assistant:
    """The core, loaded at the first call."""
    return Assistant(load_protocol())


@lru_cache(maxsize=_MESSAGES_AT_ONCE)
def read(text: str, today: date) -> Reading:
    """A message read by the lexicon alone; remembered as long as its turn lasts.

    Raises:
        UnreadError: the words could not be read in time.
    """
    reading: Reading = readers().call("read", text, today)
    return reading
