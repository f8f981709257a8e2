"""Which protocol, in which language, a conversation is bound to; what is on record was all of one protocol, in English."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is on record is bound to vertebroplasty in English."""
    op.add_column("conversation", sa.Column("protocol", sa.String(length=64), nullable=False, server_default="vertebroplasty"))
    op.add_column("conversation", sa.Column("language", sa.String(length=16), nullable=False, server_default="en"))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("conversation", "language")
    op.drop_column("conversation", "protocol")
