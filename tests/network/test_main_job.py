"""The main job on real signers, while they are killed, halted, stopped and voted."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from eth_account import Account

from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.crypto import keystore
from offchain.demo.world import NodeSite
from offchain.member.roles import LockState
from offchain.network.operation import Network
from offchain.network.voting import add_signer, remove_signer, signers_of
from tests.integration.town import found
from tests.network.conftest import reorganisations
from tests.network.sending import at_once, heads_of, height_of, wait_for
from tests.network.town import (
    Town,
    ask,
    ask_for_bill,
    assert_each_sent_once,
    open_town,
    running_job,
    sell_data,
)

BURST, BURSTS = 500, 5


@pytest.fixture(scope="module")
def town(five_signers: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(five_signers, tmp_path_factory.mktemp("town")) as town:
        yield town


def final_facts(town: Town) -> dict[str, list[tuple[int, bytes, bytes]]]:
    """Everything that the contracts of money and data have said and that is final."""
    gateway = town.gateway
    head = gateway.block_number() - town.ground.confirmations
    start = gateway.deployment.block("PrepaidLock")
    return {
        name: [
            (one.block_number, one.block_hash, bytes(one.args["lockId"]))
            for one in gateway.events("PrepaidLock", name, from_block=start, to_block=head)
        ]
        for name in ("Requested", "Accepted", "Claimed", "Settled", "Selected", "Delivered")
    }


def assert_nothing_lost(town: Town, before: dict[str, list[tuple[int, bytes, bytes]]]) -> None:
    after = final_facts(town)
    for name, facts in before.items():
        assert after[name][: len(facts)] == facts, f"a final {name} is gone"


def assert_each_once(town: Town) -> None:
    """Each time that a test asked made one lock and one answer, by one transaction each; nobody
    sent anything else. A lock's own steps cannot be repeated: the contract sees to that.
    """
    town.wait_for_depth()
    facts = final_facts(town)
    wanted = {
        **dict.fromkeys(("Requested", "Accepted", "Claimed"), sorted(town.asked)),
        **dict.fromkeys(("Selected", "Delivered"), sorted(town.sold)),
    }
    found = {name: sorted(lock_id for *_, lock_id in facts[name]) for name in wanted}
    assert found == wanted
    held = town.gateway.balance_wei(town.gateway.deployment.address("PrepaidLock"))
    assert held == town.gateway.call("PrepaidLock", "liabilitiesWei")
    # Each sale has each node send its shares once with a wrong one among them; the first node has
    # priced days that are past.
    refused = dict.fromkeys(map(_address, town.nodes), len(town.sold) // len(town.nodes))
    refused[_address(town.nodes[0])] += 1
    for member in town.members:
        assert_each_sent_once(member, refused=refused.get(member.address, 0))


def _address(node: NodeSite) -> str:
    return node.gateway.address


def test_main_job__on_real_signers__is_paid_answered_and_sold(town: Town) -> None:
    ask_for_bill(town)
    sell_data(town)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__two_of_five_killed__goes_on(network: Network, town: Town) -> None:
    before = final_facts(town)
    with running_job(town) as job:
        job.wait_for_one_more()
        for name in ("signer-4", "signer-5"):
            network.processes.kill(name)
        job.wait_for_one_more()
    sell_data(town)
    network.start()
    wait_for(lambda: len(set(heads_of(network).values())) == 1)
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__own_signer_killed__others_take_what_is_no_secret_and_the_claim_waits(
    network: Network, town: Town
) -> None:
    home, before = town.homes[0], final_facts(town)
    requests = home.node.worker.requests
    for name in ("signer-1", "signer-2"):  # the first is everybody's own
        network.processes.kill(name)
    paid = ask(town, home)

    def state() -> LockState:
        """As the node believes it: a reorganisation takes nothing of that off again."""
        return requests._book.lock(paid.lock_id).state

    def is_accepted() -> bool:
        requests.handle(paid.lock_id)  # again, if it was too early or was taken off
        return state() is LockState.ACCEPTED

    def is_claimed() -> bool:
        requests.claim(paid.lock_id)
        return state() in (LockState.CLAIMED, LockState.SETTLED)

    wait_for(lambda: paid.lock_id in found(requests.pending), timeout_s=120)
    wait_for(is_accepted, timeout_s=120)
    with pytest.raises(NodeUnavailable, match="shown to no other"):
        requests.claim(paid.lock_id)
    network.start()
    wait_for(lambda: len(set(heads_of(network).values())) == 1)  # it has what it missed
    wait_for(is_claimed, timeout_s=120)
    assert home.household.answers.wait(paid.lock_id, timeout_s=120).signature_valid
    town.wait_for_depth()
    assert_nothing_lost(town, before)
    assert_each_once(town)


def test_main_job__three_of_five_killed__stalls_and_completes_on_their_return(
    network: Network, town: Town
) -> None:
    before, two = final_facts(town), ("signer-1", "signer-2")
    with running_job(town) as job:
        job.wait_for_one_more()
        for name in ("signer-3", "signer-4", "signer-5"):
            network.processes.kill(name)
        time.sleep(1)  # what a killed one has sealed is in
        killed_at, done = max(height_of(network, name) for name in two), job.done
        time.sleep(10)
        # The two may still seal once each, and a job whose answer is on chain may end.
        assert all(height_of(network, name) <= killed_at + 2 for name in two)
        assert job.done <= done + 1 and job.fault is None
        network.start()
        job.wait_for_one_more()
    sell_data(town)
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__all_signers_halted_and_resumed__goes_on(network: Network, town: Town) -> None:
    before = final_facts(town)
    with running_job(town) as job:
        job.wait_for_one_more()
        for name in network.running_signers():
            network.processes.signal(name, signal.SIGSTOP)
        time.sleep(8)
        for name in network.running_signers():
            network.processes.signal(name, signal.SIGCONT)
        job.wait_for_one_more()
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__network_stopped_and_started__goes_on(network: Network, town: Town) -> None:
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
def test_main_job__signers_added_and_removed_by_vote__goes_on(network: Network, town: Town) -> None:
    before = final_facts(town)
    with running_job(town) as job:
        job.wait_for_one_more()
        made = add_signer(network)
        assert made.address in signers_of(network)
        job.wait_for_one_more()
        remove_signer(network, made.name)
        assert made.address not in signers_of(network)
        job.wait_for_one_more()
    assert_nothing_lost(town, before)
    assert_each_once(town)


@pytest.mark.long
def test_main_job__burst_with_real_reorganisations__no_side_effect_twice_and_none_lost(
    network: Network, town: Town
) -> None:
    gateways = [device_gateway(town, number) for number in range(len(town.homes))]
    for number, gateway in enumerate(gateways):
        gateway.transact_many([report_of(town, number, 0)], dry_call=False)
    before, earlier = final_facts(town), Counter(reorganisations(network))
    changes, sent = status_changes(town), [nonce_of(one) for one in gateways]
    bursts, wanted, dropped = 0, BURST * len(gateways), Counter[int]()
    with running_job(town) as job:
        while not dropped and bursts < BURSTS:
            at_once([partial(burst, town, number, one) for number, one in enumerate(gateways)])
            bursts, dropped = bursts + 1, Counter(reorganisations(network)) - earlier
        job.wait_for_one_more()
    print(f"{bursts} bursts; reorganisations by how many blocks they took off: {dict(dropped)}")
    assert dropped, f"no reorganisation in {bursts} bursts of {wanted} reports"
    town.wait_for_depth()
    assert status_changes(town) - changes == bursts * wanted
    # A report that came twice would change no status: the transactions tell.
    assert [nonce_of(one) for one in gateways] == [old + bursts * BURST for old in sent]
    assert_nothing_lost(town, before)
    assert_each_once(town)


def burst(town: Town, number: int, gateway: ChainGateway) -> None:
    """Report as the home's device, each time another status, in as few round trips as it takes."""
    calls = [report_of(town, number, turn) for turn in range(1, BURST + 1)]
    receipts = gateway.transact_many(calls, dry_call=False)
    refused = [str(one.revert) for one in receipts if not one.success]
    assert not refused, f"{len(refused)} reports failed: {refused[0]}"


def report_of(town: Town, number: int, turn: int) -> Call:
    policy = town.homes[number].policy
    power_w = policy.high_power_w if turn % 2 else policy.low_power_w + 1
    signed_w = -power_w if policy.feeds_in else power_w
    arguments = (signed_w, policy.temperature_warning_dc, True, bytes(32))
    return Call("NotificationBoard", "report", arguments, gas=200_000)


def device_gateway(town: Town, number: int) -> ChainGateway:
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


def status_changes(town: Town) -> int:
    board = "NotificationBoard"
    start = town.gateway.deployment.block(board)
    return len(town.gateway.events(board, "StatusChanged", from_block=start))


def nonce_of(gateway: ChainGateway) -> int:
    found = gateway.endpoint.request("eth_getTransactionCount", gateway.address, "latest")
    return int(found, 16)
