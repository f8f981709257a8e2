"""Filters of the queue that somebody saved under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Engine, delete, insert, select

from gateway.records.database import writing
from gateway.records.tables import saved_view


@dataclass(frozen=True)
class View:
    """A saved view; `address` is its filter as the query of an address."""

    id: int
    name: str
    address: str


class Views:
    """The saved views.

    Args:
        engine: the records' database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, person: int) -> list[View]:
        """Somebody's views by name."""
        query = select(saved_view).where(saved_view.c.staff_id == person).order_by(saved_view.c.name)
        with self._engine.connect() as connection:
            return [View(row.id, row.name, urlencode(row.query)) for row in connection.execute(query)]

    def save(self, person: int, name: str, query: Mapping[str, str]) -> None:
        """Save a view; one of the same name gives way."""
        name = " ".join(name.split())[:60] or "My view"
        with writing(self._engine) as connection:
            connection.execute(delete(saved_view).where(saved_view.c.staff_id == person, saved_view.c.name == name))
            connection.execute(insert(saved_view).values(staff_id=person, name=name, query=dict(query)))

    def delete(self, person: int, number: int) -> None:
        """Forget one of somebody's own views."""
        with writing(self._engine) as connection:
            connection.execute(delete(saved_view).where(saved_view.c.staff_id == person, saved_view.c.id == number))
