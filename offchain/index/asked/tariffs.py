"""What energy costs in a region, as the book has it: in the order in which it was said."""

from __future__ import annotations

from sqlalchemy import Table

from offchain.index.asked.rows import Row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.tariffs import price_series, tariffs


def entries_of(index: ChainIndex, region_id: bytes, product: bytes, block: int) -> list[Row]:
    """Return the tariffs of a product (by its hash), in order."""
    return _in_order(index, tariffs, block, region_id=region_id, product=product)


def series_of(index: ChainIndex, region_id: bytes, name: bytes, block: int) -> list[Row]:
    """Return the price series of a name (by its hash), in order."""
    return _in_order(index, price_series, block, region_id=region_id, name=name)


def all_entries(index: ChainIndex, region_id: bytes, block: int) -> list[Row]:
    """Return the tariffs of all products of a region, in order."""
    return _in_order(index, tariffs, block, region_id=region_id)


def all_series(index: ChainIndex, region_id: bytes, block: int) -> list[Row]:
    """Return the price series of all names of a region, in order."""
    return _in_order(index, price_series, block, region_id=region_id)


def _in_order(index: ChainIndex, table: Table, block: int, **wanted: bytes) -> list[Row]:
    same = [table.c[name] == value for name, value in wanted.items()]
    query = said(table, block).where(*same)
    return rows(index, query.order_by(table.c.block, table.c.log_index))
