"""Recovery codes of accounts; whether a login's browser was known; indexes by which the cases of an account are found.

A seal holds an account's codes where it has some. An older release does not know them: after a downgrade such an account counts as changed
until `python -m gateway seal-account` lets it count as it stands.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ACKNOWLEDGED = sa.text("state = 'acknowledged'")
_ASSIGNED = sa.text("assignee IS NOT NULL")


def upgrade() -> None:
    """Add them; accounts from before have no codes, and of logins from before nothing is known."""
    op.add_column("staff", sa.Column("recovery", sa.LargeBinary()))
    op.add_column("staff_session", sa.Column("browser_known", sa.Boolean()))
    op.create_index("case_by_assignee", "triage_case", ["assignee"], sqlite_where=_ASSIGNED, postgresql_where=_ASSIGNED)
    op.create_index("case_acknowledged_by", "triage_case", ["acknowledged_by"], sqlite_where=_ACKNOWLEDGED, postgresql_where=_ACKNOWLEDGED)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("case_acknowledged_by", "triage_case")
    op.drop_index("case_by_assignee", "triage_case")
    op.drop_column("staff_session", "browser_known")
    op.drop_column("staff", "recovery")
