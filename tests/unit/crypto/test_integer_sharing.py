"""Sharing over Z_M: recovery without division, exhaustive secrecy in a small ring."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.crypto import integer_sharing as sharing
from offchain.errors import SharingError

MODULUS = 5 * 7  # both factors above the three members


@given(st.integers(0, 10**30), st.integers(2, 6), st.data())
def test_integer_weights__given_any_t_shares__recover_delta_times_the_secret(
    secret: int, threshold: int, data: st.DataObject
) -> None:
    members, modulus = data.draw(st.integers(threshold, 7)), 10**30 + 57
    shares = sharing.deal_shares(secret, modulus=modulus, threshold=threshold, members=members)
    indices = data.draw(
        st.lists(st.integers(1, members), unique=True, min_size=threshold, max_size=members)
    )
    weights = sharing.integer_weights(indices, members=members)
    total = sum(weights[i] * shares[i - 1] for i in indices)
    assert total % modulus == sharing.delta(members) * secret % modulus


def test_deal_shares__given_fewer_than_t__are_consistent_with_every_secret_equally() -> None:
    # t = 3, n = 3: all polynomials over Z_35, seen by each pair of members.
    for pair in combinations((1, 2, 3), 2):
        seen: dict[tuple[int, ...], dict[int, int]] = {}
        for secret, a, b in product(range(MODULUS), repeat=3):
            view = tuple((secret + a * i + b * i * i) % MODULUS for i in pair)
            counts = seen.setdefault(view, {})
            counts[secret] = counts.get(secret, 0) + 1
        assert len(seen) == MODULUS**2
        assert all(set(counts.values()) == {1} for counts in seen.values())
        assert all(len(counts) == MODULUS for counts in seen.values())


def test_deal_shares__dealt_twice__differ() -> None:
    first, second = (
        sharing.deal_shares(7, modulus=10**30, threshold=2, members=3) for _ in range(2)
    )
    assert first != second


@pytest.mark.parametrize("indices", [[], [0, 1], [1, 1], [1, 6], [-1, 2], [True, 2], [1.0, 2]])
def test_integer_weights__given_bad_indices__are_refused(indices: list[int]) -> None:
    with pytest.raises(SharingError):
        sharing.integer_weights(indices, members=5)


@pytest.mark.parametrize(("threshold", "members"), [(1, 3), (4, 3), (2, 101), (0, 0), (2.0, 3)])
def test_require_group__given_nonsense__is_refused(threshold: int, members: int) -> None:
    with pytest.raises(SharingError):
        sharing.require_group(threshold=threshold, members=members)


@pytest.mark.parametrize("secret", [-1, MODULUS, 1.5, True])
def test_deal_shares__given_a_secret_out_of_range__is_refused(secret: int) -> None:
    with pytest.raises(SharingError):
        sharing.deal_shares(secret, modulus=MODULUS, threshold=2, members=3)
