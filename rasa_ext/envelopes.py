"""What Rasa stores of a conversation, sealed with AES-256-GCM under the key of the day on which it is written."""

from __future__ import annotations

import base64
import secrets
import zlib
from datetime import date, datetime, timedelta, timezone

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.day_keys import NAME_LENGTH, DayKeys

_NONCE_BYTES = 12
_FASTEST = 1
_KEPT_DAYS = timedelta(days=1)


class Envelopes:
    """Seals and opens texts; the keys of days before yesterday are destroyed. These days are UTC on purpose, wherever the clinic is.

    Args:
        days: the keys of the days.
    """

    def __init__(self, days: DayKeys) -> None:
        self._days = days
        self._today, self._name = date.min, ""
        self._ciphers: dict[str, AESGCM] = {}

    def key_name(self) -> str:
        """The name of the key that seals today.

        Raises:
            FolderError: the folder of keys cannot be used.
        """
        today = datetime.now(timezone.utc).date()
        if today != self._today:
            self._days.destroy(self._days.due(today - _KEPT_DAYS))
            self._ciphers.clear()
            self._name, key = self._days.of(today)
            self._ciphers[self._name] = AESGCM(key)
            self._today = today
        return self._name

    def seal(self, text: str, sender: str) -> str:
        """Seal a text of a conversation; it raises what `key_name` raises."""
        name, nonce = self.key_name(), secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[name].encrypt(nonce, zlib.compress(text.encode(), _FASTEST), sender.encode())
        return f"{name} {base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, sender: str) -> str | None:
        """What was sealed; None when its key is gone, or it was sealed for another conversation."""
        cipher = self._cipher(sealed[:NAME_LENGTH])
        if cipher is None:
            return None
        content = base64.b64decode(sealed[NAME_LENGTH:])
        try:
            return zlib.decompress(cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], sender.encode())).decode()
        except InvalidTag:
            return None

    def _cipher(self, name: str) -> AESGCM | None:
        if name not in self._ciphers:
            key = self._days.get(name)
            if key is None:
                return None
            self._ciphers[name] = AESGCM(key)
        return self._ciphers[name]


def key_of(sealed: str) -> str:
    """The name of the key that a text was sealed under."""
    return sealed[:NAME_LENGTH]
