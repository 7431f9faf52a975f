"""A node's side of the data market: offers to broadcasts, and deals of key shares (protocol §5)."""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.services.member_keys import MemberKeys
from offchain.services.members import MemberDirectory
from offchain.services.node.bond import BondKeeper
from offchain.services.node.deals import DealDesk, deliver_arguments
from offchain.services.node.offers import OfferDesk
from offchain.services.node.outcome import NodeTerms
from offchain.services.node.store import NodeStore
from offchain.storage import ContentStore

__all__ = ["MarketDesk", "deliver_arguments"]


class MarketDesk:
    """Sell the node's data sets: the steps of both desks under one name."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        terms: NodeTerms,
        bond: BondKeeper,
    ) -> None:
        shared = (gateway, store, keys, readings, directory, terms)
        offers, deals = OfferDesk(*shared, bond), DealDesk(*shared)
        self.scans = (offers.scan, deals.scan)
        self.open_broadcasts = offers.open_broadcasts
        self.respond = offers.respond
        self.selections = deals.selections
        self.deliveries = deals.deliveries
        self.deliver = deals.deliver
        self.transcript = deals.transcript
        self.submit = deals.submit
        self.settleable = deals.settleable
