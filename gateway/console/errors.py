"""Why something cannot be done with a case."""

from __future__ import annotations


class NoCaseError(LookupError):
    """There is no case of this number."""


class ActError(ValueError):
    """An act that is refused; the message says why, and what to do instead.

    Args:
        message: the sentence for the nurse.
        status: 409 when the case stands otherwise than the nurse thinks; 422 when what was given does not count.
    """

    def __init__(self, message: str, status: int = 409) -> None:
        super().__init__(message)
        self.status = status
