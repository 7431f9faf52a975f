"""The group law of curves y² = x³ + b in affine coordinates over gmpy2 integers.

Over F_p² an inversion costs what four multiplications do, so that the twist is computed with in
affine coordinates throughout; for many points of G1 see `jacobian`. Points are pairs of field
elements and None is infinity; nothing is checked here. Not constant time: see docs/known-limits.md.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gmpy2
from gmpy2 import mpz

Affine = tuple[Any, Any] | None
_BUCKET_BITS = 4


class Curve(NamedTuple):
    """The group law of one curve: addition, doubling and negation of affine points."""

    add: Callable[[Affine, Affine], Affine]
    double: Callable[[Affine], Affine]
    negate: Callable[[Affine], Affine]


def prime_field_curve(p: int) -> Curve:
    """Return y² = x³ + b over F_p; the formulas do not need b."""
    modulus, divide = mpz(p), gmpy2.divm

    def double(point: Affine) -> Affine:
        if point is None or not point[1]:
            return None
        x, y = point
        slope = divide(3 * x * x, y + y, modulus)
        x_new = (slope * slope - x - x) % modulus
        return x_new, (slope * (x - x_new) - y) % modulus

    def add(left: Affine, right: Affine) -> Affine:
        if left is None or right is None:
            return right if left is None else left
        x, y = left
        x_other, y_other = right
        if x == x_other:
            return double(left) if y == y_other else None
        slope = divide(y_other - y, x_other - x, modulus)
        x_new = (slope * slope - x - x_other) % modulus
        return x_new, (slope * (x - x_new) - y) % modulus

    def negate(point: Affine) -> Affine:
        return None if point is None else (point[0], -point[1] % modulus)

    return Curve(add, double, negate)


def complex_field_curve(p: int) -> Curve:
    """Return y² = x³ + b over F_p[i]/(i² + 1); field elements are pairs (real, imaginary)."""
    modulus = mpz(p)

    def multiply(a: Any, b: Any) -> Any:
        (a_re, a_im), (b_re, b_im) = a, b
        return (a_re * b_re - a_im * b_im) % modulus, (a_re * b_im + a_im * b_re) % modulus

    def divide(a: Any, b: Any) -> Any:
        b_re, b_im = b
        inverse = gmpy2.invert(b_re * b_re + b_im * b_im, modulus)
        return multiply(a, (b_re * inverse % modulus, -b_im * inverse % modulus))

    def third(slope: Any, left: Any, x_other: Any) -> Affine:
        (x_re, x_im), (y_re, y_im) = left
        (s_re, s_im), (o_re, o_im) = slope, x_other
        re = ((s_re + s_im) * (s_re - s_im) - x_re - o_re) % modulus
        im = (2 * s_re * s_im - x_im - o_im) % modulus
        d_re, d_im = x_re - re, x_im - im
        y = (s_re * d_re - s_im * d_im - y_re) % modulus
        return (re, im), (y, (s_re * d_im + s_im * d_re - y_im) % modulus)

    def double(point: Affine) -> Affine:
        if point is None or not any(point[1]):
            return None
        (re, im), (y_re, y_im) = point
        square = (3 * (re + im) * (re - im), 6 * re * im)
        return third(divide(square, (y_re + y_re, y_im + y_im)), point, point[0])

    def add(left: Affine, right: Affine) -> Affine:
        if left is None or right is None:
            return right if left is None else left
        if left[0] == right[0]:
            return double(left) if left[1] == right[1] else None
        (x_re, x_im), (y_re, y_im) = left
        (o_re, o_im), (v_re, v_im) = right
        slope = divide((v_re - y_re, v_im - y_im), (o_re - x_re, o_im - x_im))
        return third(slope, left, right[0])

    def negate(point: Affine) -> Affine:
        if point is None:
            return None
        return point[0], (-point[1][0] % modulus, -point[1][1] % modulus)

    return Curve(add, double, negate)


def multiply(curve: Curve, point: Affine, scalar: int) -> Affine:
    """Multiply by an integer >= 0, from its highest bit down, four bits at a time."""
    multiples: list[Affine] = [None, point]
    while len(multiples) < 16 and len(multiples) <= scalar:
        multiples.append(curve.add(multiples[-1], point))
    total: Affine = None
    for digit in f"{scalar:x}":
        for _ in range(4):
            total = curve.double(total)
        total = curve.add(total, multiples[int(digit, 16)])
    return total


def multi_multiply(curve: Curve, points: Sequence[Affine], scalars: Sequence[int]) -> Affine:
    """Return Σ scalars_i·points_i for integers >= 0, by buckets (Pippenger)."""
    bits = max((scalar.bit_length() for scalar in scalars), default=0)
    total: Affine = None
    for shift in reversed(range(0, bits, _BUCKET_BITS)):
        for _ in range(_BUCKET_BITS):
            total = curve.double(total)
        total = curve.add(total, _bucket_sum(curve, points, scalars, shift))
    return total


def _bucket_sum(
    curve: Curve, points: Sequence[Affine], scalars: Sequence[int], shift: int
) -> Affine:
    """Return Σ d_i·P_i for the digits d_i at `shift`."""
    buckets: list[Affine] = [None] * (1 << _BUCKET_BITS)
    for point, scalar in zip(points, scalars, strict=True):
        digit = scalar >> shift & (len(buckets) - 1)
        if digit:
            buckets[digit] = curve.add(buckets[digit], point)
    total: Affine = None
    running: Affine = None
    for bucket in reversed(buckets[1:]):
        running = curve.add(running, bucket)
        total = curve.add(total, running)
    return total
