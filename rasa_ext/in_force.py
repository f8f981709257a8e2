"""The clinical core of this process: one for channel and extractor, and each message read once for both, where it can be stopped."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from aftercare.assistant import Assistants
from aftercare.protocol import Key, Library, load_library
from aftercare.understanding.reading import Reading
from readers.shared import readers

_MESSAGES_AT_ONCE = 64


@lru_cache(maxsize=1)
def library() -> Library:
    """The protocols in force, read at the first call."""
    return load_library()


@lru_cache(maxsize=1)
def assistants() -> Assistants:
    """The core for every protocol, loaded at the first call."""
    return Assistants(library())


@lru_cache(maxsize=_MESSAGES_AT_ONCE)
def read(key: Key, text: str, today: date) -> Reading:
    """A message read by a protocol's lexicon alone; remembered as long as its turn lasts.

    Raises:
        UnreadError: the words could not be read in time.
    """
    reading: Reading = readers().call("hear", key, text, today)
    return reading
