"""Which passwords are refused: those that are guessed soon, as the package zxcvbn knows them by its lists and patterns."""

from __future__ import annotations

from collections.abc import Iterable

from zxcvbn import zxcvbn

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
_GUESSES = 10**10
_LOOKED_AT = 72


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
