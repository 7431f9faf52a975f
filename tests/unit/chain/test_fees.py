"""When a stuck transaction's fee is raised, and by how much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.answers import FeeHead
from offchain.chain.fees import FeeRaise, next_base_fee_wei

GWEI = 10**9


def head(base_fee_wei, gas_used):
    return FeeHead(1, "0x", base_fee_wei, 60_000_000, gas_used)


@pytest.mark.parametrize(
    ("waited_s", "blocks", "due"),
    [(19.9, 5, False), (20.0, 1, False), (20.0, 2, True), (500.0, 0, False)],
)
def test_is_due__given_wait_and_blocks__needs_both(waited_s, blocks, due):
    fees = FeeRaise()
    assert fees.is_due(waited_s=waited_s, blocks=blocks, price_wei=7, base_fee_wei=7) is due


@pytest.mark.parametrize(("waited_s", "due"), [(19.9, False), (20.0, True)])
def test_is_due__no_block_and_a_price_below_the_base_fee__needs_the_wait_alone(waited_s, due):
    fees = FeeRaise()
    assert fees.is_due(waited_s=waited_s, blocks=0, price_wei=GWEI, base_fee_wei=GWEI + 1) is due


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (0, 875_000_000),
        (15_000_000, 937_500_000),
        (30_000_000, GWEI),
        (45_000_000, 1_062_500_000),
        (60_000_000, 1_125_000_000),
    ],
)
def test_next_base_fee__given_gas_used__moves_by_an_eighth_at_most(used, expected):
    assert next_base_fee_wei(head(GWEI, used)) == expected


def test_next_base_fee__more_than_the_target_used__rises_by_one_wei_at_least():
    assert next_base_fee_wei(head(7, 30_000_001)) == 8


def test_next_base_fee__chain_without_one__is_nothing():
    assert next_base_fee_wei(head(0, 0)) == 0


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_next_price__any_prices__is_a_tenth_higher_and_within_the_bound(last_wei, asked_wei):
    price = FeeRaise().next_price_wei(first_wei=last_wei, last_wei=last_wei, asked_wei=asked_wei)
    assert price * 100 >= last_wei * 110 and price > last_wei
    assert price >= min(asked_wei, 10 * last_wei)
    assert price <= 10 * (last_wei or max(1, asked_wei))


def test_next_price__repeated__stops_at_the_bound():
    fees, price, steps = FeeRaise(most_times=3), GWEI, 0
    while (
        dearer := fees.next_price_wei(first_wei=GWEI, last_wei=price, asked_wei=GWEI)
    ) is not None:
        price, steps = dearer, steps + 1
    assert price <= 3 * GWEI < price * 1.11
    assert steps == 11


def test_next_price__the_node_asks_more_by_now__follows_it_as_far_as_allowed():
    def price(asked_wei):
        return FeeRaise().next_price_wei(first_wei=100, last_wei=100, asked_wei=asked_wei)

    assert [price(1), price(500), price(10**9)] == [110, 500, 1_000]


@pytest.mark.parametrize("unfit", [{"percent": 9}, {"most_times": 0}])
def test_fee_raise__below_what_nodes_take__is_refused(unfit):
    with pytest.raises(ValueError, match="at least 10"):
        FeeRaise(**unfit)
