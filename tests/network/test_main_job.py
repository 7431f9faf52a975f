"""The main job on real signers, while they are killed, halted, stopped and voted."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from eth_account import Account

from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.crypto import keystore
from offchain.network.operation import Network
from offchain.network.voting import add_signer, remove_signer, signers_of
from offchain.services.demo import asking
from offchain.services.demo.world import World
from tests.network.sending import heads_of, height_of, wait_for
from tests.network.town import Job, ask_for_bill, open_town, sell_data

BURST = 500
_REORG = re.compile(r"Chain reorg detected.*?drop=(\d+)")


@pytest.fixture(scope="module")
def town(five_signers: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_town(five_signers, tmp_path_factory.mktemp("town")) as town:
        yield town


def final_facts(town: World) -> dict[str, list[tuple[int, bytes, bytes]]]:
    """Everything that the contracts of money and data have said and that is final."""
    gateway = town.gateway
    head = gateway.block_number() - town.ground.confirmations
    start = gateway.deployment.block("PrepaidLock")
    return {
        name: [
            (one.block_number, one.block_hash, bytes(one.args["lockId"]))
            for one in gateway.events("PrepaidLock", name, from_block=start, to_block=head)
        ]
        for name in ("Requested", "Accepted", "Claimed", "Settled", "Delivered")
    }


def assert_nothing_lost(town: World, before: dict[str, list[tuple[int, bytes, bytes]]]) -> None:
    after = final_facts(town)
    for name, facts in before.items():
        assert after[name][: len(facts)] == facts, f"a final {name} is gone"


def assert_each_once(town: World) -> None:
    """No lock has been accepted, claimed, settled or delivered twice, and all money is there."""
    facts = final_facts(town)
    for name, found in facts.items():
        locks = [lock_id for _, _, lock_id in found]
        assert len(locks) == len(set(locks)), f"{name} twice"
    held = town.gateway.balance_wei(town.gateway.deployment.address("PrepaidLock"))
    assert held == town.gateway.call("PrepaidLock", "liabilitiesWei")


def test_main_job__on_real_signers__is_paid_answered_and_sold(town: World) -> None:
    ask_for_bill(town)
    sell_data(town)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__two_of_five_killed__goes_on(network: Network, town: World) -> None:
    before, job = final_facts(town), Job(town)
    job.wait_for_one_more()
    for name in ("signer-4", "signer-5"):
        network.processes.kill(name)
    job.wait_for_one_more()
    job.finish()
    sell_data(town)
    network.start()
    wait_for(lambda: len(set(heads_of(network).values())) == 1)
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__own_signer_killed__others_take_what_is_no_secret_and_the_claim_waits(
    network: Network, town: World
) -> None:
    home, before = town.homes[0], final_facts(town)
    for name in ("signer-1", "signer-2"):  # the first is everybody's own
        network.processes.kill(name)
    paid = asking.ask(home, asking.BILL, home.window)
    town.wait_for_depth()
    assert home.node.worker.requests.handle(paid.lock_id).kind == "accepted"
    town.wait_for_depth()
    with pytest.raises(NodeUnavailable, match="shown to no other"):
        home.node.worker.requests.claim(paid.lock_id)
    network.start()
    wait_for(lambda: len(set(heads_of(network).values())) == 1)  # it has what it missed
    assert home.node.worker.requests.claim(paid.lock_id).kind == "claimed"
    assert home.user.wait_answer(paid.lock_id, timeout_s=30).signature_valid
    town.wait_for_depth()
    assert_nothing_lost(town, before)
    assert_each_once(town)


def test_main_job__three_of_five_killed__stalls_and_completes_on_their_return(
    network: Network, town: World
) -> None:
    before, job = final_facts(town), Job(town)
    job.wait_for_one_more()
    for name in ("signer-3", "signer-4", "signer-5"):
        network.processes.kill(name)
    time.sleep(5)  # what the other two may still seal
    stalled_at, done = height_of(network, "signer-1"), job.done
    time.sleep(5)
    assert height_of(network, "signer-1") == stalled_at
    assert job.done == done
    network.start()
    job.wait_for_one_more()
    job.finish()
    sell_data(town)
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__all_signers_halted_and_resumed__goes_on(network: Network, town: World) -> None:
    before, job = final_facts(town), Job(town)
    job.wait_for_one_more()
    for name in network.running_signers():
        network.processes.signal(name, signal.SIGSTOP)
    time.sleep(8)
    for name in network.running_signers():
        network.processes.signal(name, signal.SIGCONT)
    job.wait_for_one_more()
    job.finish()
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__network_stopped_and_started__goes_on(network: Network, town: World) -> None:
    ask_for_bill(town)
    before = final_facts(town)
    network.stop()
    assert network.running_signers() == network.running_ipfs() == []
    network.start()
    ask_for_bill(town, number=1)
    sell_data(town)
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__signers_added_and_removed_by_vote__goes_on(
    network: Network, town: World
) -> None:
    before, job = final_facts(town), Job(town)
    job.wait_for_one_more()
    made = add_signer(network)
    assert made.address in signers_of(network)
    job.wait_for_one_more()
    remove_signer(network, made.name)
    assert made.address not in signers_of(network)
    job.wait_for_one_more()
    job.finish()
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__burst_with_real_reorganisations__no_side_effect_twice_and_none_lost(
    network: Network, town: World
) -> None:
    gateways = [device_gateway(town, number) for number in range(len(town.homes))]
    for number, gateway in enumerate(gateways):
        gateway.transact_many([report_of(town, number, 0)], dry_call=False)
    before, reorganised = final_facts(town), reorganisations(network)
    changes, job = status_changes(town), Job(town)
    senders = [
        threading.Thread(target=burst, args=(town, number, gateway), daemon=True)
        for number, gateway in enumerate(gateways)
    ]
    for one in senders:
        one.start()
    for one in senders:
        one.join(timeout=120)
    job.wait_for_one_more()
    job.finish()
    town.wait_for_depth()
    found = status_changes(town) - changes
    print(f"{reorganisations(network) - reorganised} reorganisations, {found} status changes")
    assert found == BURST * len(town.homes)
    assert_nothing_lost(town, before)
    assert_each_once(town)


def burst(town: World, number: int, gateway: ChainGateway) -> None:
    """Report as the home's device, each time another status, in as few round trips as it takes."""
    calls = [report_of(town, number, turn) for turn in range(1, BURST + 1)]
    receipts = gateway.transact_many(calls, dry_call=False)
    assert all(receipt.success for receipt in receipts)


def report_of(town: World, number: int, turn: int) -> Call:
    policy = town.homes[number].policy
    power_w = policy.high_power_w if turn % 2 else policy.low_power_w + 1
    signed_w = -power_w if policy.feeds_in else power_w
    arguments = (signed_w, policy.temperature_warning_dc, True, bytes(32))
    return Call("NotificationBoard", "report", arguments, gas=200_000)


def device_gateway(town: World, number: int) -> ChainGateway:
    """A gateway that sends as a home's device, whose agent has ended."""
    place = town.homes[number].agent_config.parent
    password = keystore.read_password(place / "password")
    key = keystore.load_account(place / "keys" / "account.json", password)
    return ChainGateway(
        town.ground.rpc_urls,
        town.gateway.deployment,
        account=Account.from_key(key.reveal()),
        outbox=TransactionOutbox(place / "burst.sqlite"),
        gas_price_wei=town.ground.gas_price_wei,
        confirmations=town.ground.confirmations,
    )


def status_changes(town: World) -> int:
    board = "NotificationBoard"
    start = town.gateway.deployment.block(board)
    return len(town.gateway.events(board, "StatusChanged", from_block=start))


def reorganisations(network: Network) -> int:
    logs = (network.processes.log(signer.name) for signer in network.plan.signers)
    return sum(len(_REORG.findall(log.read_text(errors="replace"))) for log in logs)
