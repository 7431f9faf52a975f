"""The chain layer on real signers: bursts that reorganise, the sender's rate, nodes that die."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from eth_account import Account
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from bench.sending import measure_sending
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.health import HealthLimits
from offchain.chain.outbox import TransactionOutbox, TransactionState
from offchain.chain.streams import stream_beside
from offchain.network.genesis import confirmations
from offchain.network.operation import Network
from tests.network.sending import at_once, gateway_of, wait_for

ETHER = 10**18
SENDERS, EACH = 3, 60


def final_depth_of(network: Network) -> int:
    return confirmations(network.plan.engine, len(network.plan.signers))


def test_transact_many__bursts_at_several_signers__each_counts_once_and_is_final(
    network: Network, tmp_path: Path
) -> None:
    """Three accounts send at once to three signers: blocks compete, and some are taken off."""
    consortium = gateway_of(network)
    accounts = [Account.create() for _ in range(SENDERS)]
    for account in accounts:
        consortium.transfer(account.address, ETHER)
    urls = network.plan.rpc_urls

    def burst(number: int) -> None:
        with closing(TransactionOutbox(tmp_path / f"{number}.sqlite")) as outbox:
            gateway = ChainGateway(
                urls[number:] + urls[:number],
                consortium.deployment,
                account=accounts[number],
                outbox=outbox,
                gas_price_wei=10**9,
                confirmations=final_depth_of(network),
            )
            # Any call that succeeds and changes nothing will do: only nonces and receipts count.
            calls = [
                Call("PrepaidLock", "liabilitiesWei", gas=60_000, intent=f"{number}:{at}")
                for at in range(EACH)
            ]
            receipts = gateway.transact_many(calls, dry_call=False)
            assert all(receipt.success for receipt in receipts), f"one of {number} failed"
            assert gateway.wait_all_final(timeout_s=60), f"what {number} sent is not final"
            for at in range(EACH):
                held = outbox.of_intent(
                    gateway.chain_id, accounts[number].address, f"{number}:{at}"
                )
                states = [one.state for one in held]
                assert states.count(TransactionState.MINED) == 1, f"{number}:{at} is {states}"

    at_once([partial(burst, number) for number in range(SENDERS)])

    for account in accounts:
        counted = consortium.endpoint.request("eth_getTransactionCount", account.address, "latest")
        assert int(counted, 16) == EACH  # none twice, none filled in


def test_new_heads__on_geth__tells_programs_and_no_page_of_a_browser(network: Network) -> None:
    gateway = gateway_of(network)
    gateway.new_heads.begin()
    wait_for(lambda: gateway.new_heads.is_told, timeout_s=20)
    told = gateway.new_heads.told
    gateway.transfer(Account.create().address, 1)
    wait_for(lambda: gateway.new_heads.told > told, timeout_s=20)
    gateway.new_heads.close()

    line = stream_beside(network.plan.rpc_urls[0])
    for origin in ("http://localhost", "http://127.0.0.1:8000", "https://example.org"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(line, origin=Origin(origin), proxy=None)


def test_measure_sending__on_geth__measures_both_ways_to_the_last_receipt(network: Network) -> None:
    key = network.plan.key("consortium").read_text().strip()

    rates = measure_sending(network.plan.rpc_urls[0], key, transactions=60, rounds=2)

    # How fast is for `make bench-net` to say: a test that times anything fails with its machine.
    assert rates.sender_per_s > 0 < rates.web3_per_s
    assert (rates.transactions, rates.rounds) == (60, 2)
    assert rates.lost == {"sender": 0, "web3": 0}
    assert next(one.name for one in rates.figures("geth")) == "sender-vs-web3-geth"


def test_health__own_signer_killed_and_left_behind__the_others_are_asked_until_it_is_back(
    network: Network,
) -> None:
    deployment = load_deployment(network.plan.folder / "deployment.json")
    depth = final_depth_of(network)
    gateway = ChainGateway(network.plan.rpc_urls, deployment, confirmations=depth)
    limits = HealthLimits(heartbeat_s=10, lag_blocks=3, confirmations=depth, recheck_s=0)
    gate = gateway.health_gate(limits)
    assert gate.check() == []

    network.processes.kill("signer-1")
    assert gate.check() == []  # the others agree
    before = gateway.block_number()
    wait_for(lambda: gateway.block_number() > before, timeout_s=20)
    earlier, final, later = gateway.block_number(), gateway.final_number(), gateway.block_number()
    assert earlier - depth <= final <= later - depth  # a block may come between the questions

    network.start(["signer-1"])
    wait_for(lambda: gate.check() == [] and not gateway.endpoint._avoided)
