"""Who is logged in: opaque tokens, hashed at rest, that lock themselves when nobody is there and end in any case."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, insert, select, update

from gateway.console.identity.accounts import Staff
from gateway.console.identity.seals import Tell
from gateway.console.identity.staff import StaffBook
from gateway.console.policy import Policy
from gateway.records.database import writing
from gateway.records.store import Clock
from gateway.records.tables import staff_session

COOKIE = "__Host-console"
_TOKEN_BYTES = 32
_CSRF = b"csrf"


@dataclass(frozen=True)
class Login:
    """One login.

    Attributes:
        csrf: what every form of this login carries.
        locked: nobody was there for a while; the password opens it again.
        proved_at: when its owner last gave a password, or came from the provider.
    """

    token: str
    staff: Staff
    csrf: str
    locked: bool
    proved_at: datetime


@dataclass(frozen=True)
class LoginRecord:
    """A login that began.

    Attributes:
        at: when it began.
        browser_known: whether its browser had logged in to the account before; None where that is not stored.
    """

    at: datetime
    browser_known: bool | None


class Sessions:
    """The logins.

    Args:
        engine: the records' database.
        book: the accounts.
        policy: when a login locks itself and when it ends.
        clock: tells the time.
        tell: is notified of a login that somebody made or changed in the database.
    """

    def __init__(self, engine: Engine, book: StaffBook, policy: Policy, clock: Clock, tell: Tell | None = None) -> None:
        self._tell = tell
        self._engine = engine
        self._book = book
        self._policy = policy
        self._clock = clock

    def start(self, person: Staff, browser_known: bool | None = None) -> str:
        """Log somebody in, and return the token, which is stored nowhere.

        Args:
            person: who logs in.
            browser_known: whether the browser has logged in to the account before; None where nobody can tell.
        """
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self._clock()
        new = {"token_hash": hash_of(token), "staff_id": person.id, "started_at": now, "seen_at": now, "proved_at": now}
        with writing(self._engine) as connection:
            seal = self._book.seals.of_login(new, connection)
            connection.execute(insert(staff_session).values(**new, locked=False, browser_known=browser_known, seal=seal))
        return token

    def find(self, token: str) -> Login | None:
        """The login of a token; None when there is none that counts."""
        with self._engine.connect() as connection:
            row = connection.execute(select(staff_session).where(staff_session.c.token_hash == hash_of(token))).one_or_none()
        now = self._clock()
        if row is None or row.ended_at is not None or now >= row.started_at + self._policy.longest:
            return None
        if self._book.seals.login(row._mapping) is None:
            if self._tell is not None:
                self._tell("login", row.staff_id)
            return None
        person = self._book.get(row.staff_id)
        if person is None or person.disabled:
            return None
        locked = row.locked or now >= row.seen_at + self._policy.lock_after
        return Login(token, person, csrf_of(token), locked, row.proved_at)

    def touch(self, token: str) -> None:
        """Somebody is there."""
        self._set(token, seen_at=self._clock())

    def lock(self, token: str) -> None:
        """Lock a login at once."""
        self._set(token, locked=True)

    def unlock(self, token: str) -> None:
        """Its owner is back."""
        now, mine = self._clock(), staff_session.c.token_hash == hash_of(token)
        with writing(self._engine) as connection:
            row = connection.execute(select(staff_session).where(mine).with_for_update()).mappings().one_or_none()
            if row is None or self._book.seals.login(row) is None:
                return
            seal = self._book.seals.of_login({**row, "proved_at": now}, connection)
            connection.execute(update(staff_session).where(mine).values(locked=False, seen_at=now, proved_at=now, seal=seal))

    def end(self, token: str) -> None:
        """Log out."""
        self._set(token, ended_at=self._clock())

    def history(self, login: Login) -> tuple[LoginRecord, LoginRecord | None]:
        """How a login began, and the latest other one of its account, if there is any."""
        s = staff_session.c
        query = select(s.token_hash, s.started_at, s.browser_known).where(s.staff_id == login.staff.id).order_by(s.started_at.desc())
        mine = s.token_hash == hash_of(login.token)
        with self._engine.connect() as connection:
            this = connection.execute(query.where(mine)).one()
            other = connection.execute(query.where(~mine).limit(1)).one_or_none()
        records = [LoginRecord(row.started_at, row.browser_known) for row in (this, other) if row is not None]
        return records[0], records[1] if other is not None else None

    def latest(self) -> dict[int, datetime]:
        """When each account logged in last, by its number."""
        s = staff_session.c
        with self._engine.connect() as connection:
            rows = connection.execute(select(s.staff_id, func.max(s.started_at).label("at")).group_by(s.staff_id))
            return {row.staff_id: row.at for row in rows}

    def on_duty(self) -> list[Staff]:
        """Who is logged in and was there lately."""
        since = self._clock() - self._policy.lock_after
        query = select(staff_session.c.staff_id).distinct().where(staff_session.c.ended_at.is_(None), staff_session.c.seen_at > since)
        with self._engine.connect() as connection:
            numbers = list(connection.scalars(query))
        return [person for number in numbers if (person := self._book.get(number)) and not person.disabled]

    def _set(self, token: str, **values: object) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(staff_session).where(staff_session.c.token_hash == hash_of(token)).values(**values))


def csrf_of(token: str) -> str:
    """What a login's forms carry to show that they are ours."""
    return hmac.new(token.encode(), _CSRF, hashlib.sha256).hexdigest()


def hash_of(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()
