"""A core that does what unknown words may do to a real one; readers import it by its name."""

from __future__ import annotations

import os
import re
import time
from datetime import date

from aftercare.protocol import Key
from aftercare.understanding.reading import Reading
from readers.served import Core

QUICKSAND, TAR, TRIPWIRE, DEADFALL = "quicksand", "tar pit", "tripwire", "deadfall"


class TrappedCore(Core):
    """Certain words keep it busy for ever, make it wait for ever, raise, or end its process."""

    def hear(self, key: Key, text: str, today: date) -> Reading:
        """The reading, where there is one."""
        _fall_in(text)
        return super().hear(key, text, today)

    def pid(self) -> int:
        """The process that answers."""
        return os.getpid()


def _fall_in(text: str) -> None:
    if QUICKSAND in text:
        re.fullmatch(r"(a+)+b", "a" * 64)
    if TAR in text:
        time.sleep(3_600)
    if TRIPWIRE in text:
        raise ValueError(f"cannot read {text}")
    if DEADFALL in text:
        os._exit(1)
