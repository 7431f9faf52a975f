"""What devices reported."""

from __future__ import annotations

from offchain.index.asked.rows import Row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.notifications import notifications


def of_device(index: ChainIndex, device: str, block: int) -> list[Row]:
    """Return a device's notifications, oldest first."""
    query = said(notifications, block).where(notifications.c.device == device)
    return rows(index, query.order_by(notifications.c.block, notifications.c.log_index))
