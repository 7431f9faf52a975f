"""The first table of what a sharing node helped to open."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "opened",
        sa.Column("region_id", sa.LargeBinary, primary_key=True),
        sa.Column("from_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("to_s", sa.BigInteger, nullable=False),
        sa.Column("set_digest", sa.LargeBinary, nullable=False),
    )
