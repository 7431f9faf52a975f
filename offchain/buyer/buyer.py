"""A buyer with everything it acts with: its parts in the order in which it uses them."""

from __future__ import annotations

from typing import Any

from offchain.buyer.broadcasts import Broadcasts
from offchain.buyer.data_sets import DataSets
from offchain.buyer.disputes import DataSetDisputes
from offchain.buyer.inbox import ShareInbox
from offchain.buyer.selection import Selections
from offchain.buyer.shares import Shares
from offchain.chain.gateway import ChainGateway
from offchain.crypto import paillier
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.locks import LockBook
from offchain.member.money import Money
from offchain.storage import ContentStore


class Buyer:
    """Hold what a data-sharing node acts with, and what it does by name: `buyer.shares.own(...)`.

    It buys by its own broadcasts, or is a member of somebody's group. `confirmations` is how deep
    a block must lie to be believed; None: as deep as the gateway says. `index` is the chain in
    tables.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        inbox: ShareInbox,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
        confirmations: int | None = None,
    ) -> None:
        self.gateway = gateway
        self.store = store
        self.keys = keys
        self.directory = directory
        self.inbox = inbox
        self.locks = LockBook(gateway, index, confirmations=confirmations)
        own: dict[str, Any] = {
            "gateway": gateway,
            "store": store,
            "keys": keys,
            "directory": directory,
        }
        self.broadcasts = Broadcasts(**own)
        self.selection = Selections(**own)
        self.shares = Shares(
            gateway=gateway,
            index=index,
            keys=keys,
            directory=directory,
            inbox=inbox,
            confirmations=confirmations,
        )
        self.data_sets = DataSets(
            gateway=gateway,
            index=index,
            store=store,
            directory=directory,
            shares=self.shares,
            paillier_bits=paillier_bits,
        )
        self.disputes = DataSetDisputes(
            **own,
            index=index,
            shares=self.shares,
            paillier_bits=paillier_bits,
            confirmations=confirmations,
        )
        self.money = Money(gateway, confirmations=confirmations)
