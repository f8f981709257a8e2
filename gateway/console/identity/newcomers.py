"""Tells all leads of an account that may read patients' words: nobody gets in by one admin's hand alone without their knowing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, insert, select

from gateway.console.identity.accounts import Staff
from gateway.console.identity.rights import may
from gateway.console.identity.staff import StaffBook
from gateway.records.database import writing
from gateway.records.store import Clock
from gateway.records.tables import notice

ABOUT = "account"
LEVEL = 0
_SHOWN = timedelta(days=7)
_NO_LEAD = "no lead has e-mail"


class Newcomers:
    """The accounts that came to patients' words.

    Args:
        engine: the records' database.
        book: the accounts.
        clock: tells the time.
        console: the console's address.
    """

    def __init__(self, engine: Engine, book: StaffBook, clock: Clock, console: str) -> None:
        self._engine = engine
        self._book = book
        self._clock = clock
        self._console = console

    def tell(self, person: Staff, how: str, by: str) -> None:
        """Tell the leads by e-mail, and on their first page for a week, unless this account sees no words.

        Args:
            person: the account.
            how: what was done: made, invited, role.
            by: the name of who did it.
        """
        if not may(person.role, "see_case"):
            return
        now = self._clock()
        body = {
            "about": ABOUT, "name": person.name, "role": person.role, "how": how, "by": by, "step": "all leads",
            "at": now.isoformat(timespec="seconds"), "link": f"{self._console}/audit",
        }  # fmt: skip
        row = {"case_id": None, "level": LEVEL, "body": body, "created_at": now, "attempts": 0}
        leads = [lead.email for lead in self._book.everybody() if lead.role == "lead" and lead.email and not lead.disabled]
        with writing(self._engine) as connection:
            for address in leads:
                connection.execute(insert(notice).values(**row, channel="email", recipient=address, due_at=now))
            if not leads:
                nobody = {"channel": "none", "recipient": "", "due_at": None, "given_up_at": now, "problem": _NO_LEAD}
                connection.execute(insert(notice).values(**row, **nobody))

    def latest(self) -> list[Mapping[str, Any]]:
        """What leads see on their first page: name, role, how, by and at of each of the last week's, once."""
        n = notice.c
        query = select(n.body).where(n.case_id.is_(None), n.level == LEVEL, n.created_at > self._clock() - _SHOWN).order_by(n.id.desc())
        with self._engine.connect() as connection:
            found = [body for body in connection.scalars(query) if body["about"] == ABOUT]
        return list({(body["name"], body["at"], body["how"]): body for body in found}.values())
