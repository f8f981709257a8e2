"""The notices that wait to be delivered to the rota."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from gateway.console.policy import Step
from gateway.records.tables import notice

NOBODY = "nobody to tell"
NO_STEP = 0
"""The level of a notice that belongs to no step of the rota."""


def write_notices(
    connection: Connection,
    step: Step,
    level: int,
    now: datetime,
    body: Mapping[str, Any],
    case: int | None = None,
    group: str | None = None,
) -> int:
    """Put a step's notices into the outbox; where there is nobody to tell, a notice that says so. Returns how many are notified."""
    recipients = [("email", address) for address in step.email] + [("webhook", name) for name in step.webhook]
    whole = {**body, "step": step.name, "at": now.isoformat(timespec="seconds")}
    row = {"case_id": case, "address_group": group, "level": level, "body": whole, "created_at": now, "due_at": now, "attempts": 0}
    for channel, recipient in recipients:
        connection.execute(insert(notice).values(**row, channel=channel, recipient=recipient))
    if not recipients:
        given_up = {**row, "due_at": None, "given_up_at": now, "problem": NOBODY}
        connection.execute(insert(notice).values(**given_up, channel="none", recipient=""))
    return len(recipients)
