"""One question to the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Select, Table, and_, or_, select

from offchain.index.chain_index import ChainIndex
from offchain.index.tables import at

Row = RowMapping
_AT_ONCE = 400
_LAST_LOG = 2**31 - 1
_T = TypeVar("_T")


def rows(index: ChainIndex, query: Select[Any]) -> list[Row]:
    """Return a query's rows by column. Raises StoreError."""
    with index.database.read() as connection:
        return list(connection.execute(query).mappings())


def row(index: ChainIndex, query: Select[Any]) -> Row | None:
    """Return a query's first row, None when there is none. Raises StoreError."""
    with index.database.read() as connection:
        return connection.execute(query).mappings().first()


def said(table: Table, block: int) -> Select[Any]:
    """Return the query for what a table said at the end of a block."""
    return select(table).where(at(table, block))


@dataclass(frozen=True, slots=True, order=True)
class LogPlace:
    """Where an event stands: what counts for it is what the chain said before it."""

    block: int
    log_index: int


def end_of(block: int) -> LogPlace:
    """Return the place behind all that a block says."""
    return LogPlace(block, _LAST_LOG)


def before(table: Table, place: LogPlace) -> ColumnElement[bool]:
    """Return the condition for what was said before a place."""
    earlier = table.c.block < place.block
    return or_(earlier, and_(table.c.block == place.block, table.c.log_index < place.log_index))


def in_parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Yield items as many at a time as one question may name."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
