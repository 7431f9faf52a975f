"""Tables whose rows are versioned by block, and tables of what happened once.

A row of a versioned table holds in the blocks [from_block, to_block), the newest one until OPEN.
So the state at any block is one condition (`at`), and a reorganisation is a delete and a reopen
(graph-node's idea). What happened once has the place of its event instead, and no end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    delete,
    update,
)
from sqlalchemy.types import TypeDecorator

OPEN = 2**63 - 1  # to_block of a row that holds still
METADATA = MetaData()


class Uint(TypeDecorator[int]):
    """An unsigned integer of up to 256 bits, kept as decimal digits: no database counts so far.

    For what is shown, added or compared in Python; not for conditions or orders in SQL.
    """

    impl = String(78)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


def account(name: str, *, key: bool = False) -> Column[Any]:
    """Return a column of checksummed accounts."""
    return Column(name, String(42), nullable=False, primary_key=key)


def word(name: str, *, key: bool = False, nullable: bool = False) -> Column[Any]:
    """Return a column of bytes: ids, digests, encoded points."""
    return Column(name, LargeBinary, nullable=nullable, primary_key=key)


def number(name: str, *, key: bool = False) -> Column[Any]:
    """Return a column of integers of at most 63 bits: counts, block times, enumerations."""
    return Column(name, BigInteger, nullable=False, primary_key=key, autoincrement=False)


def uint(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column of wei, and of what anybody may choose from all of 64 bits or more."""
    return Column(name, Uint, nullable=nullable)


def versioned(name: str, *columns: Column[Any]) -> Table:
    """Return a table of rows by block; the columns with `key` say which row it is."""
    from_block = Column("from_block", BigInteger, nullable=False)
    # In the key: of one row no two versions end in the same block.
    to_block = Column("to_block", BigInteger, primary_key=True, autoincrement=False)
    keys = tuple(column.name for column in columns if column.primary_key)
    table = Table(name, METADATA, *columns, to_block, from_block, info={"key": keys})
    Index(f"{name}_began", table.c.from_block)
    closed = table.c.to_block < OPEN
    Index(f"{name}_ended", table.c.to_block, sqlite_where=closed, postgresql_where=closed)
    return table


def happened(name: str, *columns: Column[Any]) -> Table:
    """Return a table of what happened once; `part` tells the rows of one event apart."""
    place = [
        Column(one, kind, primary_key=True, autoincrement=False)
        for one, kind in (("block", BigInteger), ("log_index", Integer), ("part", Integer))
    ]
    return Table(name, METADATA, *place, *columns)


def is_versioned(table: Table) -> bool:
    """Whether a table's rows have versions."""
    return "key" in table.info


def at(table: Table, block: int) -> ColumnElement[bool]:
    """Return the condition for what a table said at the end of a block."""
    if is_versioned(table):
        return and_(table.c.from_block <= block, table.c.to_block > block)
    return table.c.block <= block


def projected() -> Iterator[Table]:
    """Yield the tables that events fill."""
    for table in METADATA.sorted_tables:
        if is_versioned(table) or "log_index" in table.c:
            yield table


def roll_back(connection: Connection, block: int, tables: Sequence[Table] | None = None) -> None:
    """Bring tables back to what they said at the end of a block."""
    for table in tables or list(projected()):
        if not is_versioned(table):
            connection.execute(delete(table).where(table.c.block > block))
            continue
        connection.execute(delete(table).where(table.c.from_block > block))
        ended = and_(table.c.to_block > block, table.c.to_block < OPEN)
        connection.execute(update(table).where(ended).values(to_block=OPEN))
