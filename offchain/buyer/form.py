"""The form of a broadcast: who responded, at what price and credit (protocol §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.buyer.history import SellingHistory, history_of
from offchain.chain.gateway import BlockId, ChainGateway
from offchain.index.chain_index import ChainIndex
from offchain.member.broadcast import conditions_of
from offchain.member.data_sets import data_set_of, sale_of
from offchain.types import SECONDS_PER_DAY, Account


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


@dataclass(frozen=True, slots=True)
class SeenOffer:
    """A line with what the chain tells of its data set and its node; the window is
    [window_from, window_to) in unix seconds.

    meters: of how many devices it holds readings. wanted_days: how many days of the broadcast's
    window it covers.
    """

    line: FormLine
    window_from: int
    window_to: int
    rows: int
    meters: int
    wanted_days: int
    sale_until: int
    history: SellingHistory


def seen_offers(
    gateway: ChainGateway, index: ChainIndex, broadcast_id: bytes, lines: Sequence[FormLine]
) -> list[SeenOffer]:
    """Return the lines of a form with what each offers. Raises NotOnChain, and as `data_set_of`."""
    if not lines:
        return []
    _, conditions = conditions_of(gateway, index, broadcast_id)
    found, newest = [], index.newest()
    for line in lines:
        told = data_set_of(gateway, index, line.data_set_id)
        sale = sale_of(gateway, line.data_set_id)
        covered_s = sale.overlaps(conditions.window_from, conditions.window_to) if sale else 0
        found.append(
            SeenOffer(
                line=line,
                window_from=told.window_from,
                window_to=told.window_to,
                rows=told.row_count,
                meters=told.device_count,
                wanted_days=-(-covered_s // SECONDS_PER_DAY),
                sale_until=sale.sale_until if sale else 0,
                history=history_of(index, line.processor, newest),
            )
        )
    return found
