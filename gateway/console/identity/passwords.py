"""Passwords: how they are kept, and which are refused: those that are guessed soon, as zxcvbn knows them by its lists and patterns."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
LONGEST_TYPED = 1_000
"""What a form takes, so that a password that is too long is refused with the reason and never cut off."""
_GUESSES = 10**10
_LOOKED_AT = 72
_HASHER = PasswordHasher()
NOBODY = _HASHER.hash(secrets.token_urlsafe())
"""The hash of a password that nobody has, so that an unknown name costs the same work as a known one."""


def hash_of(password: str) -> str:
    """What is stored of a password."""
    return _HASHER.hash(password)


def matches(hashed: str, password: str) -> bool:
    """Whether a hash is that of this password."""
    try:
        return len(password) <= LONGEST_PASSWORD and _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def problem_of(password: str, about: Iterable[str]) -> str:
    """Why a password is refused and what to choose instead; empty when it is good.

    Args:
        password: as it was typed.
        about: words that whoever guesses would try first: the account's name, its e-mail address.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"Choose a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
    words = [word for each in about for word in (each, *each.replace("@", " ").replace(".", " ").split()) if word]
    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[*words, "aftercare"])
    if found["guesses"] >= _GUESSES:
        return ""
    said = (found["feedback"]["warning"] or "It follows a pattern that is tried early").rstrip(".")
    return f"This password would be guessed soon: {said}. Choose four words that have nothing to do with each other, or with you."
