"""The records' tables.

Rows of `event` are never changed or deleted; a purge deletes a conversation's key, which makes its words unreadable.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, also where the database knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as stored."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The moment as read."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()
_ID = BigInteger().with_variant(Integer, "sqlite")

conversation = Table(
    "conversation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("embed_key", String(64), nullable=False),
    Column("started_at", Moment, nullable=False, index=True),
)

conversation_key = Table(
    "conversation_key",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False, index=True),
    Column("started_at", Moment, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("client_id", String(64)),
    Column("reply_to", Integer),
    Column("disposition", String(16)),
    Column("facts", JSON, nullable=False),
    Column("sealed", LargeBinary),
    UniqueConstraint("conversation_id", "seq", name="one_event_a_place"),
    UniqueConstraint("conversation_id", "client_id", name="stored_once"),
    UniqueConstraint("conversation_id", "reply_to", name="answered_once"),
    Index("event_by_urgency", "disposition", "at"),
    Index("event_by_kind", "kind", "at"),
)
