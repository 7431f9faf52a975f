"""What energy costs in a region, as the book has it: in the order in which it was said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table, func, select

from offchain.index.asked.rows import Row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.tariffs import price_series, tariffs
from offchain.index.tables import at


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


def products_of(index: ChainIndex, region_id: bytes, block: int) -> list[bytes]:
    """Return the hashes of the names of a region's products, the last one spoken of first."""
    return _spoken_of(index, tariffs, tariffs.c.product, region_id, block)


def series_names_of(index: ChainIndex, region_id: bytes, block: int) -> list[bytes]:
    """Return the hashes of the names of a region's price series, the last published first."""
    return _spoken_of(index, price_series, price_series.c.name, region_id, block)


def _spoken_of(
    index: ChainIndex, table: Table, name: Column[Any], region_id: bytes, block: int
) -> list[bytes]:
    query = select(name).where(at(table, block), table.c.region_id == region_id).group_by(name)
    found = rows(index, query.order_by(func.max(table.c.block).desc(), name))
    return [one[name.name] for one in found]


def _in_order(index: ChainIndex, table: Table, block: int, **wanted: bytes) -> list[Row]:
    same = [table.c[name] == value for name, value in wanted.items()]
    query = said(table, block).where(*same)
    return rows(index, query.order_by(table.c.block, table.c.log_index))
