"""Encryption at rest: each conversation's words under a key of their own, and that key under a master key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_KEY_BITS = 256


class SealError(RuntimeError):
    """Sealed data that these keys do not open: another key, or changed by somebody."""


class Sealer:
    """Seals and opens JSON under one key with AES-256-GCM; what is sealed for one place does not open at another.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, data: Any, place: str) -> bytes:
        """Seal JSON data for `place`, such as a conversation's event."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, json.dumps(data, ensure_ascii=False).encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> Any:
        """Open what was sealed for `place`.

        Raises:
            SealError: it was sealed with another key, for another place, or was changed.
        """
        try:
            return json.loads(self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()))
        except (InvalidTag, ValueError):
            raise SealError(f"cannot be opened: {place}") from None


class Keyring:
    """The master keys.

    Args:
        masters: 32 bytes each; the first wraps new keys, every one unwraps, so that keys can be changed one by one.
    """

    def __init__(self, masters: Sequence[bytes]) -> None:
        self._masters = [AESGCM(master) for master in masters]

    def new_key(self, conversation: str) -> tuple[Sealer, bytes]:
        """A new key for a conversation, as its sealer and wrapped for storing."""
        key, nonce = AESGCM.generate_key(_KEY_BITS), secrets.token_bytes(_NONCE_BYTES)
        return Sealer(key), nonce + self._masters[0].encrypt(nonce, key, conversation.encode())

    def seal(self, data: Any, place: str) -> bytes:
        """Seal JSON data that belongs to no conversation, under the first master key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._masters[0].encrypt(nonce, json.dumps(data, ensure_ascii=False).encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> Any:
        """Open what `seal` sealed for `place`.

        Raises:
            SealError: no master key opens it.
        """
        for master in self._masters:
            try:
                return json.loads(master.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()))
            except InvalidTag:
                continue
        raise SealError(f"cannot be opened: {place}")

    def unwrap(self, wrapped: bytes, conversation: str) -> Sealer:
        """The sealer of a conversation's wrapped key.

        Raises:
            SealError: no master key unwraps it.
        """
        for master in self._masters:
            try:
                return Sealer(master.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], conversation.encode()))
            except InvalidTag:
                continue
        raise SealError(f"no master key unwraps the key of {conversation}")
