"""Run by Alembic: migrate on the connection that ``storage/migrate.py`` hands in."""

from alembic import context

from scriptrunner.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
