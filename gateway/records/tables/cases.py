"""The nurses' cases, and what nurses did with them. `triage_case` is derived from the events, in the transaction that stores them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table, text

from gateway.records.tables.base import ID, Moment, metadata

CALLED = text("callback_at IS NOT NULL")
CHECKING = text("danger_check IN ('before', 'behind')")
SEEN = text("state = 'acknowledged'")
_ASSIGNED = text("assignee IS NOT NULL")

triage_case = Table(
    "triage_case",
    metadata,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False, unique=True),
    Column("opened_at", Moment, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("place", SmallInteger, key="rank", nullable=False),
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
    Column("by_hand", SmallInteger),
    Column("lower_to", SmallInteger),
    Column("lower_asked_by", Integer),
    Column("signal", String(16), nullable=False, server_default=""),
    Column("callback_at", Moment),
    Column("callback_due", Moment),
    Column("caller", LargeBinary),
    Column("joined", Integer),
    Column("held_by", Integer),
    Column("held_until", Moment),
    Column("unread", Integer, nullable=False, server_default="0"),
    Column("words_at", Moment),
    Column("next_attempt_at", Moment),
    Column("paged_at", Moment),
    Index("case_in_queue", "rank", "fired_at", "id"),
    Index("case_by_acknowledgement", "acknowledged_at"),
    Index("case_by_opening", "opened_at"),
    Index("case_by_assignee", "assignee", sqlite_where=_ASSIGNED, postgresql_where=_ASSIGNED),
    Index("case_acknowledged_by", "acknowledged_by", sqlite_where=SEEN, postgresql_where=SEEN),
    Index("case_checking", "last_at", sqlite_where=CHECKING, postgresql_where=CHECKING),
    *(
        Index(name, column, sqlite_where=text(f"{column} IS NOT NULL"), postgresql_where=text(f"{column} IS NOT NULL"))
        for name, column in (("case_held", "held_until"), ("case_by_caller", "caller"), ("case_by_joined", "joined"))
    ),
    Index("case_called", "callback_due", sqlite_where=CALLED, postgresql_where=CALLED),
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
    Column("id", ID, primary_key=True, autoincrement=True),
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
    Column("id", ID, primary_key=True, autoincrement=True),
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
    Column("id", ID, primary_key=True, autoincrement=True),
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
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("since", Moment, nullable=False),
    Column("given_by", ForeignKey("staff.id"), nullable=False),
    Column("taken_by", ForeignKey("staff.id")),
    Column("taken_at", Moment),
    Column("figures", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
