"""Newton's basis and Lagrange: exhaustive secrecy and recovery in a small field."""

from collections import Counter
from itertools import combinations, product

import pytest

from offchain.crypto.polynomial import evaluate_newton, lagrange_at_zero
from offchain.errors import SharingError

PRIME, THRESHOLD, MEMBERS = 7, 3, 4


def _shares(secret, rest):
    return [evaluate_newton([secret, *rest], i, PRIME) for i in range(1, MEMBERS + 1)]


def test_evaluate_newton__small_polynomial__is_the_binomial_sum():
    assert [evaluate_newton([5, 3, 2], x, 10_007) for x in range(5)] == [5, 8, 13, 20, 29]


def test_shares__one_fewer_than_the_threshold__fit_every_secret_equally_often():
    for seen in combinations(range(MEMBERS), THRESHOLD - 1):
        views = [
            Counter(
                tuple(_shares(secret, rest)[i] for i in seen)
                for rest in product(range(PRIME), repeat=THRESHOLD - 1)
            )
            for secret in range(PRIME)
        ]
        assert all(view == views[0] for view in views)
        assert len(views[0]) == PRIME ** (THRESHOLD - 1)


def test_lagrange_at_zero__any_threshold_shares__give_the_secret():
    for secret, *rest in product(range(PRIME), repeat=THRESHOLD):
        values = _shares(secret, rest)
        for chosen in combinations(range(1, MEMBERS + 1), THRESHOLD):
            weights = lagrange_at_zero(chosen, PRIME)
            assert sum(w * values[i - 1] for i, w in weights.items()) % PRIME == secret


@pytest.mark.parametrize(
    "indices", [[], [0, 1], [1, 1], [1, 2, 1 + PRIME], [PRIME, 1], [2 * PRIME]]
)
def test_lagrange_at_zero__zero_or_equal_indices__are_refused(indices):
    with pytest.raises(SharingError):
        lagrange_at_zero(indices, PRIME)
