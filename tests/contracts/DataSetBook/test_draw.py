"""DataSetBook.draw (draw.tree)."""

import money
import publishing
import pytest
from publishing import OwnersList, owners_of
from reading import plain

from tests.contracts.DataSetBook.conftest import PRICE_WEI, ROWS, false_leaves

FIRST_DRAW_GAS, DRAW_GAS = 98_000, 81_000
LARGE = 1_024


@pytest.fixture
def draw(data_sets, relayer):
    """``draw(published, leaf)``: a stranger's transaction."""
    return lambda it, leaf: data_sets.draw(it.data_set_id, leaf, {"from": relayer})


def test_draw__given_unknown_data_set__reverts(data_sets, owners, refuses, relayer):
    leaf = owners.leaf_at(0)
    for wrong in (leaf, leaf._replace(index=0, proof=[])):
        with refuses("DataSetBook_BadLeaf", money.NOTHING, leaf.device):
            data_sets.draw(money.NOTHING, wrong, {"from": relayer})


def test_draw__when_leaf_is_not_in_the_root__reverts(
    published, sell, draw, owners, outsider, refuses
):
    sell(published)
    for leaf in false_leaves(owners, stranger=outsider.address):
        with refuses("DataSetBook_BadLeaf", published.data_set_id, leaf.device):
            draw(published, leaf)


def test_draw__given_no_owner__reverts(data_sets, processor, sell, draw, devices, refuses):
    user = processor.address  # a member, and no device
    mixed = owners_of((devices[0], 3), (user, 4), ("0x" + "00" * 19 + "77", 5))
    it = publishing.publish(data_sets, processor, owners=mixed)
    for _ in range(2):  # before a sale and behind it
        for stranger in (user, mixed.entries[0][0]):
            with refuses("DataSetBook_NoOwner", it.data_set_id, stranger):
                draw(it, mixed.leaf(stranger))
        if not data_sets.earningsOf(it.data_set_id)[0]:
            sell(it)


def test_draw__given_no_sale__gives_nothing(published, draw, devices, lock, meter_owner):
    tx = draw(published, published.owners.leaf(devices[0]))
    assert tx.return_value == 0
    assert not tx.events
    assert lock.withdrawableOf(meter_owner.address) == 0


def test_draw__given_one_sale__pays_the_owner(
    data_sets, published, sell, draw, devices, lock, meter_owner, neighbour, only_event, per_row,
    pot_of,
):  # fmt: skip
    sell(published)
    each, pot, owed = per_row(published), pot_of(published), lock.liabilitiesWei()
    assert pot == each * sum(ROWS) > 0
    for device, rows, owner in zip(
        devices, ROWS, (meter_owner, meter_owner, neighbour), strict=True
    ):
        before = lock.withdrawableOf(owner.address)
        tx = draw(published, published.owners.leaf(device))
        amount, pot = rows * each, pot - rows * each
        assert tx.return_value == amount
        assert lock.withdrawableOf(owner.address) == before + amount
        assert (pot_of(published), lock.liabilitiesWei()) == (pot, owed)
        assert lock.balance() == owed
        assert data_sets.perRowDrawnOf(published.data_set_id, device.address) == each
        expected = (published.data_set_id, device.address, owner.address, amount)
        assert plain(tuple(only_event(tx, "Drawn").values())) == plain(expected)
        assert len(tx.events) == 1
    assert pot_of(published) == 0
    assert data_sets.balance() == 0


def test_draw__given_drawn_already__gives_nothing(
    published, sell, draw, devices, lock, meter_owner
):
    sell(published)
    leaf = published.owners.leaf(devices[0])
    draw(published, leaf)
    before = lock.withdrawableOf(meter_owner.address)
    tx = draw(published, leaf)
    assert (tx.return_value, len(tx.events)) == (0, 0)
    assert lock.withdrawableOf(meter_owner.address) == before


def test_draw__given_another_sale__gives_its_part(
    published, sell, draw, devices, lock, meter_owner, neighbour, per_row
):
    first, late = (published.owners.leaf(device) for device in (devices[0], devices[2]))
    sell(published)
    draw(published, first)
    sell(published, 3 * PRICE_WEI)
    each, each_later = per_row(published), per_row(published, 3 * PRICE_WEI)
    assert draw(published, first).return_value == ROWS[0] * each_later
    assert draw(published, late).return_value == ROWS[2] * (each + each_later)
    assert lock.withdrawableOf(meter_owner.address) == ROWS[0] * (each + each_later)
    assert lock.withdrawableOf(neighbour.address) == ROWS[2] * (each + each_later)


def test_draw__given_revoked_device_and_owner__pays(
    published, sell, draw, devices, lock, meter_owner, processor, revoke, per_row
):
    sell(published)
    for member in (devices[0], meter_owner, processor):
        revoke(member)
    draw(published, published.owners.leaf(devices[0]))
    assert lock.withdrawableOf(meter_owner.address) == ROWS[0] * per_row(published)
    before = meter_owner.account.balance()
    lock.withdrawFor(meter_owner.address, {"from": processor.account})
    assert meter_owner.account.balance() == before + ROWS[0] * per_row(published)


def test_draw__given_false_root__pays_no_more_than_came_in(
    data_sets, processor, published, sell, draw, devices, pot_of, lock, neighbour, per_row
):
    """Who names more rows than it sold robs its own data set alone."""
    greedy = owners_of((devices[0], 2**32 - 1), (devices[2], 40))
    it = publishing.publish(data_sets, processor, owners=greedy, row_count=50)
    sell(published)
    sell(it)
    came_in, other = pot_of(it), pot_of(published)
    assert draw(it, greedy.leaf(devices[0])).return_value == came_in
    assert draw(it, greedy.leaf(devices[2])).return_value == 0
    assert (pot_of(it), pot_of(published)) == (0, other)
    # It has drawn, and gets of later sales alone.
    sell(it)
    assert draw(it, greedy.leaf(devices[2])).return_value == pot_of(it) * 4
    assert draw(published, published.owners.leaf(devices[2])).return_value > 0
    assert lock.balance() == lock.liabilitiesWei()


def test_draw__given_device_twice__pays_once(data_sets, processor, sell, draw, devices, pot_of):
    address = devices[0].address
    twice = OwnersList(((address, 5), (address, 7)))
    it = publishing.publish(data_sets, processor, owners=twice)
    sell(it)
    came_in = pot_of(it)
    assert draw(it, twice.leaf_at(0)).return_value == came_in // 12 * 5
    assert draw(it, twice.leaf_at(1)).return_value == 0
    assert pot_of(it) == came_in // 12 * 7


def test_draw__given_large_list__stays_within_gas(
    data_sets, processor, sell, draw, devices, neighbour
):
    used = []
    for i in range(3):
        own = (devices[2], 1_000 + i)
        large = owners_of(*publishing.strangers(LARGE - 1), own)
        it = publishing.publish(data_sets, processor, owners=large)
        sell(it)
        used.append(draw(it, it.owners.leaf(devices[2])).gas_used)
    print(f"gas draw, of {LARGE} devices: first {used[0]}, into a purse in use {used[1:]}")
    assert used[0] <= FIRST_DRAW_GAS
    assert max(used[1:]) <= DRAW_GAS
