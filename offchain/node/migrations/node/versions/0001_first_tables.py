"""The first tables of a node: devices' readings, jobs, duties and notes."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make them all."""
    _device_tables()
    _job_tables()
    _duty_tables()


def _device_tables() -> None:
    _table(
        "day_keys",
        *_keys(device=sa.String, day=sa.BigInteger),
        *_values(sealed_digest=sa.LargeBinary, seal_key=sa.LargeBinary, nonce_key=sa.LargeBinary),
    )
    _table(
        "readings",
        *_keys(device=sa.String, seq=sa.BigInteger),
        *_values(time_s=sa.BigInteger, record=sa.LargeBinary, box_digest=sa.LargeBinary),
    )
    op.create_index("readings_by_time", "readings", ["device", "time_s"], unique=True)
    _table(
        "batches",
        *_keys(device=sa.String, from_seq=sa.BigInteger),
        *_values(count=sa.BigInteger, day=sa.BigInteger),
        *_values(root=sa.LargeBinary, signature=sa.LargeBinary),
    )
    op.create_index("batches_by_day", "batches", ["device", "day"])
    _table(
        "envelopes",
        *_keys(device=sa.String, seq=sa.BigInteger),
        *_values(box=sa.LargeBinary, signature=sa.LargeBinary),
    )
    _table("starts", *_keys(device=sa.String), *_values(seq=sa.BigInteger))


def _job_tables() -> None:
    op.create_table(
        "requests",
        *_first("lock_id"),
        *_values(requester=sa.String, type_id=sa.BigInteger, nonce=sa.LargeBinary),
        *_values(expires_at=sa.BigInteger, state=sa.String),
        *_values(factor=sa.LargeBinary, answer=sa.LargeBinary, reason=sa.String, is_optional=True),
        sa.UniqueConstraint("lock_id"),
    )
    op.create_index("requests_by_state", "requests", ["state"])
    op.create_table(
        "data_sets",
        *_first("data_set_id"),
        *_values(data_key=sa.LargeBinary, paillier=sa.LargeBinary),
        *_values(from_s=sa.BigInteger, to_s=sa.BigInteger, row_count=sa.BigInteger),
        *_values(readings_root=sa.LargeBinary, manifest=sa.LargeBinary, owners=sa.LargeBinary),
        *_values(sale_until=sa.BigInteger, price_wei=sa.String),
        _flag("published"),
        sa.UniqueConstraint("data_set_id"),
    )
    op.create_table(
        "responses",
        *_first("broadcast_id"),
        *_values(data_set_id=sa.LargeBinary, price_wei=sa.String),
        sa.UniqueConstraint("broadcast_id"),
    )
    _table("ended_broadcasts", *_keys(broadcast_id=sa.LargeBinary))
    op.create_table(
        "grants",
        *_first("lock_id"),
        *_values(data_set_id=sa.LargeBinary, expires_at=sa.BigInteger, state=sa.String),
        *_values(commitments=sa.LargeBinary, shares=sa.LargeBinary, is_optional=True),
        *_values(reason=sa.String, is_optional=True),
        sa.UniqueConstraint("lock_id"),
    )
    op.create_index("grants_by_state", "grants", ["state"])
    op.create_table("notes", *_keys(name=sa.String), *_values(value=sa.LargeBinary))


def _duty_tables() -> None:
    op.create_table(
        "proofs",
        *_keys(lock_id=sa.LargeBinary),
        *_values(opening=sa.LargeBinary, message=sa.LargeBinary),
    )
    op.create_table(
        "duties",
        sa.Column("position", sa.Integer, primary_key=True),
        *_values(lock_id=sa.LargeBinary, kind=sa.String),
        _flag("is_done"),
        *_values(evidence=sa.LargeBinary, is_optional=True),
    )
    op.create_index("duties_of_lock", "duties", ["lock_id", "kind"], unique=True)
    op.create_index("duties_by_kind", "duties", ["kind", "is_done"])


def _table(name: str, *columns: sa.Column) -> None:
    op.create_table(name, *columns, sqlite_with_rowid=False)


def _first(name: str) -> list[sa.Column]:
    """Return the place of a row and the id that it has once."""
    return [
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column(name, sa.LargeBinary, nullable=False),
    ]


def _keys(**kinds: type) -> list[sa.Column]:
    return [
        sa.Column(name, kind, primary_key=True, autoincrement=False) for name, kind in kinds.items()
    ]


def _values(*, is_optional: bool = False, **kinds: type) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=is_optional) for name, kind in kinds.items()]


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
