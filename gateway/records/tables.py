"""The records' tables.

Rows of `event`, `case_act` and `audit` are never changed or deleted; a purge deletes a conversation's key, which makes its words, and what
nurses wrote about it, unreadable.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    text,
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
CHECKING = text("danger_check IN ('before', 'behind')")
_ID = BigInteger().with_variant(Integer, "sqlite")

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

# The console: what nurses work with. `triage_case` is derived from the events, in the transaction that stores them.

triage_case = Table(
    "triage_case",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False, unique=True),
    Column("opened_at", Moment, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("fired_at", Moment, nullable=False),
    Column("fired_seq", Integer, nullable=False),
    Column("waiting_since", Moment),
    Column("last_at", Moment, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("asking", Boolean, nullable=False),
    Column("danger_check", String(16), nullable=False, server_default=""),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", ForeignKey("staff.id")),
    Column("assignee", ForeignKey("staff.id")),
    Column("snoozed_until", Moment),
    Column("closed_at", Moment),
    Column("outcome", String(32)),
    Column("escalated", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", Moment, nullable=False, index=True),
    Index("case_in_queue", "place", "fired_at", "id"),
    Index("case_by_acknowledgement", "acknowledged_at"),
    Index("case_by_opening", "opened_at"),
    Index("case_checking", "last_at", sqlite_where=CHECKING, postgresql_where=CHECKING),
    Index(
        "case_snoozed", "snoozed_until", sqlite_where=text("snoozed_until IS NOT NULL"), postgresql_where=text("snoozed_until IS NOT NULL")
    ),
    Index(
        "case_waiting", "waiting_since", sqlite_where=text("waiting_since IS NOT NULL"), postgresql_where=text("waiting_since IS NOT NULL")
    ),
)

case_rule = Table(
    "case_rule",
    metadata,
    Column("case_id", ForeignKey("triage_case.id"), primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("protocol", String(64), nullable=False),
    Index("case_rule_by_rule", "rule", "case_id"),
)

case_finding = Table(
    "case_finding",
    metadata,
    Column("case_id", ForeignKey("triage_case.id"), primary_key=True),
    Column("code", String(32), primary_key=True),
    Column("status", String(16), primary_key=True),
    Index("case_finding_by_code", "code", "status", "case_id"),
)

case_act = Table(
    "case_act",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("case_id", ForeignKey("triage_case.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("staff_id", ForeignKey("staff.id")),
    Column("kind", String(16), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("sealed", LargeBinary),
    Index("act_by_case", "case_id", "id"),
    Index("act_by_kind", "kind", "at"),
)

disagreement = Table(
    "disagreement",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("case_id", ForeignKey("triage_case.id"), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("accepted", JSON, nullable=False),
    Column("sealed", LargeBinary),
    Column("reviewed_at", Moment),
    Column("reviewer_id", ForeignKey("staff.id")),
    Column("verdict", String(16)),
    Column("written_at", Moment),
)

notice = Table(
    "notice",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("case_id", ForeignKey("triage_case.id"), index=True),
    Column("level", SmallInteger, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("given_up_at", Moment),
    Column("problem", String(64)),
    Column("address_group", String(16)),
    Index("notice_due", "due_at"),
    Index("notice_by_group", "address_group"),
)

handover = Table(
    "handover",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("since", Moment, nullable=False),
    Column("given_by", ForeignKey("staff.id"), nullable=False),
    Column("taken_by", ForeignKey("staff.id")),
    Column("taken_at", Moment),
    Column("figures", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("email", String(254)),
    Column("role", String(16), nullable=False),
    Column("subject", String(255), unique=True),
    Column("password", String(255)),
    Column("totp", LargeBinary),
    Column("totp_step", Integer, nullable=False),
    Column("invitation", LargeBinary, unique=True),
    Column("invited_until", Moment),
    Column("disabled_at", Moment),
    Column("single_keys", Boolean, nullable=False),
    Column("sound", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seal", LargeBinary),
)

staff_session = Table(
    "staff_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, index=True),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("proved_at", Moment, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("ended_at", Moment),
    Column("seal", LargeBinary),
)

login_try = Table(
    "login_try",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("whom", LargeBinary, nullable=False),
    Column("place", LargeBinary, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("right", Boolean, nullable=False),
    Index("try_by_whom", "whom", "place", "at"),
    Index("try_by_place", "place", "at"),
    Index("try_by_age", "right", "at"),
)

# Something is written here to see whether the database can be written, and taken away at once.
probe = Table(
    "probe",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("filler", LargeBinary, nullable=False),
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("case_id", ForeignKey("triage_case.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("reason", String(32), nullable=False),
    Index("glass_by_staff", "staff_id", "case_id"),
)

saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("query", JSON, nullable=False),
    UniqueConstraint("staff_id", "name", name="one_view_a_name"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _ID, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("staff_id", Integer),
    Column("act", String(32), nullable=False),
    Column("case_id", Integer),
    Column("detail", JSON, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Index("audit_by_case", "case_id", "seq"),
    Index("audit_by_staff", "staff_id", "seq"),
    Index("audit_by_act", "act", "seq"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", _ID, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)
