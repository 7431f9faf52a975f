"""One question to the tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, Select, Table, select

from offchain.index.chain_index import ChainIndex
from offchain.index.tables import at

Row = RowMapping


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
