"""Points of the twist outside the subgroup: a naive peer leaks its secret modulo their small order.

The twist's order is q·10069·(more); a point of order 10069, multiplied by somebody's secret, tells
the secret modulo 10069. py_ecc's pairing takes such points without a word.
"""

from __future__ import annotations

import pytest
from py_ecc import optimized_bn128 as bn128

from offchain.crypto import bls, curve, sharing
from offchain.crypto.curve import FIELD_PRIME, G1_GENERATOR, G2, GROUP_ORDER
from offchain.crypto.messages import Role
from offchain.errors import InvalidPointError, SharingError

from ..points import off_subgroup_point

SMALL_ORDER = 10_069
TWIST_COFACTOR = 2 * FIELD_PRIME - GROUP_ORDER
SECRET = 0x1234_5678_9ABC_DEF0_1234_5678


def multiply_unreduced(point: G2, scalar: int) -> G2:
    """Multiply without reducing modulo q, as an attacker can."""
    total = G2.infinity()
    for bit in bin(scalar)[2:]:
        total = curve.add(total, total)
        total = curve.add(total, point) if bit == "1" else total
    return total


@pytest.fixture(scope="module")
def small_point() -> G2:
    """Return a point whose order is 10069."""
    assert TWIST_COFACTOR % SMALL_ORDER == 0
    others = GROUP_ORDER * (TWIST_COFACTOR // SMALL_ORDER)
    point = multiply_unreduced(off_subgroup_point(), others)
    assert not point.is_infinity and multiply_unreduced(point, SMALL_ORDER).is_infinity
    return point


def test_naive_peer__multiplies_a_point_of_small_order__tells_its_secret_in_part(
    small_point: G2,
) -> None:
    """The negative control: 200 additions find the secret modulo 10069."""
    shown = curve.multiply(small_point, SECRET)
    steps = {}
    point = G2.infinity()
    for low in range(101):
        steps[point] = low
        point = curve.add(point, small_point)
    giant = curve.negate(multiply_unreduced(small_point, 101))
    for high in range(100):
        if shown in steps:
            assert steps[shown] + 101 * high == SECRET % SMALL_ORDER
            return
        shown = curve.add(shown, giant)
    pytest.fail("the discrete logarithm was not found")


def test_naive_pairing__point_outside_the_subgroup__is_taken(small_point: G2) -> None:
    """The negative control: py_ecc pairs what the precompile refuses."""
    x = bn128.FQ2([small_point.x_re, small_point.x_im])
    y = bn128.FQ2([small_point.y_re, small_point.y_im])
    assert bn128.is_on_curve((x, y, bn128.FQ2.one()), bn128.b2)
    bn128.pairing((x, y, bn128.FQ2.one()), bn128.G1)  # no error


def test_everything__given_a_point_outside_the_subgroup__refuses(small_point: G2) -> None:
    assert not curve.is_in_subgroup(small_point)
    assert not curve.is_valid_public_key(small_point)
    assert not curve.pairing_product_is_one([(G1_GENERATOR, small_point)])
    assert not bls.verify(
        small_point, b"m", G1_GENERATOR, role=Role.ROOT, pairing_check=lambda pairs: True
    )
    with pytest.raises(InvalidPointError):
        G2.from_bytes(small_point.to_bytes())
    with pytest.raises(SharingError):
        sharing.recover(
            {1: G1_GENERATOR, 2: G1_GENERATOR},
            commitments=[curve.G2_GENERATOR, small_point],
            threshold=2,
            members=2,
            pairing_check=lambda pairs: True,
        )
