"""Make the tables.

The index is made from the chain: a later step may drop all tables and make today's, and the
follower fills them again.
"""

from alembic import context, op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables as they are today."""
    context.config.attributes["tables"].create_all(op.get_bind())
