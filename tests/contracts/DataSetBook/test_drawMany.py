"""DataSetBook.drawMany (drawMany.tree)."""

import publishing
import pytest
from publishing import owners_of
from reading import plain

from tests.contracts.DataSetBook.conftest import ROWS
from tests.contracts.gas import traces

MOST_DRAWS = 64
TEN_GAS = 52_000  # a draw of ten
LARGE = 1_024


@pytest.fixture
def draw_many(data_sets, relayer):
    """``draw_many((published, leaf), …)``: a stranger's transaction."""

    def send(*draws):
        listed = [(it.data_set_id, leaf) for it, leaf in draws]
        return data_sets.drawMany(listed, {"from": relayer})

    return send


@pytest.fixture
def two_sets(data_sets, processor, published, devices, sell):
    """Two data sets, each sold once; the second lacks the first device."""
    of_two = owners_of((devices[1], 13), (devices[2], 17))
    second = publishing.publish(data_sets, processor, owners=of_two)
    sell(published)
    sell(second)
    return published, second


def test_draw_many__when_too_many__reverts(published, draw_many, devices, refuses):
    leaf = published.owners.leaf(devices[0])
    with refuses("DataSetBook_TooMany", MOST_DRAWS + 1, MOST_DRAWS):
        draw_many(*[(published, leaf)] * (MOST_DRAWS + 1))


def test_draw_many__when_at_the_edge__gives_what_they_give(
    published, sell, draw_many, devices, per_row
):
    assert draw_many().return_value == 0
    sell(published)
    leaf = published.owners.leaf(devices[0])
    tx = draw_many(*[(published, leaf)] * MOST_DRAWS)
    assert tx.return_value == ROWS[0] * per_row(published)
    print(f"gas drawMany, {MOST_DRAWS} of one data set: {tx.gas_used}")


def test_draw_many__when_one_leaf_is_bad__reverts_whole(
    two_sets, draw_many, devices, lock, meter_owner, refuses, pot_of
):
    first, second = two_sets
    pots = [pot_of(it) for it in two_sets]
    good = (first, first.owners.leaf(devices[0]))
    false = second.owners.leaf(devices[1])._replace(rows=14)
    with refuses("DataSetBook_BadLeaf", second.data_set_id, false.device):
        draw_many(good, (second, false))
    assert lock.withdrawableOf(meter_owner.address) == 0
    assert [pot_of(it) for it in two_sets] == pots


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (2, 0, 4, 1, 3), (4, 3, 2, 1, 0)])
def test_draw_many__given_several_owners__pays_each(
    two_sets, draw_many, devices, lock, meter_owner, neighbour, per_row, pot_of, order
):
    first, second = two_sets
    each, each_second = per_row(first), per_row(second)
    draws = [(first, first.owners.leaf(device)) for device in devices]
    draws += [(second, second.owners.leaf(device)) for device in devices[1:]]
    amounts = [*(rows * each for rows in ROWS), 13 * each_second, 17 * each_second]
    owner_of = [meter_owner, meter_owner, neighbour, meter_owner, neighbour]
    tx = draw_many(*(draws[i] for i in order))
    assert tx.return_value == sum(amounts)
    for owner in (meter_owner, neighbour):
        own = sum(amount for amount, who in zip(amounts, owner_of, strict=True) if who is owner)
        assert lock.withdrawableOf(owner.address) == own
    expected = [
        (draws[i][0].data_set_id, draws[i][1].device, owner_of[i].address, amounts[i])
        for i in order
    ]
    found = [tuple(event.values()) for event in tx.events["Drawn"]]
    assert plain(found) == plain(expected)
    assert [pot_of(it) for it in two_sets] == [0, 0]
    assert lock.balance() == lock.liabilitiesWei()


def test_draw_many__when_named_twice__gives_once(two_sets, draw_many, devices, per_row):
    first, second = two_sets
    draws = [(first, first.owners.leaf(devices[0])), (second, second.owners.leaf(devices[2]))]
    tx = draw_many(*draws, *reversed(draws))
    assert tx.return_value == ROWS[0] * per_row(first) + 17 * per_row(second)
    assert tx.events.count("Drawn") == 2
    assert draw_many(*draws).return_value == 0


def test_draw_many__when_one_owner_follows_itself__calls_the_lock_once(
    two_sets, draw_many, devices, lock
):
    first, second = two_sets
    draws = [(first, first.owners.leaf(device)) for device in devices[:2]]
    draws += [(second, second.owners.leaf(devices[1])), (second, second.owners.leaf(devices[2]))]
    tx = draw_many(*draws)
    to_lock = [to for to, _ in traces.calls(tx.txid) if to == lock.address.lower()]
    assert len(to_lock) == 2


def test_draw_many__given_ten_large_lists__stays_within_gas(
    data_sets, processor, sell, draw_many, devices
):
    draws = []
    for i in range(10):
        own = (devices[2], 1_000 + i)
        large = owners_of(*publishing.strangers(LARGE - 1), own)
        it = publishing.publish(data_sets, processor, owners=large)
        sell(it)
        draws.append((it, it.owners.leaf(devices[2])))
    used = draw_many(*draws).gas_used
    print(f"gas drawMany, ten data sets of {LARGE} devices: {used}, {used // 10} each")
    assert used <= 10 * TEN_GAS
