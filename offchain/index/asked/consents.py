"""Which consents stood, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from offchain.index.asked.rows import LogPlace, Row, before, in_parts, rows
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.consents import consents


def last_words(
    index: ChainIndex, purpose: bytes, place: LogPlace, *, devices: Sequence[str] | None = None
) -> dict[str, Row]:
    """Return the last word on each device for a purpose before a place; `expires_at` is 0 where it
    was a withdrawal. `devices`: those alone.
    """
    query = select(consents).where(consents.c.purpose == purpose, before(consents, place))
    query = query.order_by(consents.c.block, consents.c.log_index)
    if devices is None:
        return {one["device"]: one for one in rows(index, query)}
    found: dict[str, Row] = {}
    for some in in_parts(list(devices)):
        told = rows(index, query.where(consents.c.device.in_(some)))
        found |= {one["device"]: one for one in told}
    return found
