"""The form of a broadcast: who responded, at what price and credit (protocol §5)."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.types import Account


@dataclass(frozen=True, slots=True)
class FormLine:
    """One responder in the form, as the contract sorted it; a lock begins under the two versions
    that it offered under.
    """

    processor: Account
    price_wei: int
    data_set_id: bytes
    credit: int
    responded_at: int
    rules_version: int
    sharing_version: int


def form_of(
    gateway: ChainGateway, broadcast_id: bytes, *, block: BlockId = "latest"
) -> list[FormLine]:
    """Return the responders, highest credit first, as the contract sorted them by a block."""
    lines = gateway.call("DataMarket", "formOf", broadcast_id, block=block)
    return [
        FormLine(
            processor=line.processor,
            price_wei=line.priceWei,
            data_set_id=bytes(line.dataSetId),
            credit=line.credit,
            responded_at=line.respondedAt,
            rules_version=line.rulesVersion,
            sharing_version=line.sharingVersion,
        )
        for line in lines
    ]
