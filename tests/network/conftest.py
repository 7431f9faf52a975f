"""Real networks of Geth and Kubo; `make test-net` runs these. Nothing outlives the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offchain.network.building import NetworkOptions
from offchain.network.operation import Network, up


@pytest.fixture(scope="session")
def five_signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Five signers, three IPFS nodes, the contracts; each test leaves all of them running."""
    folder = tmp_path_factory.mktemp("network") / "five"
    network = up(NetworkOptions(folder=folder, signers=5, ipfs_nodes=3), tied=True)
    try:
        yield network
    finally:
        network.delete()


@pytest.fixture
def network(five_signers: Network) -> Iterator[Network]:
    """The five signers, all of them running again after the test."""
    yield five_signers
    five_signers.start()
