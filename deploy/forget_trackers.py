"""Deletes Rasa's own copy of conversations that are over: `python -m deploy.forget_trackers`, for the database in AFTERCARE_TRACKERS.

A chat ends after hours, and the gateway's records hold how it stood, so a day later Rasa needs nothing of it. What the database's files
still hold of it then is sealed under keys that Rasa's workers destroy a day later.
"""

from __future__ import annotations

import os
import sys
import time

from sqlalchemy import create_engine, make_url, text

from gateway.settings import ABSOLUTE
from vault.secret import SecretError, with_secrets

KEEP_SECONDS = 24 * 3600
assert ABSOLUTE.total_seconds() < KEEP_SECONDS
_OLD = "SELECT sender_id FROM events GROUP BY sender_id HAVING max(timestamp) < :before"


def forget(url: str, now: float) -> int:
    """Delete the conversations whose last event is a day old; how many they were."""
    engine = create_engine(make_url(url), hide_parameters=True)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        old = list(connection.scalars(text(_OLD), {"before": now - KEEP_SECONDS}))
        for name in old:
            connection.execute(text("DELETE FROM events WHERE sender_id = :name"), {"name": name})
    engine.dispose()
    return len(old)


def main() -> int:
    """Forget, and tell how many."""
    try:
        url = with_secrets(os.environ).get("AFTERCARE_TRACKERS")
    except SecretError as error:
        print(error, file=sys.stderr)
        return 1
    if not url:
        print("AFTERCARE_TRACKERS is not set; see deploy/env/.", file=sys.stderr)
        return 1
    print(f"{forget(url, time.time())} conversations were deleted from Rasa's database.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
