"""What patient and nurse need to reach each other; a case is made for every conversation on record that is older than the console."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from gateway.records import cases, tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_CALLED = sa.text("callback_at IS NOT NULL")
_HELD = sa.text("held_until IS NOT NULL")
_CALLER = sa.text("caller IS NOT NULL")
_INDEXES = (
    ("case_called", "callback_due", _CALLED),
    ("case_held", "held_until", _HELD),
    ("case_by_caller", "caller", _CALLER),
    ("case_by_joined", "joined", sa.text("joined IS NOT NULL")),
)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("by_hand", sa.SmallInteger()),
        sa.Column("lower_to", sa.SmallInteger()),
        sa.Column("lower_asked_by", sa.Integer()),
        sa.Column("signal", sa.String(length=16), nullable=False, server_default=""),
        sa.Column("callback_at", _MOMENT),
        sa.Column("callback_due", _MOMENT),
        sa.Column("caller", sa.LargeBinary()),
        sa.Column("joined", sa.Integer()),
        sa.Column("held_by", sa.Integer()),
        sa.Column("held_until", _MOMENT),
        sa.Column("unread", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("words_at", _MOMENT),
        sa.Column("next_attempt_at", _MOMENT),
        sa.Column("paged_at", _MOMENT),
    ]


def upgrade() -> None:
    """Add the columns and their indexes; where there is no case at all, make one for every conversation."""
    for column in _columns():
        op.add_column("triage_case", column)
    for name, indexed, where in _INDEXES:
        op.create_index(name, "triage_case", [indexed], sqlite_where=where, postgresql_where=where)
    if op.get_bind().scalar(sa.select(tables.triage_case.c.id).limit(1)) is not None:
        return
    events = op.get_bind().execute(sa.select(tables.event).order_by(tables.event.c.id)).all()
    for each in events:
        cases.follow(op.get_bind(), each.conversation_id, each.seq, each.kind, each.at, each.facts, each.disposition)


def downgrade() -> None:
    """Drop the columns."""
    for name, *_ in _INDEXES:
        op.drop_index(name, "triage_case")
    for column in reversed(_columns()):
        op.drop_column("triage_case", column.name)
