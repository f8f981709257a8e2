"""How often somebody may be wrong: at logging in, at a locked screen. Counted in the database, for all processes and over restarts.

A stranger locks nobody out: wrong tries count for an account together with the source that they come from, which is the browser if it has
logged in to that account before, else the address. What comes from sources without a successful login is also slowed down for the account
and for the address as a whole; a source with one is never.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, text

from gateway.records.database import writing
from gateway.records.store import Clock
from gateway.records.tables import login_try

_KNOWN = timedelta(days=90)
_KEPT = timedelta(hours=1)
_LOCK = 0x74726965


@dataclass(frozen=True)
class Limit:
    """So many wrong tries within a time."""

    name: str
    most: int
    within: timedelta


PAIR = Limit("pair", 5, timedelta(minutes=15))
ACCOUNT = Limit("account", 20, timedelta(minutes=15))
LOGIN = Limit("login", 20, timedelta(minutes=1))
UNLOCK = Limit("unlock", 5, timedelta(minutes=15))


@dataclass(frozen=True)
class Try:
    """A try to log in that may be made; it counts as wrong until it is right.

    Attributes:
        known: there was a successful login from this source.
        sources: the browser, if it says which it is, and the address.
    """

    whom: bytes
    source: bytes
    sources: tuple[bytes, ...]
    known: bool

    @property
    def browser_known(self) -> bool:
        """Whether there was a successful login with this browser, not only from this address."""
        return self.known and self.source != self.sources[-1]


class Tries:
    """The tries of one database; what is kept of who tried from where is a hash.

    Args:
        engine: the records' database.
        clock: tells the time.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, name: str, address: str, device: str = "") -> Try | None:
        """Let a try to log in be made, or not.

        Args:
            name: the account's name as typed, known or not.
            address: the network address that it comes from.
            device: what an earlier login left with the browser; empty for nothing.
        """
        whom, at_address = _hash("name", " ".join(name.split())), _hash("address", address)
        sources = (*([_hash("device", device)] if device else []), at_address)
        now = self._clock()
        with self._counting() as connection:
            source = next((each for each in sources if _is_known(connection, whom, each, now)), at_address)
            known = _is_known(connection, whom, source, now)
            t = login_try.c
            counted = [(PAIR, (t.whom == whom, t.source == source))]
            if not known:
                counted += [(ACCOUNT, (t.whom == whom, t.known.is_(False))), (LOGIN, (t.source == at_address, t.known.is_(False)))]
            if any(_wrong(connection, which, now, limit) >= limit.most for limit, which in counted):
                return None
            connection.execute(insert(login_try).values(at=now, whom=whom, source=source, known=known, right=False))
        return Try(whom, source, sources, known)

    def right(self, made: Try, device: str = "") -> None:
        """A try was right: its address and its browser are known from now on, and what was wrong at its source before is forgotten."""
        t, now = login_try.c, self._clock()
        sources = {*made.sources, *([_hash("device", device)] if device else [])}
        with writing(self._engine) as connection:
            connection.execute(delete(login_try).where(t.whom == made.whom, t.source == made.source, t.right.is_(False)))
            connection.execute(delete(login_try).where(t.whom == made.whom, t.source.in_(sources), t.right.is_(True)))
            row = {"at": now, "whom": made.whom, "known": True, "right": True}
            connection.execute(insert(login_try), [{**row, "source": source} for source in sources])

    def left(self, limit: Limit, whom: str) -> bool:
        """Whether somebody may try again."""
        with self._engine.connect() as connection:
            return _wrong(connection, self._own(limit, whom), self._clock(), limit) < limit.most

    def failed(self, limit: Limit, whom: str) -> None:
        """Count a failed try."""
        whose = _hash(limit.name, whom)
        with self._counting() as connection:
            connection.execute(insert(login_try).values(at=self._clock(), whom=whose, source=whose, known=True, right=False))

    def _own(self, limit: Limit, whom: str) -> tuple[ColumnElement[bool], ...]:
        whose = _hash(limit.name, whom)
        return login_try.c.whom == whose, login_try.c.source == whose

    @contextmanager
    def _counting(self) -> Iterator[Connection]:
        """A transaction in which nobody else counts; what is too old to count is forgotten."""
        t, now = login_try.c, self._clock()
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            connection.execute(delete(login_try).where(t.right.is_(False), t.at < now - _KEPT))
            connection.execute(delete(login_try).where(t.right.is_(True), t.at < now - _KNOWN))
            yield connection


def _wrong(connection: Connection, which: Sequence[ColumnElement[bool]], now: datetime, limit: Limit) -> int:
    t = login_try.c
    query = select(func.count()).select_from(login_try).where(*which, t.right.is_(False), t.at > now - limit.within)
    return connection.scalar(query) or 0


def _is_known(connection: Connection, whom: bytes, source: bytes, now: datetime) -> bool:
    t = login_try.c
    query = select(t.id).where(t.whom == whom, t.source == source, t.right.is_(True), t.at > now - _KNOWN).limit(1)
    return connection.scalar(query) is not None


def _hash(kind: str, what: str) -> bytes:
    return hashlib.sha256(f"{kind}:{what}".encode()).digest()
