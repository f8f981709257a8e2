"""What patients and the bot said, and what was delivered."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from gateway.records.tables.base import ID, Moment, metadata

conversation = Table(
    "conversation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("embed_key", String(64), nullable=False),
    Column("started_at", Moment, nullable=False, index=True),
    Column("address_group", String(16)),
    Column("protocol", String(64), nullable=False),
    Column("language", String(16), nullable=False),
    Index("conversation_by_group", "address_group"),
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
    Column("id", ID, primary_key=True, autoincrement=True),
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

delivery = Table(
    "delivery",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("at", Moment, nullable=False),
)

reading_try = Table(
    "reading_try",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("tries", Integer, nullable=False),
)

# Something is written here to see whether the database can be written, and taken away at once.
probe = Table(
    "probe",
    metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("filler", LargeBinary, nullable=False),
)
