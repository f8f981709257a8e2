"""Recovery codes: each lets its owner in once in place of the authenticator's code, when the authenticator is lost."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from argon2 import PasswordHasher, extract_parameters

COUNT = 10
_DIGITS, _GROUP = 12, 4
_SALT_BYTES = 16
_HASHER = PasswordHasher(time_cost=5, memory_cost=7_168, parallelism=1)
"""The least that OWASP's cheat sheet asks for: ten are hashed at once, and unlike a password a code is random."""
NO_CODE = _HASHER.hash(secrets.token_urlsafe())
"""The hash of a code that nobody has, so that an account without codes costs the same work as one with them."""


@dataclass(frozen=True)
class KeptCodes:
    """What is kept of an account's codes: the hashes of those that were not used yet, all with one salt, so that a try costs one hash."""

    salt: bytes = bytes(_SALT_BYTES)
    hashes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, stored: Any) -> KeptCodes:
        """What `as_stored` gave."""
        return cls(bytes.fromhex(stored["salt"]), tuple(stored["hashes"]))

    @property
    def as_stored(self) -> dict[str, Any]:
        """Itself as JSON data."""
        return {"salt": self.salt.hex(), "hashes": self.hashes}

    def find(self, written: str) -> str | None:
        """The hash of a code as it was typed; None when it is none of these. Where there are none it costs the same work."""
        hashed = _hash_like((*self.hashes, NO_CODE)[0], written, self.salt)
        return hashed if hashed in self.hashes else None

    def without(self, hashed: str) -> KeptCodes:
        """The others."""
        return replace(self, hashes=tuple(each for each in self.hashes if each != hashed))


def new_codes() -> tuple[str, ...]:
    """As many codes as an account has, each as it is shown, such as `4821 0937 5526`."""
    codes: set[str] = set()
    while len(codes) < COUNT:
        digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        codes.add(" ".join(digits[start : start + _GROUP] for start in range(0, _DIGITS, _GROUP)))
    return tuple(codes)


def keep(codes: Iterable[str]) -> KeptCodes:
    """What is kept of codes."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return KeptCodes(salt, tuple(_HASHER.hash(_digits(code), salt=salt) for code in codes))


def is_code(written: str) -> bool:
    """Whether what was typed looks like a recovery code, and not like one of an authenticator."""
    digits = _digits(written)
    return len(digits) == _DIGITS and digits.isascii() and digits.isdigit()


def _hash_like(hashed: str, written: str, salt: bytes) -> str:
    """The hash of what was typed, at the cost of another hash: codes count on when a release changes the cost."""
    return PasswordHasher.from_parameters(extract_parameters(hashed)).hash(_digits(written), salt=salt)


def _digits(written: str) -> str:
    return "".join(written.replace("-", " ").split())
