"""A node that cannot believe its chain takes nothing new on, and ends what it has begun."""

import time

import pytest

from offchain.chain import codec
from offchain.chain.health import HealthLimits
from offchain.member.locks import LockBook
from offchain.member.roles import LockState
from offchain.node.worker import NodeWorker
from tests.integration.node.test_requests import ask
from tests.integration.town import House, Town, worker_of

_ZERO = bytes(32)


def emit(town: Town, contract: str, event: str, *indexed: bytes) -> None:
    """Have a contract emit a known event's log without the data that belongs in it.

    Its code is put aside for one transaction.
    """
    node, address = town.anvil, town.deployment.address(contract)
    topic = codec.topic(town.deployment.contract(contract).event(event))
    topics = [topic, *indexed]
    pushes = "".join("7f" + one.hex() for one in reversed(topics))
    code = node.request("eth_getCode", address, "latest")
    node.request("anvil_setCode", address, f"0x{pushes}60006000a{len(topics)}00")
    sent = {"from": node.addresses[3], "to": address, "gas": hex(200_000)}
    tx_hash = node.request("eth_sendTransaction", sent)
    while node.request("eth_getTransactionReceipt", tx_hash) is None:
        time.sleep(0.01)
    node.request("anvil_setCode", address, code)


def gated_worker(town: Town, house: House, limits: HealthLimits) -> NodeWorker:
    return worker_of(town, house.node, health=house.node.gateway.health_gate(limits))


def test_run_once__given_log_that_does_not_decode__claims_but_accepts_nothing(fresh: Town) -> None:
    house = fresh.houses[0]
    worker = house.node.worker
    begun = ask(house)
    assert worker.requests.handle(begun).kind == "accepted"
    payee = bytes(12) + bytes.fromhex(house.node.keys.address[2:])
    emit(fresh, "PrepaidLock", "Requested", _ZERO, _ZERO, payee)
    new = ask(house)

    outcomes = worker.run_once()

    assert [one.kind for one in outcomes] == ["claimed", "paused"]
    assert "is no PrepaidLock.Requested" in outcomes[1].detail
    book = LockBook(house.gateway, fresh.index)
    assert book.lock(begun).state in (LockState.CLAIMED, LockState.SETTLED)
    assert book.lock(new).state is LockState.REQUESTED
    assert worker.run_once() == []  # said once, and still closed
    fresh.anvil.stand_at(book.lock(new).expires_at)
    house.household.money.refund(new)
    assert book.lock(new).state is LockState.REFUNDED
    assert house.node.worker.withdraw() is not None


@pytest.mark.parametrize("event", ["Broadcast", "Selected"])
def test_run_once__given_unreadable_log_of_another_kind__accepts_no_request_either(
    fresh: Town, event: str
) -> None:
    house = fresh.houses[0]
    payee = bytes(12) + bytes.fromhex(house.node.keys.address[2:])
    contract = "DataMarket" if event == "Broadcast" else "PrepaidLock"
    emit(fresh, contract, event, _ZERO, _ZERO, *([payee] if event == "Selected" else []))
    lock_id = ask(house)

    assert [one.kind for one in house.node.worker.run_once()] == ["paused"]
    assert LockBook(house.gateway, fresh.index).lock(lock_id).state is LockState.REQUESTED


def test_run_once__given_stale_head__waits_until_the_chain_goes_on(fresh: Town) -> None:
    house = fresh.houses[0]
    worker = gated_worker(fresh, house, HealthLimits(heartbeat_s=10, recheck_s=0))
    begun = ask(house)
    assert worker.requests.handle(begun).kind == "accepted"
    lock_id = ask(house)
    gate = worker._health
    assert gate is not None
    gate._clock = lambda: fresh.anvil.now() + 31

    assert [one.kind for one in worker.run_once()] == ["claimed", "paused"]
    gate._clock = lambda: fresh.anvil.now() + 2
    outcomes = worker.run_once()

    assert outcomes[0].kind == "resumed"
    assert [one.kind for one in outcomes if one.id == lock_id] == ["accepted", "claimed"]
    assert LockBook(house.gateway, fresh.index).lock(lock_id).state is not LockState.REQUESTED
