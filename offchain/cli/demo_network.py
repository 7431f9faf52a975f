"""The ground of a demo on real signers and real Kubo: a network of its own, ended with the run."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.chain import questions
from offchain.chain.endpoint import Endpoint
from offchain.demo.ground import Ground, Say
from offchain.network.building import CONSORTIUM, NetworkOptions
from offchain.network.founders import founder
from offchain.network.member_view import NETWORK_FILE
from offchain.network.operation import Network, up
from offchain.network.programs import GETH, KUBO, PROJECT, find_program
from offchain.settings import load_network

# Time cannot be moved here, so that the times are as short as the contracts allow.
_SHORTEST_S, _MARGIN_S = 60, 10
_DISPUTE_S = 120  # the judges must have decided by then, also on a busy machine
_SIGNERS, _IPFS_NODES = 5, 3
_POLL_S = 0.25
_SAY_EVERY_S = 15.0


def find_programs(say: Say) -> None:
    """Build or find Geth and Kubo. Raises ProgramMissing with the version of Go that it takes."""
    for program in (GETH, KUBO):
        find_program(program, say=say)


@contextmanager
def open_clique(folder: Path, say: Say) -> Iterator[Ground]:
    """Start signers and Kubo on free ports, deploy, and end and delete all of it whatever happens.

    The network lies in the checkout's ignored `.cache`. Raises NetworkError.
    """
    cache = PROJECT / ".cache"
    cache.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="demo-network-", dir=cache))
    try:
        network = up(
            NetworkOptions(folder=place, signers=_SIGNERS, ipfs_nodes=_IPFS_NODES),
            tied=True,
            say=say,
        )
        try:
            yield ground_of(network, say=say)
        finally:
            network.delete()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def ground_of(network: Network, *, say: Say) -> Ground:
    """Return a network that runs as the ground of a demo."""
    plan, view = network.plan, load_network(network.plan.folder / NETWORK_FILE)
    owner = founder(plan, CONSORTIUM)
    endpoint = Endpoint(view.rpc_urls)
    funds_wei = endpoint.ask(questions.balance(owner.address, 0))
    return Ground(
        title=f"{len(plan.signers)} Geth signers (Clique) and {len(plan.ipfs)} Kubo nodes, "
        f"final after {view.confirmations} blocks",
        rpc_urls=view.rpc_urls,
        content_urls=view.store_urls,
        deployment_file=view.deployment,
        owner=owner,
        funds_wei=funds_wei,
        confirmations=view.confirmations,
        gas_price_wei=view.gas_price_wei,
        shortest_s=_SHORTEST_S,
        margin_s=_MARGIN_S,
        dispute_s=_DISPUTE_S,
        wait_until=_waiter(endpoint, say),
    )


def _waiter(endpoint: Endpoint, say: Say) -> Callable[[int], None]:
    def wait_until(timestamp: int) -> None:
        said_at = float("-inf")
        while (now := _latest(endpoint)) < timestamp:
            if time.monotonic() - said_at >= _SAY_EVERY_S:
                said_at = time.monotonic()
                say(f"waiting {timestamp - now} s of the chain's time")
            time.sleep(_POLL_S)

    return wait_until


def _latest(endpoint: Endpoint) -> int:
    return endpoint.ask(questions.header("latest")).timestamp
