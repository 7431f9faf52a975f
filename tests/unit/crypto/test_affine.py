"""The affine group law against py_ecc, an independent implementation, edges included."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as bn128

from offchain.crypto import curve
from offchain.crypto.curve import G1, G1_GENERATOR, G2, G2_GENERATOR, GROUP_ORDER
from offchain.errors import InvalidPointError

GENERATORS = {G1: G1_GENERATOR, G2: G2_GENERATOR}
edges = st.sampled_from([0, 1, 2, 3, 15, 16, 17, 31, 32, 33, GROUP_ORDER - 1, GROUP_ORDER])
scalars = st.one_of(edges, st.integers(0, 2**256))


def independent(kind, scalar):
    """[scalar]·generator by py_ecc."""
    base = bn128.G1 if kind is G1 else bn128.G2
    point = bn128.multiply(base, scalar % GROUP_ORDER)
    if bn128.is_inf(point):
        return kind.infinity()
    x, y = bn128.normalize(point)
    if kind is G1:
        return G1(int(x), int(y))
    return G2(*(int(value) for part in (x, y) for value in reversed(part.coeffs)))


@settings(max_examples=15, deadline=None)
@given(scalar=scalars)
@pytest.mark.parametrize("kind", [G1, G2])
def test_multiply__any_scalar__is_py_eccs(kind, scalar):
    assert curve.multiply(GENERATORS[kind], scalar) == independent(kind, scalar)


@settings(max_examples=15, deadline=None)
@given(left=scalars, right=scalars)
@pytest.mark.parametrize("kind", [G1, G2])
def test_add__any_two__is_py_eccs(kind, left, right):
    points = [curve.multiply(GENERATORS[kind], scalar) for scalar in (left, right)]
    assert curve.add(*points) == independent(kind, left + right)


@pytest.mark.parametrize("kind", [G1, G2])
def test_add__infinity_doubles_and_negatives__are_no_exception(kind):
    point, none = GENERATORS[kind], kind.infinity()
    assert curve.add(none, none) == none == curve.add(point, curve.negate(point))
    assert curve.add(point, none) == point == curve.add(none, point)
    assert curve.add(point, point) == curve.multiply(point, 2)
    assert curve.negate(none) == none and curve.multiply(none, 5) == none


@pytest.mark.parametrize("kind", [G1, G2])
@pytest.mark.parametrize("count", [1, 2, 23, 24, 60, 210])
def test_weighted_sum__few_or_many__is_the_sum_of_the_products(kind, count):
    factors = [(7**i) % GROUP_ORDER if i % 5 else 0 for i in range(count)]
    points = [curve.multiply(GENERATORS[kind], 3 * i) for i in range(count)]
    expected = sum(3 * i * factor for i, factor in enumerate(factors))
    assert curve.weighted_sum(points, factors) == curve.multiply(GENERATORS[kind], expected)


def test_weighted_sum__nothing_or_two_groups__is_refused():
    for points in ([], [G1_GENERATOR, G2_GENERATOR]):
        with pytest.raises(InvalidPointError):
            curve.weighted_sum(points, [1] * len(points))
