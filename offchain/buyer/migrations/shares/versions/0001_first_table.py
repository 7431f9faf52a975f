"""The first table of the shares that a group hands over."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "shares",
        sa.Column("lock_id", sa.LargeBinary, primary_key=True),
        sa.Column("member", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("share", sa.LargeBinary, nullable=False),
    )
