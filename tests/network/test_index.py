"""The chain in tables through reorganisations that real signers make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from offchain.chain.errors import NodeRefused
from offchain.index.chain_index import ChainIndex
from offchain.network.building import NetworkOptions
from offchain.network.operation import Network, up
from offchain.network.plan import HEARTBEAT
from tests.integration.index.test_town import dump
from tests.integration.index.views import require_views
from tests.integration.node.test_requests import ask
from tests.integration.town import Builder, Town
from tests.network.real_chain import SIGNERS, RealChain
from tests.network.sending import block_at, height_of


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Signers by the rules of stock Geth: they may seal a height again that they sealed before."""
    folder = tmp_path_factory.mktemp("network") / "index"
    options = NetworkOptions(folder=folder, signers=SIGNERS, ipfs_nodes=1, ranked=False)
    network = up(options, tied=True)
    try:
        yield network
    finally:
        network.delete()


@pytest.fixture(scope="module")
def town(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Builder(RealChain(network), tmp_path_factory.mktemp("town")).build()


def take_off(network: Network, depth: int) -> None:
    """Set all signers back, and let them go on with other blocks."""
    names = [one.name for one in network.plan.signers]
    network.stop([HEARTBEAT])
    height = height_of(network, names[0])
    for name in names:
        with suppress(NodeRefused):
            network.ask(name, "debug_setHead", hex(height - depth))
    network.start([HEARTBEAT])


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_tables__after_real_reorganisations__are_those_of_a_fresh_catch_up_and_of_the_contracts(
    network: Network, town: Town, depth: int, tmp_path: Path
) -> None:
    house, index, signer = town.houses[0], town.index, network.plan.signers[0].name
    for _ in range(5):
        ask(house)
        town.anvil.mine(depth)
        index.follower.catch_up()
        height = height_of(network, signer)
        before = block_at(network, signer, hex(height))["hash"]
        take_off(network, depth)
        ask(house)
        town.anvil.mine(depth + 1)
        if block_at(network, signer, hex(height))["hash"] != before:
            break  # else they have told each other the old blocks again
    else:
        pytest.fail("no reorganisation came of setting the signers back")

    newest = index.follower.catch_up()

    with ChainIndex(tmp_path / "fresh.sqlite", house.gateway) as anew:
        assert anew.follower.catch_up() >= newest
        for block in (newest, newest - depth):
            assert require_views(index, house.gateway, block) > 40
            assert dump(index, block) == dump(anew, block)
