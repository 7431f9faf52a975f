"""A processing node with everything it acts with, put together in one place."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from offchain.chain.gateway import ChainGateway
from offchain.chain.health import HealthGate
from offchain.crypto import paillier
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.tariff_book import TariffBook
from offchain.node.desk import NodeParts
from offchain.node.intake import NodeIdentity, create_intake
from offchain.node.outcome import NodeTerms
from offchain.node.publisher import DataSetPublisher
from offchain.node.store import NodeStore
from offchain.node.worker import NodeWorker
from offchain.storage import ContentStore


class ProcessingNode:
    """Hold a node's parts: the worker that polls the chain, the publisher of data sets, the intake.

    `index` is the chain in tables. `health` says when nothing new may begin; None: always may.
    `paillier_bits` is the size of the keys that data sets get.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        terms: NodeTerms,
        health: HealthGate | None = None,
        paillier_bits: int = paillier.DEFAULT_BITS,
    ) -> None:
        self.gateway = gateway
        self.store = store
        self.keys = keys
        self.readings = readings
        parts: dict[str, Any] = {
            "gateway": gateway,
            "index": index,
            "store": store,
            "keys": keys,
            "readings": readings,
            "directory": directory,
        }
        self.tariffs = TariffBook(gateway, index, store)
        self.publisher = DataSetPublisher(
            **parts,
            price_wei=terms.data_set_price_wei,
            sale_days=terms.sale_days,
            paillier_bits=paillier_bits,
        )
        self.worker = NodeWorker(
            NodeParts(**parts, terms=terms),
            tariffs=self.tariffs,
            publisher=self.publisher,
            health=health,
        )

    def intake(self) -> FastAPI:
        """Make the application that takes in the region's readings. Raises UnfitMember for keys
        that are no node's.
        """
        return create_intake(
            store=self.readings,
            gateway=self.gateway,
            identity=NodeIdentity(account=self.keys.address, paillier=self.keys.decryption_key),
            content=self.store,
        )
