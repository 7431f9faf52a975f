"""How Alembic runs a store's steps: on the connection, and in the transaction, that it is given."""

from alembic import context

from offchain.database.schema import VERSIONS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["tables"],
    version_table=VERSIONS,
    render_as_batch=True,
)
context.run_migrations()
