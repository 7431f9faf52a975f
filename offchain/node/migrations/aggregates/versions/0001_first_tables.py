"""The first tables of a node's aggregate sets: keys, sets, openings."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make them all."""
    op.create_table(
        "aggregate_keys",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "aggregate_sets",
        sa.Column("from_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("to_s", sa.BigInteger, nullable=False),
        sa.Column("set_digest", sa.LargeBinary, nullable=False),
        sa.Column("announcement", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("set_digest"),
    )
    op.create_table(
        "aggregate_openings",
        sa.Column("set_digest", sa.LargeBinary, primary_key=True),
        sa.Column("member", sa.String, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
