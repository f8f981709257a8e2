"""The console's accounts, and the audit of what was done with them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from gateway.records.tables.base import ID, Moment, metadata

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
    Column("recovery", LargeBinary),
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
    Column("browser_known", Boolean),
    Column("seal", LargeBinary),
)

login_try = Table(
    "login_try",
    metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("whom", LargeBinary, nullable=False),
    Column("place", LargeBinary, key="source", nullable=False),
    Column("known", Boolean, nullable=False),
    Column("right", Boolean, nullable=False),
    Index("try_by_whom", "whom", "source", "at"),
    Index("try_by_place", "source", "at"),
    Index("try_by_age", "right", "at"),
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
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
    Column("seq", ID, primary_key=True, autoincrement=False),
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
    Column("seq", ID, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)
