"""The simulation of credit: the model by hand, lives that keep the bound, and the page in docs/."""

from pathlib import Path
from random import Random

import pytest

from bench import credit
from bench.credit_lives import (
    POINT_WEI,
    capital_wei,
    highest,
    honest_node,
    payers_for,
    self_dealer,
)
from bench.credit_model import EPOCH_SECONDS, CreditModel

PAGE = Path(__file__).resolve().parents[3] / "docs" / "benchmarks" / "credit.md"


def test_model__given_a_month_by_hand__counts_as_the_rule_says() -> None:
    model, at = CreditModel(point_wei=10), 5 * EPOCH_SECONDS
    assert model.record_success("n", "a", 29, at=at) == (0, 2)  # 29 // 10
    assert model.record_success("n", "a", 10**9, at=at) == (2, 12)  # at most ten
    assert [model.record_success("n", "a", 100, at=at)[1] for _ in range(3)] == [22, 30, 30]
    assert model.record_failure("n", at=at + 1) == (30, 0)
    assert model.record_success("n", "b", 100, at=at + 2) == (0, 10)
    assert model.credit_of("n", at=at + EPOCH_SECONDS) == 8  # 70 // 8
    assert model.credit_of("n", at=at + 2 * EPOCH_SECONDS) == 7  # 490 // 64, not 8 · 7 // 8 twice
    assert model.gained_from("n", "a", at=at) == 30
    assert model.gained_from("n", "a", at=at + EPOCH_SECONDS) == 0


@pytest.mark.parametrize("payers, gain", [(1, 30), (2, 60), (33, 990), (34, 1_000), (90, 1_000)])
def test_self_dealer__given_accounts__gains_to_the_caps_and_pays_for_each_point(
    payers: int, gain: int
) -> None:
    life = self_dealer(payers, epochs=4, luck=Random(3))
    expected, reached = 0, []
    for _ in range(4):
        expected = expected * 7 // 8 + gain
        reached.append(expected)
    assert life.credits == reached
    assert life.fees_wei == [month * gain * POINT_WEI for month in range(1, 5)]
    assert life.excess_points == 0


def test_self_dealer__given_a_goal__stops_when_it_is_reached() -> None:
    life = self_dealer(34, epochs=9, luck=Random(3), goal=1_200)
    assert life.credits == [1_000, 1_205]
    assert life.fees_wei[-1] == 1_330 * POINT_WEI  # 1,000 decayed to 875, and 33 gains of ten


@pytest.mark.parametrize("seed", range(3))
def test_lives__given_any_luck__keep_the_bound(seed: int) -> None:
    for life in (
        self_dealer(seed + 1, epochs=30, luck=Random(seed)),
        honest_node(150, epochs=30, luck=Random(seed), failures=0.02),
    ):
        assert life.excess_points <= 0
        pairs = zip(life.credits, life.fees_wei, strict=True)
        assert all(points * POINT_WEI <= fees_wei for points, fees_wei in pairs)


def test_honest_node__given_failures__stands_below_one_without() -> None:
    lives = [honest_node(100, epochs=24, luck=Random(1), failures=f) for f in (0, 0.01, 1)]
    assert lives[0].credits[-1] > lives[1].credits[-1] > lives[2].credits[-1] == 0


def test_highest__given_accounts__is_where_gain_and_decay_meet() -> None:
    assert [highest(payers) for payers in (1, 34, 1_000)] == [233, 7_993, 7_993]
    assert [payers_for(level) for level in (30, 233, 234, 7_993)] == [1, 1, 2, 34]
    with pytest.raises(ValueError, match="no number of accounts reaches 7994"):
        payers_for(7_994)


def test_capital__given_accounts__is_price_and_bond_of_locks_at_a_time() -> None:
    one_lock = 2 * 10 * POINT_WEI * 50  # a fee of 2 % of the price; the bond is the price
    assert [capital_wei(payers) // one_lock for payers in (1, 10, 11, 34, 99)] == [1, 1, 2, 4, 4]


def test_results__given_a_seed__are_the_same_again() -> None:
    first, second, other = (credit.results(years=1, seed=s)[0] for s in (5, 5, 6))
    assert first == second != other


def test_page__in_the_docs__holds_what_the_rule_gives() -> None:
    # The tables that take no time; the honest nodes' are made by the same run of make bench-credit.
    page, epochs = PAGE.read_text(), round(credit.YEARS * credit.EPOCHS_A_YEAR)
    dealers = {k: self_dealer(k, epochs=epochs, luck=Random(credit.SEED)) for k in credit.DEALERS}
    assert credit._dealer_table(dealers, credit.YEARS) in page
    assert credit._level_table(credit.SEED) in page
    assert "`credit_above_fees 0points <=0 ok`" in page
    assert (PAGE.parent / "credit.svg").exists()
