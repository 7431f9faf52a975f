"""DataSetBook.recordSale (recordSale.tree)."""

import money
import pytest
from brownie import web3
from eth_abi import encode
from eth_utils import keccak
from publishing import PublishedSet
from reading import plain

MOST = 2**104 - 1
DATA_SETS_SLOT = 0  # of the mapping that DataSetBook keeps them in


@pytest.fixture
def record(data_sets, lock_account):
    """``record(published, part_wei)``: what is left over of it, once it is recorded."""

    def send(it: PublishedSet, part_wei: int) -> int:
        options = {"from": lock_account}
        rest = data_sets.recordSale.call(it.data_set_id, part_wei, options)
        data_sets.recordSale(it.data_set_id, part_wei, options)
        return rest

    return send


@pytest.fixture
def earned(data_sets):
    """``earned(published)``: what a row has earned, and the pot."""
    return lambda it: tuple(data_sets.earningsOf(it.data_set_id)[:2])


def set_earnings(data_sets, it, per_row_wei, pot_wei):
    """Write a data set's sums straight into storage, where DataSetBook keeps them."""
    slot = int.from_bytes(keccak(encode(["bytes32", "uint256"], [it.data_set_id, DATA_SETS_SLOT])))
    rows, devices = it.owners.rows, len(it.owners.entries)
    word = rows | devices << 32 | per_row_wei << 48 | pot_wei << 152
    arguments = [data_sets.address, hex(slot + 1), f"0x{word:064x}"]
    web3.provider.make_request("anvil_setStorageAt", arguments)
    assert plain(data_sets.earningsOf(it.data_set_id))[:4] == (per_row_wei, pot_wei, rows, devices)


def test_record_sale__when_caller_is_not_the_lock__reverts(
    data_sets, published, processor, market, impersonate, outsider, reverts_with
):
    for caller in (processor.account, outsider, impersonate(market)):
        with reverts_with("DataSetBook_NotLock", caller):
            data_sets.recordSale(published.data_set_id, 1, {"from": caller})


def test_record_sale__given_unknown_data_set__returns_all(data_sets, lock_account):
    for part in (0, 1, 10**18):
        assert data_sets.recordSale.call(money.NOTHING, part, {"from": lock_account}) == part
        data_sets.recordSale(money.NOTHING, part, {"from": lock_account})
    assert plain(data_sets.earningsOf(money.NOTHING)) == (0, 0, 0, 0, plain(bytes(32)))


def test_record_sale__when_part_is_small__returns_the_rest(published, record, earned):
    for part in (0, 1, published.owners.rows - 1):
        assert record(published, part) == part
    assert earned(published) == (0, 0)


def test_record_sale__when_part_divides__adds_and_returns_the_rest(published, record, earned):
    rows, per_row = published.owners.rows, 0
    for part in (rows, rows + 1, 10**15, 2 * rows - 1, 2**96 - 1):
        each, rest = divmod(part, rows)
        assert record(published, part) == rest < rows
        per_row += each
        assert earned(published) == (per_row, per_row * rows)


@pytest.mark.parametrize("per_row, pot", [(MOST - 4, 0), (0, MOST - 4), (MOST, MOST)])
def test_record_sale__given_sums_at_their_end__returns_all(
    data_sets, published, record, earned, per_row, pot
):
    set_earnings(data_sets, published, per_row, pot)
    rows = published.owners.rows
    for part in (5 * rows, 2**96 - 1, rows if pot else 5 * rows):
        assert record(published, part) == part
    assert earned(published) == (per_row, pot)
    set_earnings(data_sets, published, MOST - 2, MOST - 2 * rows)
    assert record(published, 2 * rows + 1) == 1
    assert earned(published) == (MOST, MOST)


def test_record_sale__given_ended_sale__records(
    data_sets, published, processor, record, earned, revoke
):
    data_sets.retire(published.data_set_id, {"from": processor.account})
    revoke(processor)
    assert record(published, published.owners.rows) == 0
    assert earned(published) == (1, published.owners.rows)
