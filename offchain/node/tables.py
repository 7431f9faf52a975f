"""The tables of a node's store. A change here needs a step in `migrations/node/versions`.

`position` orders rows as they were first put in: no order of the database itself outlives a copy.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    false,
)

from offchain.database import Schema

_tables = MetaData()


def _key(name: str, kind: type = LargeBinary) -> Column:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _value(name: str, kind: type = LargeBinary, *, is_optional: bool = False) -> Column:
    return Column(name, kind, nullable=is_optional)


def _position() -> Column:
    return Column("position", Integer, primary_key=True)


def _id(name: str) -> Column:
    return Column(name, LargeBinary, nullable=False, unique=True)


def _table(name: str, *parts: Column | Index) -> Table:
    """Return a table that is kept in the order of its key: rows are short and read in ranges."""
    return Table(name, _tables, *parts, sqlite_with_rowid=False)


day_keys = _table(
    "day_keys",
    _key("device", String),
    _key("day", BigInteger),
    _value("sealed_digest"),
    _value("seal_key"),
    _value("nonce_key"),
)
readings = _table(
    "readings",
    _key("device", String),
    _key("seq", BigInteger),
    _value("time_s", BigInteger),
    _value("record"),
    _value("box_digest"),
    Index("readings_by_time", "device", "time_s", unique=True),
)
batches = _table(
    "batches",
    _key("device", String),
    _key("from_seq", BigInteger),
    _value("count", BigInteger),
    _value("day", BigInteger),
    _value("root"),
    _value("signature"),
    Index("batches_by_day", "device", "day"),
)
envelopes = _table(
    "envelopes",
    _key("device", String),
    _key("seq", BigInteger),
    _value("box"),
    _value("signature"),
)
starts = _table("starts", _key("device", String), _value("seq", BigInteger))
requests = Table(
    "requests",
    _tables,
    _position(),
    _id("lock_id"),
    _value("requester", String),
    _value("type_id", BigInteger),
    _value("nonce"),
    _value("expires_at", BigInteger),
    _value("state", String),
    _value("factor", is_optional=True),
    _value("answer", is_optional=True),
    _value("reason", String, is_optional=True),
    Index("requests_by_state", "state"),
)
data_sets = Table(
    "data_sets",
    _tables,
    _position(),
    _id("data_set_id"),
    _value("data_key"),
    _value("paillier"),
    _value("from_s", BigInteger),
    _value("to_s", BigInteger),
    _value("row_count", BigInteger),
    _value("readings_root"),
    _value("manifest"),
    _value("owners"),
    _value("sale_until", BigInteger),
    _value("price_wei", String),
    Column("published", Boolean, nullable=False, server_default=false()),
)
responses = Table(
    "responses",
    _tables,
    _position(),
    _id("broadcast_id"),
    _value("data_set_id"),
    _value("price_wei", String),
)
ended_broadcasts = _table("ended_broadcasts", _key("broadcast_id"))
grants = Table(
    "grants",
    _tables,
    _position(),
    _id("lock_id"),
    _value("data_set_id"),
    _value("expires_at", BigInteger),
    _value("state", String),
    _value("commitments", is_optional=True),
    _value("shares", is_optional=True),
    _value("reason", String, is_optional=True),
    Index("grants_by_state", "state"),
)
notes = Table("notes", _tables, _key("name", String), _value("value"))
proofs = Table("proofs", _tables, _key("lock_id"), _value("opening"), _value("message"))
duties = Table(
    "duties",
    _tables,
    _position(),
    _value("lock_id"),
    _value("kind", String),
    Column("is_done", Boolean, nullable=False, server_default=false()),
    _value("evidence", is_optional=True),
    Index("duties_of_lock", "lock_id", "kind", unique=True),
    Index("duties_by_kind", "kind", "is_done"),
)

NODE = Schema("node", _tables, Path(__file__).parent / "migrations/node")
