"""Where the danger check stands in a case."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHECKING = sa.text("danger_check IN ('before', 'behind')")


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("triage_case", sa.Column("danger_check", sa.String(length=16), nullable=False, server_default=""))
    op.create_index("case_checking", "triage_case", ["last_at"], sqlite_where=_CHECKING, postgresql_where=_CHECKING)


def downgrade() -> None:
    """Drop the column."""
    op.drop_index("case_checking", "triage_case")
    op.drop_column("triage_case", "danger_check")
