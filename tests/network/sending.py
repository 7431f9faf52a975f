"""Transactions on a network that runs, and what its nodes say of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from eth_account import Account

from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.network.operation import Network

NOBODY = "0x" + "11" * 20


def gateway_of(network: Network, *, timeout_s: float = 60.0) -> ChainGateway:
    """A gateway that signs for the consortium, through any signer that answers."""
    running = set(network.running_signers())
    plan = network.plan
    urls = [
        url
        for signer, url in zip(plan.signers, plan.rpc_urls, strict=True)
        if signer.name in running
    ]
    key = plan.key("consortium").read_text().strip()
    return ChainGateway(
        urls,
        load_deployment(plan.folder / "deployment.json"),
        account=Account.from_key(key),
        gas_price_wei=10**9,
        timeout_s=timeout_s,
    )


def heads_of(network: Network) -> dict[str, str]:
    """The hash of the latest block by the name of each signer that runs."""
    return {name: block_at(network, name, "latest")["hash"] for name in network.running_signers()}


def block_at(network: Network, signer: str, block: str) -> dict[str, Any]:
    found = network.ask(signer, "eth_getBlockByNumber", block, False)
    assert isinstance(found, dict), f"{signer} has no block {block}"
    return found


def height_of(network: Network, signer: str) -> int:
    return int(block_at(network, signer, "latest")["number"], 16)


def at_once(tasks: Sequence[Callable[[], object]], *, timeout_s: float = 180.0) -> None:
    """Run all in threads of their own, side by side; raise what the first failed one raised."""
    faults: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's thread
            faults.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    give_up_at = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(timeout=max(0.0, give_up_at - time.monotonic()))
    if faults:
        raise faults[0]
    hung = [thread for thread in threads if thread.is_alive()]
    assert not hung, f"{len(hung)} of {len(threads)} did not end in {timeout_s:.0f} s"


def wait_for(holds: Callable[[], Any], *, timeout_s: float = 60.0) -> Any:
    give_up_at = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.1)
    return found
