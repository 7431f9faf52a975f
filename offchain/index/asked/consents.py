"""Which consents stood, and since when."""

from __future__ import annotations

from offchain.index.asked.rows import Row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.consents import consents


def last_words(index: ChainIndex, purpose: bytes, block: int) -> dict[str, Row]:
    """Return the last word on each device for a purpose up to a block; `expires_at` is 0 where it
    was a withdrawal.
    """
    query = said(consents, block).where(consents.c.purpose == purpose)
    return {one["device"]: one for one in rows(index, query)}
