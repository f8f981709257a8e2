"""The readers of this process: one template process for all parts that need the core here."""

from __future__ import annotations

from functools import lru_cache

from aftercare.protocol import load_library
from readers.pool import Readers


@lru_cache(maxsize=1)
def readers() -> Readers:
    """The readers of the protocols in force, the same at every call; they load from the first call on."""
    made = Readers(load_library())
    made.start()
    return made
