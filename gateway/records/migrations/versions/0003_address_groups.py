"""Address groups: which conversations of a day came from one address, as a keyed hash; and which notices are about such a group."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("conversation", "notice")


def upgrade() -> None:
    """Add the columns; what is on record has no group."""
    for table in _TABLES:
        op.add_column(table, sa.Column("address_group", sa.String(length=16)))
        op.create_index(f"{table}_by_group", table, ["address_group"])


def downgrade() -> None:
    """Drop the columns."""
    for table in _TABLES:
        op.drop_index(f"{table}_by_group", table)
        op.drop_column(table, "address_group")
