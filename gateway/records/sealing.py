"""Encryption at rest: each conversation's words under a key of their own, and that key under a master key and the key of its day.

The day's key stands in no database and in no backup. Once it is destroyed, nobody unwraps what was wrapped with it, wherever copies lie.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.day_keys import NAME_LENGTH, DayKeys, FolderError

_NONCE_BYTES = 12
_KEY_BITS = 256
_UNDER_MASTER_ALONE = 60


class SealError(RuntimeError):
    """Sealed data that these keys do not open: another key, or changed by somebody."""


class Sealer:
    """Seals and opens JSON under one key with AES-256-GCM; what is sealed for one context does not open at another.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, data: Any, context: str) -> bytes:
        """Seal JSON data for `context`, such as a conversation's event."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, json.dumps(data, ensure_ascii=False).encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> Any:
        """Open what was sealed for `context`.

        Raises:
            SealError: it was sealed with another key, for another context, or was changed.
        """
        try:
            return json.loads(self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode()))
        except (InvalidTag, ValueError):
            raise SealError(f"cannot be opened: {context}") from None


class Keyring:
    """The master keys, and the keys of the days.

    Args:
        masters: 32 bytes each; the first wraps new keys, every one unwraps, so that keys can be changed one by one.
        days: the keys of the days; without them, the conversations' keys are wrapped under a master key alone.
    """

    def __init__(self, masters: Sequence[bytes], days: DayKeys | None = None) -> None:
        self._keys = tuple(masters)
        self._masters = [AESGCM(master) for master in masters]
        self.days = days

    def new_key(self, conversation: str, day: date | None = None) -> tuple[Sealer, bytes]:
        """A new key for a conversation, as its sealer and wrapped for storing.

        Args:
            conversation: its id.
            day: the day on which it starts, UTC on purpose, wherever the clinic is; today when not given.

        Raises:
            SealError: the folder of the days' keys cannot be used.
        """
        key = AESGCM.generate_key(_KEY_BITS)
        return Sealer(key), self._wrap(key, conversation, day or datetime.now(UTC).date())

    def seal(self, data: Any, context: str) -> bytes:
        """Seal JSON data that belongs to no conversation, under the first master key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._masters[0].encrypt(nonce, json.dumps(data, ensure_ascii=False).encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> Any:
        """Open what `seal` sealed for `context`.

        Raises:
            SealError: no master key opens it.
        """
        for master in self._masters:
            try:
                return json.loads(master.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode()))
            except InvalidTag:
                continue
        raise SealError(f"cannot be opened: {context}")

    def fingerprint(self, text: str, context: str) -> bytes:
        """What equal texts have in common, and nobody without the first master key can tell a text from."""
        return hmac.digest(self._keys[0], f"{context}\0{text}".encode(), "sha256")

    def unwrap(self, wrapped: bytes, conversation: str) -> Sealer:
        """The sealer of a conversation's wrapped key.

        Raises:
            SealError: no master key unwraps it, or the key of its day is not there.
        """
        return Sealer(self._unwrap(wrapped, conversation)[0])

    def wrapped_anew(self, wrapped: bytes, conversation: str, day: date) -> bytes | None:
        """A conversation's key wrapped under the first master key and its day's; None when it is so already.

        Raises:
            SealError: as `unwrap` and `new_key`.
        """
        key, by_first = self._unwrap(wrapped, conversation)
        return None if by_first and (day_key_of(wrapped) or self.days is None) else self._wrap(key, conversation, day)

    def _wrap(self, key: bytes, conversation: str, day: date) -> bytes:
        name, cipher = "", self._masters[0]
        if self.days is not None:
            try:
                name, of_the_day = self.days.of(day)
            except FolderError as error:
                raise SealError(str(error)) from None
            cipher = _both(self._keys[0], of_the_day)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return name.encode() + nonce + cipher.encrypt(nonce, key, conversation.encode())

    def _unwrap(self, wrapped: bytes, conversation: str) -> tuple[bytes, bool]:
        """A conversation's key, and whether the first master key unwrapped it."""
        own = wrapped[-_UNDER_MASTER_ALONE:]
        for number, cipher in enumerate(self._ciphers(day_key_of(wrapped))):
            try:
                return cipher.decrypt(own[:_NONCE_BYTES], own[_NONCE_BYTES:], conversation.encode()), number == 0
            except InvalidTag:
                continue
        raise SealError(f"no master key unwraps the key of {conversation}")

    def _ciphers(self, name: str) -> Iterator[AESGCM]:
        if not name:
            yield from self._masters
            return
        of_the_day = self.days.get(name) if self.days is not None else None
        if of_the_day is None:
            raise SealError(f"the day's key {name} is not there")
        for master in self._keys:
            yield _both(master, of_the_day)


def day_key_of(wrapped: bytes) -> str:
    """The name of the day's key that a wrapped key was wrapped with; empty when with a master key alone."""
    return wrapped[:NAME_LENGTH].decode("ascii", "replace") if len(wrapped) > _UNDER_MASTER_ALONE else ""


def _both(master: bytes, of_the_day: bytes) -> AESGCM:
    """What cannot be opened without either of two keys."""
    return AESGCM(hmac.digest(master, of_the_day, "sha256"))
