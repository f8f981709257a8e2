"""Accounts and logins are sealed; tries to log in are counted here; a row to write to, which shows that the database can be written."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them. Logins from before have no seal and end; accounts from before are sealed by `python -m gateway migrate`."""
    op.add_column("staff", sa.Column("seal", sa.LargeBinary()))
    op.add_column("staff_session", sa.Column("seal", sa.LargeBinary()))
    op.drop_column("staff", "failures")
    op.drop_column("staff", "locked_until")
    op.create_table(
        "login_try",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("whom", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("try_by_whom", "login_try", ["whom", "place", "at"])
    op.create_index("try_by_place", "login_try", ["place", "at"])
    op.create_index("try_by_age", "login_try", ["right", "at"])
    op.create_table(
        "probe",
        sa.Column("id", _ID, nullable=False),
        sa.Column("filler", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Drop what this migration made."""
    op.drop_table("probe")
    op.drop_table("login_try")
    op.add_column("staff", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("staff", sa.Column("locked_until", _MOMENT))
    op.drop_column("staff_session", "seal")
    op.drop_column("staff", "seal")
