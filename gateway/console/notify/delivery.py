"""The outbox: brings notices to e-mail addresses and webhooks, again and again until they arrive or are given up.

A notice is brought at least once: a gateway that dies between sending and noting so leaves it to be sent again, under the same
`Message-ID` or `Idempotency-Key`. No notice holds a patient's words.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine, select, update

from aftercare.protocol.clinic import Clinic
from gateway.console.times import moment
from gateway.records.database import writing
from gateway.records.store import Clock
from gateway.records.tables import notice
from gateway.records.tier import Tier
from gateway.settings import Settings

_log = structlog.get_logger(__name__)
_SECONDS = 5.0
_LEASE = timedelta(minutes=2)
_TEMPLATES = Path(__file__).parents[1] / "templates"
_TIERS = {tier.key: tier.label for tier in Tier}


class DeliveryError(Exception):
    """A notice that could not be brought; the message is why, without anything that the other side wrote."""


@dataclass(frozen=True)
class Posted:
    """A notice and what became of it.

    Attributes:
        case: the case's number; None for a silence, an account or a test.
        flood: it is about all the emergencies from one address, the case among them.
        step: the rota's step that is notified.
        due_at: when it is tried next; None when it is not.
        problem: why the last try failed, or None.
        about: case, flood, silence, account or test.
    """

    id: int
    case: int | None
    flood: bool
    step: str
    level: int
    channel: str
    recipient: str
    at: datetime
    due_at: datetime | None
    attempts: int
    sent_at: datetime | None
    given_up_at: datetime | None
    problem: str | None
    about: str


class NoticeDelivery:
    """The outbox of one database. Several gateways may empty it at once.

    Args:
        engine: the records' database.
        settings: where notices go to, and how often they are tried.
        clock: tells the time.
        clinic: whose local time letters tell.
    """

    def __init__(self, engine: Engine, settings: Settings, clock: Clock, clinic: Clinic) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._wording = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._wording.filters["moment"] = partial(moment, clinic)

    def deliver(self) -> int:
        """Bring everything that is due; returns how many notices were tried."""
        tried = 0
        while self.deliver_one():
            tried += 1
        return tried

    def deliver_one(self) -> bool:
        """Bring one notice that is due, one that was not tried yet before the others; False when none is."""
        claimed = self._claim()
        if claimed is None:
            return False
        row, lease = claimed
        try:
            if row.channel == "email":
                self._mail(row)
            else:
                self._call(row)
        except Exception as error:
            problem = str(error) if isinstance(error, DeliveryError) else type(error).__name__
            self._failed(row, lease, problem[:64])
        else:
            self._sent(row)
        return True

    def latest(self, most: int) -> list[Posted]:
        """The latest notices, those that were given up first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(notice).order_by(notice.c.id.desc()).limit(most)).all()
        return sorted(map(_posted, rows), key=lambda posted: posted.given_up_at is None)

    def _claim(self) -> tuple[Any, datetime] | None:
        """A due notice, which nobody else sends until its lease is over, and the end of the lease."""
        n = notice.c
        while True:
            now = self._clock()
            query = select(notice).where(n.due_at <= now, n.sent_at.is_(None)).order_by(n.attempts, n.due_at, n.id).limit(1)
            with self._engine.connect() as connection:
                row = connection.execute(query).one_or_none()
            if row is None:
                return None
            lease = now + _LEASE
            mine = update(notice).where(n.id == row.id, n.due_at == row.due_at, n.attempts == row.attempts)
            with writing(self._engine) as connection:
                if connection.execute(mine.values(due_at=lease, attempts=n.attempts + 1)).rowcount:
                    return row, lease

    def _sent(self, row: Any) -> None:
        values = {"sent_at": self._clock(), "due_at": None, "given_up_at": None, "problem": None}
        with writing(self._engine) as connection:
            connection.execute(update(notice).where(notice.c.id == row.id, notice.c.sent_at.is_(None)).values(**values))

    def _failed(self, row: Any, lease: datetime, problem: str) -> None:
        now, tried = self._clock(), row.attempts + 1
        again = self._settings.policy.retries[row.attempts : tried]
        values = {"due_at": now + again[0]} if again else {"due_at": None, "given_up_at": now}
        with writing(self._engine) as connection:
            mine = update(notice).where(notice.c.id == row.id, notice.c.due_at == lease)
            connection.execute(mine.values(**values, problem=problem))
        tell = _log.warning if again else _log.error
        tell("notice not delivered" if again else "notice given up", notice=row.id, channel=row.channel, attempts=tried, problem=problem)

    def _call(self, row: Any) -> None:
        """Post a notice to its webhook, signed.

        Raises:
            DeliveryError: it has no address any more, or does not answer with 2xx; a redirect is not followed.
        """
        address = self._settings.webhooks.get(row.recipient)
        if address is None:
            raise DeliveryError("no address")
        content = json.dumps({"notice": row.id, "level": row.level, **row.body}, sort_keys=True).encode()
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"aftercare-notice-{row.id}",
            "Aftercare-Timestamp": timestamp,
            "Aftercare-Signature": signature(self._settings.webhook_key, timestamp, content),
        }
        with (
            httpx.Client(timeout=_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream("POST", address, content=content, headers=headers) as response,
        ):
            if not response.is_success:
                raise DeliveryError(f"HTTP {response.status_code}")

    def _mail(self, row: Any) -> None:
        """Hand a notice to the mail server.

        Raises:
            DeliveryError: there is none, or it would get its password unencrypted.
        """
        with mail_server(self._settings.smtp) as smtp:
            smtp.send_message(self._letter(row))

    def _letter(self, row: Any) -> EmailMessage:
        words: Mapping[str, Any] = {**row.body, "at": datetime.fromisoformat(row.body["at"]), "tiers": _TIERS}
        subject, _, content = self._wording.get_template("mail.txt").render(words).partition("\n")
        letter = EmailMessage()
        letter["Subject"] = subject
        letter["From"] = self._settings.mail_from
        letter["To"] = row.recipient
        letter["Date"] = self._clock()
        letter["Message-ID"] = f"<aftercare-notice-{row.id}@{self._settings.mail_from.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(content.strip() + "\n")
        return letter


@contextmanager
def mail_server(address: str) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server, encrypted where it offers that, and logged in where the address names somebody.

    Raises:
        DeliveryError: there is none, or it would get its password unencrypted.
    """
    if not address:
        raise DeliveryError("no mail server")
    server = urlsplit(address)
    context = ssl.create_default_context()
    connected = (
        smtplib.SMTP_SSL(server.hostname or "", server.port or 0, timeout=_SECONDS, context=context)
        if server.scheme == "smtps"
        else smtplib.SMTP(server.hostname or "", server.port or 0, timeout=_SECONDS)
    )
    with connected as smtp:
        smtp.ehlo_or_helo_if_needed()
        if server.scheme == "smtp" and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
        if server.username is not None:
            if not isinstance(smtp.sock, ssl.SSLSocket):
                raise DeliveryError("mail server does not encrypt")
            smtp.login(unquote(server.username), unquote(server.password or ""))
        yield smtp


def signature(key: bytes, timestamp: str, content: bytes) -> str:
    """What the receiver of a webhook compares: HMAC-SHA256 over the timestamp and the body, in hexadecimal."""
    return hmac.new(key, timestamp.encode() + content, hashlib.sha256).hexdigest()


def _posted(row: Any) -> Posted:
    copied = ("id", "level", "channel", "recipient", "due_at", "attempts", "sent_at", "given_up_at", "problem")
    named = {name: getattr(row, name) for name in copied}
    about, flood = row.body.get("about", ""), row.address_group is not None
    return Posted(case=row.case_id, flood=flood, step=row.body["step"], at=row.created_at, about=about, **named)
