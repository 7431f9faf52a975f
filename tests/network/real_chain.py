"""Real signers and real Kubo in the place of a test's anvil and folder; time cannot be moved."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from offchain.chain.endpoint import Endpoint
from offchain.network.building import CONSORTIUM, NetworkOptions
from offchain.network.genesis import confirmations
from offchain.network.heartbeat import GAS_PRICE_WEI
from offchain.network.operation import Network, up

SIGNERS = 3
DEPTH = confirmations("clique", SIGNERS)
_BLOCKS_S = 120.0
WANTED = "DMSM_TEST_CHAIN"  # "clique": tests marked `real_chain` run on it


class RealChain:
    """What a test asks of its chain, by the names that `Anvil` has for it."""

    def __init__(self, network: Network) -> None:
        plan = network.plan
        self.network, self.chain_id, self.url = network, plan.chain_id, plan.rpc_urls[0]
        self.keys = ["0x" + plan.key(CONSORTIUM).read_text().strip()]
        self.gas_price_wei = GAS_PRICE_WEI
        self.store_url = plan.ipfs_urls[0]
        self._endpoint = Endpoint(plan.rpc_urls)

    def request(self, method: str, *params: Any) -> Any:
        return self._endpoint.request(method, *params)

    def mine(self, blocks: int = 1) -> None:
        """Wait for so many blocks: the heartbeat makes them."""
        wanted, give_up_at = self._height() + blocks, time.monotonic() + _BLOCKS_S
        while (height := self._height()) < wanted:
            assert time.monotonic() < give_up_at, f"the chain stands still at block {height}"
            time.sleep(0.05)

    def snapshot(self) -> str:
        """Nothing is put back: tests that run here leave behind what others can bear."""
        return "none"

    def revert(self, snapshot: str) -> None:
        del snapshot

    def warp(self, seconds: int) -> NoReturn:
        pytest.fail(f"time cannot be moved by {seconds} s on a real chain")

    warp_to = warp

    def _height(self) -> int:
        return int(self.request("eth_blockNumber"), 16)


def is_wanted() -> bool:
    return os.environ.get(WANTED) == "clique"


@contextmanager
def start_real_chain(folder: Path) -> Iterator[RealChain]:
    network = up(NetworkOptions(folder=folder, signers=SIGNERS, ipfs_nodes=1), tied=True)
    try:
        yield RealChain(network)
    finally:
        network.delete()
