"""One-time codes of authenticator apps, one each half minute."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

import pyotp

_STEP_SECONDS = 30
_ISSUER = "Aftercare"
_SECRET = re.compile(r"[A-Z2-7]{32}")


def new_secret() -> str:
    """A secret for an authenticator app."""
    return pyotp.random_base32()


def is_secret(written: str) -> bool:
    """Whether this is such a secret."""
    return _SECRET.fullmatch(written) is not None


def address_of(name: str, secret: str) -> str:
    """The address that an authenticator app reads from a QR code.

    Args:
        name: the account's name.
        secret: the secret that the app is to keep.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def step_at(now: datetime) -> int:
    """The half minute of a moment."""
    return int(now.timestamp() // _STEP_SECONDS)


def step_of(secret: str, one_time: str, now: datetime) -> int | None:
    """Which half minute a one-time code is of, a little early or late allowed; None when it is of none."""
    typed, current = "".join(one_time.split()), step_at(now)
    if not typed.isascii() or not is_secret(secret):
        return None
    app = pyotp.TOTP(secret)
    return next((step for step in (current, current - 1, current + 1) if secrets.compare_digest(app.generate_otp(step), typed)), None)
