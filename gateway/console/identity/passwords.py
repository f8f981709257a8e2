"""Passwords: how they are kept, and which are refused: those in lists of leaked ones, and those that are guessed soon by zxcvbn's count."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

import yaml
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
LONGEST_TYPED = 1_000
"""What a form takes, so that a password that is too long is refused with the reason and never cut off."""
_GUESSES = 10**10
_LOOKED_AT = 72
_MORE_LEAKED: list[str] = yaml.safe_load(Path(__file__).with_name("leaked.yml").read_text(encoding="utf-8"))
_LEAKED = frozenset([*FREQUENCY_LISTS["passwords"], *_MORE_LEAKED])
_INSTEAD = "Choose four words that have nothing to do with each other, or with you."
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
    if password.lower() in _LEAKED:
        return f"This password stands in lists of leaked passwords, which are tried first. {_INSTEAD}"
    words = [word for each in about for word in (each, *each.replace("@", " ").replace(".", " ").split()) if word]
    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[*words, "aftercare", *_MORE_LEAKED])
    if found["guesses"] >= _GUESSES:
        return ""
    said = (found["feedback"]["warning"] or "It follows a pattern that is tried early").rstrip(".")
    return f"This password would be guessed soon: {said}. {_INSTEAD}"
