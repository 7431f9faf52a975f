"""A node's side of the data market: offers to broadcasts, their ends, and deals of key shares
(protocol §5).
"""

from __future__ import annotations

from offchain.node.bond import BondKeeper
from offchain.node.closings import ClosingDesk
from offchain.node.deals import DealDesk, deliver_arguments
from offchain.node.desk import NodeParts
from offchain.node.offers import OfferDesk

__all__ = ["MarketDesk", "deliver_arguments"]


class MarketDesk:
    """Sell the node's data sets: the steps of its desks under one name."""

    def __init__(self, parts: NodeParts, bond: BondKeeper) -> None:
        offers, deals, closings = OfferDesk(parts, bond), DealDesk(parts), ClosingDesk(parts)
        self.open_broadcasts = offers.open_broadcasts
        self.respond = offers.respond
        self.selections = deals.selections
        self.deliveries = deals.deliveries
        self.deliver = deals.deliver
        self.transcript = deals.transcript
        self.submit = deals.submit
        self.closable = closings.closable
        self.close = closings.close
