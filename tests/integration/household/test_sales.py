"""A household sees what is sold of its readings, draws exactly what they earned, and ends sales."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from offchain.chain.facts import ContractRevert
from offchain.household import sales
from offchain.household.household import Household
from offchain.member.data_sets import earnings_of, sale_of
from offchain.member.roles import LockState
from offchain.types import SECONDS_PER_DAY
from tests.integration.buyer.test_sharing import call_for_data, select_both
from tests.integration.town import DATA_SET_PRICE_WEI, House, Town, go_back, poll

OWNERS_WEI = DATA_SET_PRICE_WEI // 2  # of the town's terms
PURPOSE = "a study of standing loads"


@dataclass
class Sold:
    """A data set of two homes, sold once."""

    town: Town
    data_set_id: bytes
    lock_id: bytes

    @property
    def homes(self) -> list[House]:
        return [self.town.houses[0], self.town.houses[2]]


def sell(town: Town) -> bytes:
    """Sell what the first node has for sale, once more; return the lock."""
    node = town.nodes[0]
    broadcast_id = call_for_data(town)
    assert [one.kind for one in poll(node.worker)] == ["responded"]
    (lock_id,) = select_both(town, broadcast_id)
    assert [one.kind for one in poll(node.worker)] == ["delivered"]
    assert town.buyers[0].locks.lock(lock_id).state is LockState.SETTLED
    return lock_id


@pytest.fixture(scope="module")
def once(town: Town) -> Iterator[Sold]:
    snapshot = town.anvil.snapshot()
    published = town.nodes[0].publisher.publish(*town.houses[0].window)
    yield Sold(town, published.data_set_id, sell(town))
    go_back(town, snapshot)


@pytest.fixture
def sold(once: Sold) -> Iterator[Sold]:
    snapshot = once.town.anvil.snapshot()
    yield once
    go_back(once.town, snapshot)


def owed_wei(house: House) -> int:
    return house.household.money.withdrawable_wei()


def test_seen__after_a_sale__tells_to_whom_what_for_and_ones_own_part(sold: Sold) -> None:
    house, buyer = sold.homes[0], sold.town.buyers[0]

    seen = house.household.sales.seen()

    (one,) = seen.data_sets
    assert seen.unknown == ()
    assert one.published.data_set_id == sold.data_set_id and one.is_on_sale
    assert one.leaves[0].device == house.device.address and one.own_rows == 48
    (sale,) = one.sales
    assert (sale.lock_id, sale.buyer, sale.purpose) == (sold.lock_id, buyer.keys.address, PURPOSE)
    assert (sale.price_wei, sale.is_sold) == (DATA_SET_PRICE_WEI, True)
    assert sale.part_wei == one.earned_wei == one.to_draw_wei == OWNERS_WEI // 96 * 48
    assert one.drawn_wei == 0


def test_seen__of_a_home_in_no_data_set__has_none(sold: Sold) -> None:
    assert sold.town.houses[1].household.sales.seen().data_sets == ()


def test_draw__by_both_homes__gives_each_exactly_what_its_rows_earned(sold: Sold) -> None:
    for house in sold.homes:
        sales = house.household.sales
        drawn_wei, receipts = sales.draw()
        assert (drawn_wei, len(receipts)) == (OWNERS_WEI // 96 * 48, 1)
        assert owed_wei(house) == drawn_wei
        assert sales.draw() == (0, [])
        (one,) = sales.seen().data_sets
        assert (one.drawn_wei, one.to_draw_wei) == (drawn_wei, 0)
        before = house.gateway.balance_wei(house.keys.address)
        house.household.money.withdraw()
        assert house.gateway.balance_wei(house.keys.address) - before == drawn_wei
    assert earnings_of(house.gateway, sold.data_set_id).pot_wei == 0


def test_draw__after_a_second_sale__gives_what_came_since(sold: Sold) -> None:
    house = sold.homes[0]
    first_wei, _ = house.household.sales.draw()
    sell(sold.town)

    second_wei, _ = house.household.sales.draw()

    assert first_wei == second_wei == OWNERS_WEI // 96 * 48


def test_draw__by_a_revoked_owner_of_a_revoked_device__gives_what_they_earned(sold: Sold) -> None:
    house, town = sold.homes[1], sold.town
    town.admin.revoke(house.device.address)
    town.admin.revoke(house.keys.address)

    drawn_wei, _ = house.household.sales.draw()

    assert drawn_wei == owed_wei(house) == OWNERS_WEI // 96 * 48


def test_draw__that_somebody_else_made_before__is_no_loss(sold: Sold) -> None:
    house, stranger = sold.homes[0], sold.town.buyers[1]
    seen = house.household.sales.seen()
    leaf = seen.data_sets[0].leaves[0].words()
    stranger.gateway.transact("DataSetBook", "draw", sold.data_set_id, leaf)

    assert owed_wei(house) == OWNERS_WEI // 96 * 48
    assert house.household.sales.draw(seen)[0] == 0


def test_end__after_a_withdrawal__ends_the_sale_and_says_what_goes_on(sold: Sold) -> None:
    town, house, buyer = sold.town, sold.homes[0], sold.town.buyers[0]
    broadcast_id = call_for_data(town)
    poll(town.nodes[0].worker)
    (lock_id,) = select_both(town, broadcast_id)
    house.household.consents.withdraw(house.device.address)

    ends = house.household.sales.end(house.device.address)

    assert [(one.data_set_id, one.is_ended) for one in ends] == [
        (sold.data_set_id, True),
        (sold.data_set_id, False),
    ]
    assert f"({buyer.keys.address}) ({PURPOSE}) goes on: it was selected before" in ends[1].why
    assert sale_of(house.gateway, sold.data_set_id).sale_until <= house.gateway.now()
    assert [one.kind for one in poll(town.nodes[0].worker)] == ["delivered"]
    assert buyer.locks.lock(lock_id).state is LockState.SETTLED  # selected before
    again = house.household.sales.end(house.device.address)
    assert again == []


def test_end__where_the_node_was_faster__says_that_it_is_ended(
    sold: Sold, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, node = sold.homes[0], sold.town.nodes[0]
    sales = house.household.sales
    house.household.consents.withdraw(house.device.address)
    seen = sales.seen()
    assert [one.kind for one in poll(node.worker)] == ["retired"]
    monkeypatch.setattr(sales, "seen", lambda **_: seen)

    (end,) = sales.end(house.device.address)

    assert end.is_ended and "already" in end.why


def test_end__while_consent_stands__leaves_the_sale_and_says_why(sold: Sold) -> None:
    house = sold.homes[0]

    (end,) = house.household.sales.end(house.device.address)

    assert not end.is_ended
    with pytest.raises(ContractRevert, match="must be withdrawn first"):
        house.gateway.transact(
            "DataSetBook",
            "retireFor",
            sold.data_set_id,
            house.household.sales.seen().data_sets[0].leaves[0].words(),
        )


def test_seen__of_a_list_that_nobody_serves__is_named(sold: Sold) -> None:
    house, town = sold.homes[0], sold.town
    (one,) = house.household.sales.seen().data_sets
    data = town.store.get(one.published.owners_digest, max_bytes=10_000)
    town.store.unpin(one.published.owners_digest)
    try:
        seen = house.household.sales.seen()
        ends = house.household.sales.end(house.device.address)
    finally:
        town.store.put(data, lasting=True)

    assert seen.data_sets == ()
    assert seen.unknown[0].data_set_id == sold.data_set_id
    assert "cannot be had" in seen.unknown[0].why
    assert [one.is_ended for one in ends] == [False] and "may hold" in ends[0].why


def test_seen__of_a_list_that_is_not_that_of_the_root__is_named(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, house = fresh.nodes[0], fresh.houses[0]
    made = "offchain.node.publisher.owners.root"
    monkeypatch.setattr(made, lambda _: b"x" * 32)
    start, _ = house.window
    published = node.publisher.publish(start, start + SECONDS_PER_DAY)
    monkeypatch.undo()

    (unknown,) = house.household.sales.seen().unknown

    assert unknown.data_set_id == published.data_set_id
    assert "another root than was published" in unknown.why


def test_seen__what_a_lying_chain_node_tells__is_named(
    sold: Sold, monkeypatch: pytest.MonkeyPatch
) -> None:
    house: Household = sold.homes[0].household
    honest = sales.published_in
    monkeypatch.setattr(sales, "published_in", lambda row: replace(honest(row), row_count=1))

    (unknown,) = house.sales.seen().unknown

    assert "not what its key signed" in unknown.why
