"""Two halves of four signers, each with a fork of its own, of one length and one weight by Clique's
rule, and on each head just those who signed it: the picture in which stock Geth stops for good.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from offchain.network.building import NetworkOptions, build
from offchain.network.errors import RescueRefused
from offchain.network.halting import ChainState, chain_state
from offchain.network.heartbeat import heart_of
from offchain.network.ipc import Ipc
from offchain.network.operation import Network
from offchain.network.plan import HEARTBEAT
from offchain.network.rescue import rescue
from tests.network.sending import heads_of, height_of, wait_for


@contextmanager
def halves_that_met(folder: Path, *, ranked: bool) -> Iterator[Network]:
    """Four signers that have run as two pairs, two blocks each, and then all at once."""
    plan = build(NetworkOptions(folder=folder, signers=4, ipfs_nodes=0, ranked=ranked))
    network = Network(plan, tied=True)
    order = sorted(plan.signers, key=lambda one: bytes.fromhex(one.address[2:]))
    try:
        # Block 1 is the second one's turn, block 2 the third one's: one turn for each pair.
        for pair in ((order[1].name, order[3].name), (order[0].name, order[2].name)):
            network.start(pair)
            for number in (1, 2):
                seal(network, pair, number)
            network.stop(pair)
        network.start([one.name for one in plan.signers])
        yield network
    finally:
        network.delete()


def seal(network: Network, pair: tuple[str, str], number: int) -> None:
    """Let a pair make its next block, with beats: nothing else is there to seal."""
    heart = heart_of(network.plan)

    def is_there() -> bool:
        for name in pair:
            with Ipc(network.plan.ipc_path(name)) as node:
                heart.beat(node)
        return all(height_of(network, name) >= number for name in pair)

    wait_for(is_there)


def names_of(network: Network) -> list[str]:
    return [one.name for one in network.plan.signers]


def test_halves_that_met__stock_rules__are_halted_until_they_are_rescued(tmp_path: Path) -> None:
    with halves_that_met(tmp_path / "net", ranked=False) as network:
        assert chain_state(network, names_of(network)) in (ChainState.IDLE, ChainState.HALTED)
        network.start([HEARTBEAT])
        begun = time.monotonic()
        wait_for(lambda: "halted" in network.processes.tail(HEARTBEAT), timeout_s=15)
        assert chain_state(network, names_of(network)) is ChainState.HALTED
        assert time.monotonic() - begun < 25
        assert len(set(heads_of(network).values())) == 2

        network.stop(["signer-1", "signer-2"])
        with pytest.raises(RescueRefused, match="2 of 4 signers answer, which is no majority"):
            rescue(network)
        network.start(["signer-1", "signer-2"])

        done = rescue(network)
        assert done.number == 2
        assert sorted(done.set_back.values()) == [2, 2]
        wait_for(lambda: height_of(network, "signer-1") > 4)
        wait_for(lambda: len(set(heads_of(network).values())) == 1)
        with pytest.raises(RescueRefused, match="nothing to rescue"):
            rescue(network)


def test_halves_that_met__ranked__come_together_by_themselves(tmp_path: Path) -> None:
    with halves_that_met(tmp_path / "net", ranked=True) as network:
        network.start([HEARTBEAT])
        begun = time.monotonic()
        wait_for(lambda: height_of(network, "signer-1") > 3, timeout_s=15)
        wait_for(lambda: len(set(heads_of(network).values())) == 1, timeout_s=15)
        assert time.monotonic() - begun < 15
        assert chain_state(network, names_of(network)) in (ChainState.RUNS, ChainState.IDLE)
