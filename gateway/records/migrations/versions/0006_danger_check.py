"""Where the danger check stands in a case; a case is made for every conversation on record that is older than the console."""

import sqlalchemy as sa
from alembic import op

from gateway.records import cases, tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHECKING = sa.text("danger_check IN ('before', 'behind')")


def upgrade() -> None:
    """Add the column and its index; where there is no case at all, make one for every conversation."""
    op.add_column("triage_case", sa.Column("danger_check", sa.String(length=16), nullable=False, server_default=""))
    op.create_index("case_checking", "triage_case", ["last_at"], sqlite_where=_CHECKING, postgresql_where=_CHECKING)
    if op.get_bind().scalar(sa.select(tables.triage_case.c.id).limit(1)) is not None:
        return
    events = op.get_bind().execute(sa.select(tables.event).order_by(tables.event.c.id)).all()
    for each in events:
        cases.follow(op.get_bind(), each.conversation_id, each.seq, each.kind, each.at, each.facts, each.disposition)


def downgrade() -> None:
    """Drop the column."""
    op.drop_index("case_checking", "triage_case")
    op.drop_column("triage_case", "danger_check")
