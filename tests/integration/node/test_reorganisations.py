"""Reorganisations of depth 1 to 5 under every worker: no side effect twice, and none lost.

Anvil forgets the transactions of the blocks that it takes off. Five blocks must lie on what is
final here, so that each step below is taken off once after it was sent, and none after it counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.buyer.buyer import Buyer
from offchain.buyer.form import form_of
from offchain.buyer.inbox import ShareInbox
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.household.household import Household
from offchain.household.own_locks import newest_locks
from offchain.member.errors import GrantNotReady
from offchain.member.keys import MemberKeys
from offchain.member.locks import LockBook
from offchain.member.money import Money
from offchain.member.roles import LockState
from offchain.node.outcome import Outcome
from offchain.node.store import NodeStore
from offchain.node.worker import NodeWorker
from offchain.types import SECONDS_PER_DAY
from tests.databases import store_place
from tests.integration.buyer.test_sharing import call_for_data
from tests.integration.node.test_crashes import copy_store
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    BITS,
    DATA_SET_PRICE_WEI,
    PRICE_WEI,
    SHORTEST_S,
    Node,
    Town,
    found,
    make_node,
    worker_of,
)

FINAL = 5
DEPTHS = [1, 2, 3, 4, 5]
_LONG_S = 3_000  # T, far beyond what the tests let pass


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.25)


@pytest.fixture
def deep(fresh: Town, tmp_path: Path) -> Iterator[Callable[[MemberKeys], ChainGateway]]:
    """Give a member a gateway with a journal, for which five blocks must lie on what is final."""
    journals = []

    def open_gateway(keys: MemberKeys) -> ChainGateway:
        journals.append(TransactionOutbox(tmp_path / f"{len(journals)}.sqlite"))
        return ChainGateway(
            fresh.anvil.url,
            fresh.deployment,
            account=keys.account,
            outbox=journals[-1],
            gas_price_wei=0,
            confirmations=FINAL,
        )

    yield open_gateway
    for journal in journals:
        journal.close()


@pytest.fixture
def north(fresh: Town, deep: Any, tmp_path: Path) -> Iterator[Node]:
    """The first node with a journal of its own, on a copy of what it holds of its devices."""
    old = fresh.nodes[0]
    place = store_place(tmp_path, "north")
    copy_store(old.place, place)
    gateway = deep(old.keys)
    with NodeStore(place) as held:
        made = make_node(
            gateway,
            index=fresh.index,
            keys=old.keys,
            held=held,
            store=fresh.store,
            directory=fresh.directory,
        )
        own = {"worker": made.worker, "publisher": made.publisher}
        yield replace(old, gateway=gateway, place=place, held=held, **own)


def take_off(town: Town, since: int, depth: int) -> bool:
    """Take off the last `depth` blocks, once those sent since block `since` are the oldest of
    them; False when nothing was sent.
    """
    head = int(town.anvil.request("eth_blockNumber"), 16)
    if head == since:
        return False
    town.anvil.mine(max(0, depth - (head - since)))
    town.anvil.reorg(depth)
    return True


def work(
    town: Town, worker: NodeWorker, *, depth: int, until: Callable[[], bool], most: int = 60
) -> list[Outcome]:
    """Poll, a block and a second at a time, until it is done; take whatever is sent for the first
    time off the chain once.
    """
    outcomes, hit = [], set()
    for _ in range(most):
        since = int(town.anvil.request("eth_blockNumber"), 16)
        done = worker.run_once()
        outcomes += done
        sent = {(one.kind, one.id) for one in done if one.receipt is not None}
        if sent - hit and take_off(town, since, depth):
            hit |= sent
        if until():
            return outcomes
        town.anvil.warp(1)
    raise AssertionError(f"not done after {most} polls: {outcomes[-5:]}")


def count(gateway: ChainGateway, contract: str, event: str, **indexed: Any) -> int:
    return len(gateway.events(contract, event, from_block=0, **indexed))


def kinds_of(outcomes: list[Outcome], lock_id: bytes) -> list[str]:
    return [one.kind for one in outcomes if one.id == lock_id]


# ---- the node's desks


@pytest.mark.parametrize("depth", DEPTHS)
def test_requests__accept_claim_and_settle_taken_off__each_counts_once(
    fresh: Town, north: Node, depth: int
) -> None:
    fresh.admin.set_type(
        1, name="bill", price_wei=PRICE_WEI, shortest_s=SHORTEST_S, dispute_window_s=60
    )
    house = fresh.houses[0]
    lock_id = ask(house, expires_at=house.gateway.now() + _LONG_S)
    fresh.anvil.mine(FINAL)

    deep_book = LockBook(north.gateway, fresh.index)
    outcomes = work(
        fresh,
        north.worker,
        depth=depth,
        until=lambda: deep_book.lock(lock_id).state is LockState.SETTLED,
        most=130,
    )

    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    assert "failed" not in kinds_of(outcomes, lock_id)
    for event in ("Accepted", "Claimed", "Settled"):
        assert count(house.gateway, "PrepaidLock", event, lockId=lock_id) == 1
    assert house.household.answers.open(lock_id).signature_valid
    assert house.household.answers.audit(lock_id).ok
    assert north.worker.withdraw() is not None and north.worker.withdraw() is None


@pytest.mark.parametrize("depth", DEPTHS)
def test_requests__reject_taken_off__is_sent_again(fresh: Town, north: Node, depth: int) -> None:
    house, neighbour = fresh.houses[0], fresh.houses[2]
    expires_at = house.gateway.now() + _LONG_S
    lock_id = ask(house, devices=[neighbour.device.address], expires_at=expires_at)
    fresh.anvil.mine(FINAL)

    work(
        fresh,
        north.worker,
        depth=depth,
        until=lambda: north.held.request(lock_id).state == "rejected",
    )

    assert house.household.locks.lock(lock_id).state is LockState.REJECTED
    assert count(house.gateway, "PrepaidLock", "Rejected", lockId=lock_id) == 1


def test_requests__accept_and_reject_taken_off_and_the_journal_lost__are_signed_anew(
    fresh: Town, north: Node
) -> None:
    house, neighbour = fresh.houses[0], fresh.houses[2]
    until = house.gateway.now() + _LONG_S
    good = ask(house, expires_at=until)
    bad = ask(house, devices=[neighbour.device.address], expires_at=until)
    fresh.anvil.mine(FINAL)
    first = north.worker.run_once()
    assert kinds_of(first, good)[0] == "accepted" and kinds_of(first, bad)[0] == "rejected"
    assert north.held.request(bad).state == "rejecting"
    answer = north.held.request(good).answer
    fresh.anvil.reorg(2)
    bare = fresh.nodes[0].gateway  # it has no journal
    worker = worker_of(fresh, north, gateway=bare, confirmations=FINAL)

    deep_book = LockBook(north.gateway, fresh.index)
    ends = [LockState.SETTLED, LockState.REJECTED]
    work(
        fresh,
        worker,
        depth=1,
        until=lambda: [deep_book.lock(one).state for one in (good, bad)] == ends,
    )

    assert north.held.request(good).answer == answer  # x went with one answer alone
    assert count(bare, "PrepaidLock", "Accepted", lockId=good) == 1


@pytest.mark.parametrize("depth", DEPTHS)
def test_market__publish_respond_and_deliver_taken_off__each_counts_once(
    fresh: Town, north: Node, depth: int
) -> None:
    published = publish_once_taken_off(fresh, north, depth)
    buyer = fresh.buyers[0]
    broadcast_id = call_for_data(fresh)
    fresh.anvil.mine(FINAL)
    deep_form = lambda: form_of(buyer.gateway, broadcast_id, block=north.gateway.final())  # noqa: E731
    work(fresh, north.worker, depth=depth, until=lambda: bool(deep_form()))
    lines = form_of(buyer.gateway, broadcast_id)
    assert [(one.processor, one.data_set_id) for one in lines] == [(north.keys.address, published)]
    (lock_id,) = buyer.selection.select(
        broadcast_id,
        members=[one.keys.address for one in fresh.buyers],
        processors=[north.keys.address],
        expires_at=buyer.gateway.now() + _LONG_S,
    )
    fresh.anvil.mine(FINAL)

    work(
        fresh,
        north.worker,
        depth=depth,
        until=lambda: north.held.grant(lock_id).state == "delivered",
    )

    assert buyer.locks.lock(lock_id).state is LockState.SETTLED
    assert count(buyer.gateway, "DataMarket", "Responded", broadcastId=broadcast_id) == 1
    assert count(buyer.gateway, "PrepaidLock", "Delivered", lockId=lock_id) == 1
    transcript = north.held.grant(lock_id).transcript
    assert buyer.shares.grant(lock_id).transcript == transcript


def publish_once_taken_off(town: Town, node: Node, depth: int) -> bytes:
    """Publish the first house's window, have it taken off, and let the worker bring it back."""
    town.anvil.mine(FINAL)
    since = node.gateway.block_number()
    made = node.publisher.publish(*town.houses[0].window)
    assert take_off(town, since, depth)
    assert not node.publisher.is_final(made.data_set_id)
    assert count(node.gateway, "DataSetBook", "DataSetPublished", processor=node.keys.address) == 0
    node.worker.run_once()
    town.anvil.mine(FINAL)
    assert node.publisher.is_final(made.data_set_id)
    again = node.publisher.publish(*town.houses[0].window)
    assert again == made
    assert count(node.gateway, "DataSetBook", "DataSetPublished", processor=node.keys.address) == 1
    return made.data_set_id


def test_publish__given_other_windows_taken_off__sends_those_first(
    fresh: Town, north: Node
) -> None:
    start, end = fresh.houses[0].window
    days = range(start, end, SECONDS_PER_DAY)
    fresh.anvil.mine(FINAL)
    since = north.gateway.block_number()
    lost = [north.publisher.publish(day, day + SECONDS_PER_DAY) for day in days]
    assert len(lost) == 2
    assert take_off(fresh, since, 2)

    made = north.publisher.publish(start, end)

    assert len({one.data_set_id for one in (*lost, made)}) == 3
    assert (made.window_from, made.window_to) == (start, end)
    assert north.publisher.published() == [*lost, made]


@pytest.mark.parametrize("depth", DEPTHS)
def test_deals__decline_taken_off__is_sent_again(fresh: Town, north: Node, depth: int) -> None:
    fresh.anvil.mine(FINAL)
    north.publisher.publish(*fresh.houses[0].window)
    buyer, third = fresh.buyers[0], fresh.buyers[2]
    broadcast_id = call_for_data(fresh)
    fresh.anvil.mine(FINAL)
    north.worker.run_once()
    (lock_id,) = buyer.selection.select(
        broadcast_id,
        members=[one.keys.address for one in fresh.buyers],
        processors=[north.keys.address],
        expires_at=buyer.gateway.now() + _LONG_S,
    )
    fresh.admin.revoke(third.keys.address)
    fresh.anvil.mine(FINAL)

    work(
        fresh,
        north.worker,
        depth=depth,
        until=lambda: north.held.grant(lock_id).state == "declined",
    )

    assert buyer.locks.lock(lock_id).state is LockState.DECLINED
    assert count(buyer.gateway, "PrepaidLock", "Declined", lockId=lock_id) == 1
    assert north.held.grant(lock_id).transcript is None  # nothing was dealt


# ---- deeper than what is final: what a node derived follows the chain


@pytest.mark.parametrize("depth", DEPTHS)
def test_worker__requests_themselves_taken_off__are_forgotten_and_come_again(
    fresh: Town, north: Node, depth: int
) -> None:
    house = fresh.houses[0]
    until = house.gateway.now() + _LONG_S
    before = ask(house, expires_at=until)
    snapshot = fresh.anvil.snapshot()
    lost = [ask(house, expires_at=until) for _ in range(depth)]
    fresh.anvil.mine(FINAL)
    assert found(north.worker.requests.pending) == [before, *lost]
    fresh.anvil.revert(snapshot)  # deeper than any reorganisation that this node allows for
    fresh.anvil.mine(FINAL + depth + 1)

    assert found(north.worker.requests.pending) == [before]
    assert [job.lock_id for job in north.held.requests()] == [before]
    later = ask(house, expires_at=until)
    fresh.anvil.mine(FINAL)
    assert found(north.worker.requests.pending) == [before, later]
    book = LockBook(house.gateway, fresh.index)
    work(
        fresh,
        north.worker,
        depth=1,
        until=lambda: all(book.lock(one).state is LockState.SETTLED for one in (before, later)),
    )


# ---- the household


@pytest.mark.parametrize("depth", DEPTHS)
def test_household__request_taken_off__is_paid_and_asked_once(
    fresh: Town, deep: Any, tmp_path: Path, depth: int
) -> None:
    house, gateway = fresh.houses[0], deep(fresh.houses[0].keys)
    household = Household(
        gateway=gateway,
        index=fresh.index,
        store=fresh.store,
        keys=house.keys,
        directory=fresh.directory,
        notes=tmp_path / "notes",
    )
    fresh.anvil.mine(FINAL)
    before = gateway.balance_wei(house.keys.address)
    since = gateway.block_number()
    lock_id = ask(replace(house, household=household), expires_at=gateway.now() + _LONG_S)
    told = newest_locks(fresh.index, house.keys.address, confirmations=FINAL)
    assert told[-1][1] is False  # not final
    assert take_off(fresh, since, depth)
    assert newest_locks(fresh.index, house.keys.address, confirmations=FINAL) == []
    assert gateway.balance_wei(house.keys.address) == before

    gateway.settle()
    fresh.anvil.mine(FINAL)
    gateway.settle()

    assert gateway.is_settled()
    ((lock, is_final),) = newest_locks(fresh.index, house.keys.address, confirmations=FINAL)
    assert (lock.lock_id, lock.state, is_final) == (lock_id, LockState.REQUESTED, True)
    assert gateway.balance_wei(house.keys.address) == before - PRICE_WEI


@pytest.mark.parametrize("depth", DEPTHS)
def test_household__refund_and_withdrawal_taken_off__the_money_comes_once(
    fresh: Town, deep: Any, tmp_path: Path, depth: int
) -> None:
    house, gateway = fresh.houses[0], deep(fresh.houses[0].keys)
    before = gateway.balance_wei(house.keys.address)
    lock_id = ask(house)
    money = Money(gateway)
    fresh.anvil.stand_at(house.household.locks.lock(lock_id).expires_at)
    fresh.anvil.mine(FINAL)
    for step in (lambda: money.refund(lock_id), money.withdraw):
        since = gateway.block_number()
        assert step() is not None
        assert money.withdraw() is None  # a refund counts when it is final, and is paid out once
        assert take_off(fresh, since, depth)
        gateway.settle()
        fresh.anvil.mine(FINAL)
        gateway.settle()
    assert money.withdraw() is None
    assert gateway.balance_wei(house.keys.address) == before
    assert count(gateway, "PrepaidLock", "Withdrawn", account=house.keys.address) == 1


# ---- the buyer


def buyer_of(town: Town, buyer: Buyer, gateway: ChainGateway, folder: Path) -> Buyer:
    inbox = ShareInbox(
        folder / f"{buyer.keys.address}.sqlite",
        gateway=gateway,
        index=town.index,
        keys=buyer.keys,
    )
    return Buyer(
        gateway=gateway,
        index=town.index,
        store=town.store,
        keys=buyer.keys,
        directory=town.directory,
        inbox=inbox,
        paillier_bits=BITS,
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_buyer__broadcast_select_and_delivery_taken_off__the_key_is_recovered_once_final(
    fresh: Town, north: Node, deep: Any, tmp_path: Path, depth: int
) -> None:
    first, second = fresh.buyers[:2]
    gateway = deep(first.keys)
    buyer = buyer_of(fresh, first, gateway, tmp_path)
    helper = buyer_of(fresh, second, deep(second.keys), tmp_path)
    fresh.anvil.mine(FINAL)
    north.publisher.publish(*fresh.houses[0].window)
    fresh.anvil.mine(FINAL)
    paid_before = gateway.balance_wei(first.keys.address)

    since = gateway.block_number()
    broadcast_id = call_for_data(fresh, buyer)
    assert take_off(fresh, since, depth)
    gateway.settle()
    fresh.anvil.mine(FINAL)
    north.worker.run_once()
    since = gateway.block_number()
    (lock_id,) = buyer.selection.select(
        broadcast_id,
        members=[one.keys.address for one in fresh.buyers],
        processors=[line.processor for line in form_of(gateway, broadcast_id)],
        expires_at=gateway.now() + _LONG_S,
    )
    assert take_off(fresh, since, depth)
    gateway.settle()
    fresh.anvil.mine(FINAL)
    assert gateway.balance_wei(first.keys.address) == paid_before - DATA_SET_PRICE_WEI - 10**14
    assert count(gateway, "DataMarket", "GroupSelected", broadcastId=broadcast_id) == 1

    since = gateway.block_number()
    assert "delivered" in [one.kind for one in north.worker.run_once()]
    with pytest.raises(GrantNotReady):  # on the chain, and not final
        buyer.shares.own(lock_id)
    assert take_off(fresh, since, depth)
    with pytest.raises(GrantNotReady):
        buyer.shares.own(lock_id)
    work(
        fresh,
        north.worker,
        depth=1,
        until=lambda: north.held.grant(lock_id).state == "delivered",
    )
    buyer.shares.own(lock_id)
    share = helper.shares.own(lock_id)
    buyer.inbox.keep(lock_id, helper.shares.grant(lock_id).my_index, share)
    recovery = buyer.shares.recover(lock_id)
    assert recovery.false_indices == ()
    opened = buyer.data_sets.open(lock_id, group_secret=recovery.group_secret)
    assert buyer.data_sets.verify(lock_id, opened=opened).ok
