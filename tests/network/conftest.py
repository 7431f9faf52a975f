"""Real networks of Geth and Kubo; `make test-net` runs these. Nothing outlives the tests."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

import pytest

from offchain.network.building import NetworkOptions
from offchain.network.genesis import confirmations
from offchain.network.operation import Network, up

_REORG = re.compile(r"(?i)chain reorg detected.*?drop=(\d+)")


def reorganisations(network: Network) -> list[int]:
    """How many blocks each reorganisation took off, of all signers that the network has had."""
    logs = sorted((network.plan.folder / "logs").glob("signer-*.log"))
    said = [_REORG.findall(log.read_text(errors="replace")) for log in logs]
    return [int(count) for found in said for count in found]


@pytest.fixture(scope="session")
def five_signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Five signers, three IPFS nodes, the contracts; each test leaves all of them running."""
    folder = tmp_path_factory.mktemp("network") / "five"
    network = up(NetworkOptions(folder=folder, signers=5, ipfs_nodes=3), tied=True)
    try:
        yield network
        _say_how_deep(network)
    finally:
        network.delete()


def _say_how_deep(network: Network) -> None:
    """Warn of a reorganisation behind what is final. It fails no test: signers that wait for a
    processor make such ones now and then, and docs/known-limits.md says so.
    """
    deepest = max(reorganisations(network), default=0)
    final = confirmations(network.plan.engine, len(network.plan.signers))
    if deepest > final:
        warnings.warn(
            f"a reorganisation took {deepest} blocks off; what has {final} on it counts as final",
            stacklevel=1,
        )


@pytest.fixture
def network(five_signers: Network) -> Iterator[Network]:
    """The five signers, all of them running again after the test."""
    yield five_signers
    five_signers.start()
