"""Anchored batches and published data sets."""

from __future__ import annotations

from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.ledger import batches, data_sets


def batches_over(
    index: ChainIndex, device: str, block: int, *, from_seq: int, to_seq: int
) -> list[Row]:
    """Return a device's batches that hold any of the readings from_seq to to_seq - 1, in order."""
    query = said(batches, block).where(
        batches.c.device == device, batches.c.from_seq < to_seq, batches.c.next_seq > from_seq
    )
    return rows(index, query.order_by(batches.c.from_seq))


def data_set(index: ChainIndex, data_set_id: bytes, block: int) -> Row | None:
    """Return a published data set, None when there is none."""
    return row(index, said(data_sets, block).where(data_sets.c.data_set_id == data_set_id))


def data_sets_of(index: ChainIndex, processor: str, block: int) -> list[Row]:
    """Return what a node published, oldest first."""
    query = said(data_sets, block).where(data_sets.c.processor == processor)
    return rows(index, query.order_by(data_sets.c.block, data_sets.c.log_index))
