"""Pairing products in native code, where it is installed: some two hundred times as fast as py_ecc.

The code is `garaga_rs` of garaga (MIT; the arithmetic is lambdaworks', Apache 2.0), an extra that
nothing needs (requirements/pairing.txt): where it is absent py_ecc computes the same.
"""

import logging
from collections.abc import Callable, Sequence
from functools import cache

from offchain.crypto.curve import (
    FIELD_PRIME,
    G1,
    G1_GENERATOR,
    G2,
    G2_GENERATOR,
    PairingCheck,
    is_in_subgroup,
    multiply,
    negate,
    pairing_product_is_one,
)

_log = logging.getLogger(__name__)
_BN254 = 0  # garaga's number of the curve
_ONE = [1, *[0] * 11]
_Product = Callable[[int, list[int]], list[int]]


def local_pairing() -> PairingCheck:
    """Return the fastest check on this machine that asks nobody: native code, or py_ecc."""
    return native_pairing() or pairing_product_is_one


@cache
def native_pairing() -> PairingCheck | None:
    """Return the check by native code, None where it is not installed or computes wrongly.

    It tells what `pairing_product_is_one` tells.
    """
    try:
        from garaga.garaga_rs import multi_pairing
    except ImportError as error:
        _log.debug("pairings are computed by py_ecc: %s", error)
        return None
    check = _check_by(multi_pairing)
    if not _is_sound(check):
        _log.warning("garaga_rs computes pairings wrongly here: py_ecc is used in its place")
        return None
    return check


def _check_by(product: _Product) -> PairingCheck:
    def is_product_one(pairs: Sequence[tuple[G1, G2]]) -> bool:
        if not pairs or not all(is_in_subgroup(right) for _, right in pairs):
            return False
        # Points at infinity contribute one; the library takes none. That all others lie on their
        # curves is checked where they are made.
        finite = [pair for pair in pairs if not any(point.is_infinity for point in pair)]
        words = [word for left, right in finite for word in (*left.words(), *_real_first(right))]
        return not words or product(_BN254, words) == _ONE

    return is_product_one


def _real_first(point: G2) -> tuple[int, int, int, int]:
    return point.x_re, point.x_im, point.y_re, point.y_im


def _is_sound(check: PairingCheck) -> bool:
    """Try it on products that are one and that are not: a wheel may be of another build."""
    six, opposite = multiply(G1_GENERATOR, 6), negate(multiply(G1_GENERATOR, 2))
    three = multiply(G2_GENERATOR, 3)
    is_one = [(six, G2_GENERATOR), (opposite, three)]
    is_not = [(six, G2_GENERATOR), (opposite, G2_GENERATOR)]
    other = [(six, G2_GENERATOR), (G1(six.x, FIELD_PRIME - six.y), three)]
    return check(is_one) and not check(is_not) and not check(other)
