"""Conversations, their keys, sessions and events; events can only be added."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables and the triggers that refuse a change."""
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("embed_key", sa.String(64), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_conversation_started_at", "conversation", ["started_at"])
    op.create_table(
        "conversation_key",
        sa.Column("conversation_id", sa.String(32), sa.ForeignKey("conversation.id"), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("conversation_id", sa.String(32), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_session_conversation_id", "session", ["conversation_id"])
    op.create_table(
        "event",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("conversation_id", sa.String(32), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("client_id", sa.String(64)),
        sa.Column("reply_to", sa.Integer),
        sa.Column("disposition", sa.String(16)),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.UniqueConstraint("conversation_id", "seq", name="one_event_a_place"),
        sa.UniqueConstraint("conversation_id", "client_id", name="stored_once"),
        sa.UniqueConstraint("conversation_id", "reply_to", name="answered_once"),
    )
    op.create_index("event_by_urgency", "event", ["disposition", "at"])
    op.create_index("event_by_kind", "event", ["kind", "at"])
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER event_no_{act.lower()} BEFORE {act} ON event BEGIN SELECT RAISE(ABORT, 'events can only be added'); END"
            )
        taken = " OR ".join(
            f"EXISTS (SELECT 1 FROM event WHERE {same})"
            for same in (
                "id = NEW.id",
                "conversation_id = NEW.conversation_id AND seq = NEW.seq",
                "conversation_id = NEW.conversation_id AND client_id = NEW.client_id",
                "conversation_id = NEW.conversation_id AND reply_to = NEW.reply_to",
            )
        )
        op.execute(f"CREATE TRIGGER event_no_replace BEFORE INSERT ON event WHEN {taken} BEGIN SELECT RAISE(ABORT, 'UNIQUE'); END")
    else:
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'events can only be added'; END $$"
        )
        op.execute("CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    """Drop everything."""
    for table in ("event", "session", "conversation_key", "conversation"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_change()")
