"""Anchored batches."""

from __future__ import annotations

from offchain.index.asked.rows import Row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.ledger import batches


def batches_over(
    index: ChainIndex, device: str, block: int, *, from_seq: int, to_seq: int
) -> list[Row]:
    """Return a device's batches that hold any of the readings from_seq to to_seq - 1, in order."""
    query = said(batches, block).where(
        batches.c.device == device, batches.c.from_seq < to_seq, batches.c.next_seq > from_seq
    )
    return rows(index, query.order_by(batches.c.from_seq))
