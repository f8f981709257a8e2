"""Alembic's entry: runs the migrations on the connection that `gateway.records.database.migrate` hands over."""

from alembic import context

from gateway.records.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
