"""A node's bond: topped up within limits, looked at before anything is taken on, freed again."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.buyer.form import form_of
from offchain.chain.facts import ContractRevert
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.chain.sender import Sender
from offchain.member.lock_steps import payer_can
from offchain.member.roles import LockState
from offchain.node.bond import BondKeeper, bond_of
from offchain.node.outcome import NodeTerms
from offchain.node.worker import NodeWorker
from tests.integration.buyer.test_sharing import call_for_data, publish_both
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    BILL,
    DATA_SET_PRICE_WEI,
    PRICE_WEI,
    SHORTEST_S,
    House,
    Node,
    Town,
    worker_of,
)

WINDOW_S = 1_000
TARGET_WEI, LIMIT_WEI = 10**16, 3 * 10**16


def keeper(node: Node, **changes: int) -> BondKeeper:
    terms = NodeTerms(data_set_price_wei=1, bond_wei=TARGET_WEI, bond_limit_wei=LIMIT_WEI)
    return BondKeeper(node.gateway, replace(terms, **changes))


class Crash(BaseException):
    """Stands for the process's death: nothing below the test catches it."""


def restarted(town: Town, node: Node, folder: Path) -> BondKeeper:
    """The node's keeper in a process of its own, with its journal of transactions."""
    journal = TransactionOutbox(folder / "outbox.sqlite")
    gateway = ChainGateway(
        town.anvil.url,
        town.deployment,
        account=node.keys.account,
        outbox=journal,
        gas_price_wei=0,
    )
    terms = NodeTerms(data_set_price_wei=1, bond_wei=TARGET_WEI, bond_limit_wei=LIMIT_WEI)
    return BondKeeper(gateway, terms)


def bare(node: Node) -> None:
    """Take all free bond away."""
    node.worker.bond.take(node.worker.bond.state().free_wei)
    assert node.worker.bond.state().free_wei == 0


def poor(town: Town, node: Node) -> NodeWorker:
    """The node's worker, which puts up nothing by itself."""
    return worker_of(town, node, bond_wei=0, bond_limit_wei=0)


def with_window(town: Town) -> None:
    town.admin.set_type(
        BILL,
        name="bill",
        price_wei=PRICE_WEI,
        shortest_s=SHORTEST_S,
        dispute_window_s=WINDOW_S,
    )


def claimed(house: House) -> bytes:
    lock_id = ask(house)
    assert [one.kind for one in house.node.worker.run_once()] == ["accepted", "claimed"]
    return lock_id


def test_top_up__below_half_of_the_target__adds_what_is_missing(fresh: Town) -> None:
    node = fresh.nodes[0]
    bare(node)
    keep = keeper(node)
    assert keep.top_up() is not None
    assert keep.state().free_wei == TARGET_WEI
    keep.take(TARGET_WEI // 2)
    assert keep.top_up() is None  # not at every lock
    keep.take(1)
    assert keep.top_up() is not None
    assert keep.state().free_wei == TARGET_WEI


@pytest.mark.parametrize(("held", "room"), [(False, LIMIT_WEI), (True, LIMIT_WEI - PRICE_WEI)])
def test_top_up__to_what_a_lock_needs__stays_within_the_limit(
    fresh: Town, held: bool, room: int
) -> None:
    with_window(fresh)
    house = fresh.houses[0]
    if held:
        claimed(house)
    bare(house.node)
    keep = keeper(house.node)
    assert keep.state().held_wei == (PRICE_WEI if held else 0)
    assert keep.top_up(room + 1) is None
    assert keep.state().free_wei == 0  # what would not be enough is not put up
    assert keep.top_up(room) is not None
    assert keep.state().free_wei == room


def test_top_up__given_little_money__leaves_half_of_it_for_gas(fresh: Town) -> None:
    node = fresh.nodes[0]
    bare(node)
    fresh.anvil.set_balance(node.keys.address, 1_000)
    keep = keeper(node)
    assert keep.why_not_covered(501) is not None
    assert keep.why_not_covered(500) is None
    assert keep.state().free_wei == 500


@pytest.mark.parametrize("step", ["_broadcast", "_wait"])
def test_top_up__after_a_crash_in_mid_way__adds_nothing_twice(
    fresh: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    node = fresh.nodes[0]
    bare(node)
    before_wei = node.gateway.balance_wei(node.keys.address)

    def crash(*args: object, **kwargs: object) -> None:
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr(Sender, step, crash)
        with pytest.raises(Crash):
            restarted(fresh, node, tmp_path).top_up()
    again = restarted(fresh, node, tmp_path)
    again.top_up()
    again.top_up()

    assert again.state().free_wei == TARGET_WEI
    assert before_wei - node.gateway.balance_wei(node.keys.address) == TARGET_WEI


def test_accept__given_a_short_bond__waits_and_goes_on_when_it_is_added(fresh: Town) -> None:
    house = fresh.houses[0]
    bare(house.node)
    worker, lock_id = poor(fresh, house.node), ask(house)

    (waiting,) = worker.run_once()

    assert (waiting.kind, waiting.id) == ("skipped", lock_id)
    assert f"the free bond is 0 wei and {PRICE_WEI} are needed" in waiting.detail
    assert "dmsm node bond add" in waiting.detail
    assert house.household.locks.lock(lock_id).state is LockState.REQUESTED
    worker.bond.add(PRICE_WEI)
    assert [one.kind for one in worker.run_once()] == ["accepted", "claimed"]


def test_accept__given_a_short_bond_near_t__rejects_so_that_the_price_goes_back(
    fresh: Town,
) -> None:
    house = fresh.houses[0]
    bare(house.node)
    worker, lock_id = poor(fresh, house.node), ask(house)
    assert [one.kind for one in worker.run_once()] == ["skipped"]
    fresh.anvil.stand_at(house.household.locks.lock(lock_id).expires_at - 70)

    (rejected,) = worker.run_once()

    assert rejected.kind == "rejected" and rejected.detail.startswith("NOT_SERVED: the free bond")
    assert house.household.locks.lock(lock_id).state is LockState.REJECTED
    assert house.household.money.withdrawable_wei() == PRICE_WEI


def test_accept__given_a_held_bond__holds_it_until_the_end(fresh: Town) -> None:
    with_window(fresh)
    house = fresh.houses[0]
    free_wei = house.node.worker.bond.state().free_wei
    claimed(house)
    bond = bond_of(house.gateway, house.node.keys.address)
    assert (bond.free_wei, bond.held_wei) == (free_wei - PRICE_WEI, PRICE_WEI)
    with pytest.raises(ContractRevert, match="free bond is too small"):
        house.node.worker.bond.take(free_wei)
    fresh.anvil.warp(WINDOW_S)
    assert [one.kind for one in house.node.worker.run_once()] == ["settled"]
    assert house.node.worker.bond.state().free_wei == free_wei


def test_respond__given_a_short_bond__waits_and_goes_on_when_it_is_added(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    bare(node)
    worker = poor(fresh, node)

    (waiting,) = worker.run_once()

    assert waiting.kind == "skipped" and f"{DATA_SET_PRICE_WEI} are needed" in waiting.detail
    assert form_of(fresh.buyers[0].gateway, broadcast_id) == []
    worker.bond.add(DATA_SET_PRICE_WEI)
    assert [one.kind for one in worker.run_once()] == ["responded"]


def test_run_once__given_many_due_locks__ends_them_by_one_transaction(fresh: Town) -> None:
    with_window(fresh)
    house, other = fresh.houses[0], fresh.houses[2]
    locks = {claimed(house), claimed(other)}
    fresh.anvil.warp(WINDOW_S)

    outcomes = house.node.worker.run_once()

    assert {(one.kind, one.id) for one in outcomes} == {("settled", one) for one in locks}
    assert len({one.receipt.tx_hash for one in outcomes if one.receipt}) == 1
    assert house.node.worker.run_once() == []


def test_run_once__given_an_undecided_dispute__takes_the_bond_back(fresh: Town) -> None:
    with_window(fresh)
    house = fresh.houses[0]
    lock_id = claimed(house)
    cost_wei = house.gateway.call("PrepaidLock", "disputeWeiOf", lock_id)
    digest = hashlib.sha256(b"evidence").digest()
    house.gateway.transact("PrepaidLock", "dispute", lock_id, digest, 8, value_wei=cost_wei)
    lock = house.household.locks.lock(lock_id)
    assert lock.state is LockState.DISPUTED
    assert "wait for the judges" in payer_can(lock, fresh.anvil.now())
    fresh.anvil.warp(WINDOW_S)
    # Its window is over and the dispute is not; there is nobody here whom it could reply to.
    assert [one.kind for one in house.node.worker.run_once()] == ["failed"]
    fresh.anvil.stand_at(lock.due_at)
    assert payer_can(lock, fresh.anvil.now()) == f"dmsm user refund 0x{lock_id.hex()}"

    outcomes = house.node.worker.run_once()

    assert [one.id for one in outcomes if one.kind == "refunded"] == [lock_id]
    assert house.household.money.withdrawable_wei() == PRICE_WEI + cost_wei
    assert house.node.worker.bond.state().held_wei == 0
    assert house.node.worker.run_once() == []


def test_refund__of_an_undecided_dispute__is_the_users_too(fresh: Town) -> None:
    with_window(fresh)
    house = fresh.houses[0]
    lock_id = claimed(house)
    cost_wei = house.gateway.call("PrepaidLock", "disputeWeiOf", lock_id)
    house.gateway.transact("PrepaidLock", "dispute", lock_id, b"e" * 32, 8, value_wei=cost_wei)
    due_at = house.household.locks.lock(lock_id).due_at
    fresh.anvil.next_timestamp(due_at - 1)
    with pytest.raises(ContractRevert, match="the stage still runs"):
        house.household.money.refund(lock_id)
    fresh.anvil.stand_at(due_at)
    house.household.money.refund(lock_id)
    assert house.household.locks.lock(lock_id).state is LockState.REFUNDED
    assert house.household.money.withdrawable_wei() == PRICE_WEI + cost_wei


def test_run_once__during_the_emergency_stop__waits_and_goes_on_after_it(fresh: Town) -> None:
    publish_both(fresh)
    house, node = fresh.houses[0], fresh.nodes[0]
    lock_id = ask(house, expires_at=fresh.anvil.now() + 20 * 86_400)
    broadcast_id = call_for_data(fresh, respond_s=12 * 86_400)
    stop = fresh.admin.stop_beginnings().receipt.event("BeginningsStopped")

    outcomes = node.worker.run_once()

    assert [one.kind for one in outcomes] == ["skipped", "skipped"]
    assert all("emergency stop holds" in one.detail for one in outcomes)
    with pytest.raises(ContractRevert, match="emergency stop holds"):
        ask(house)
    fresh.anvil.stand_at(stop.args["until"])
    kinds = [one.kind for one in node.worker.run_once()]
    assert sorted(kinds) == ["accepted", "claimed", "responded"]
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    assert [line.processor for line in form_of(fresh.buyers[0].gateway, broadcast_id)] == [
        node.keys.address
    ]
