"""Multiples and sums of many G1 points: Jacobian coordinates over gmpy2 integers.

An inversion modulo 254 bits costs ten multiplications, so a chain of doublings avoids it, and many
additions at once share one (Montgomery's trick). Formulas: dbl-2009-l and madd-2007-bl of the
Explicit-Formulas Database, for y² = x³ + b. Affine points as in `affine`; nothing is checked here.
Not constant time.
"""

from collections.abc import Sequence
from typing import Any

import gmpy2
from gmpy2 import mpz

from offchain.crypto import affine
from offchain.crypto.affine import Affine

Jacobian = tuple[mpz, mpz, mpz]
_WINDOW = 5
_TABLE_SIZE = 1 << (_WINDOW - 2)


class JacobianCurve:
    """The multiples and sums of points of y² = x³ + b over F_p."""

    def __init__(self, p: int) -> None:
        self._p = mpz(p)
        self._law = affine.prime_field_curve(p)
        self._infinity = (mpz(1), mpz(1), mpz(0))

    def multiply_each(self, points: Sequence[Affine], scalars: Sequence[int]) -> list[Affine]:
        """Return scalars_i·points_i for integers >= 0."""
        products = [
            self._walk([signed_digits(scalar)], [table])
            for scalar, table in zip(scalars, self._tables(points), strict=True)
        ]
        return self._to_affine(products)

    def multi_multiply(self, points: Sequence[Affine], scalars: Sequence[int]) -> Affine:
        """Return Σ scalars_i·points_i for integers >= 0, with shared doublings (Straus)."""
        digits = [signed_digits(scalar) for scalar in scalars]
        return self._to_affine([self._walk(digits, self._tables(points))])[0]

    def binomial_sums(self, points: Sequence[Affine], count: int) -> list[Affine]:
        """Return Σ_i C(i, j)·P_i for i = 1..n and j = 0..count−1, by additions alone.

        From the last point to the first: C(m+1, j) = C(m, j) + C(m, j−1) moves all sums on by one.
        """
        sums: list[Affine] = [None] * count
        for point in [*reversed(points), None]:
            sums = self._add_each(sums, [point, *sums[:-1]])
        return sums

    def _tables(self, points: Sequence[Affine]) -> list[list[Affine]]:
        """Return P, 3P, 5P, …, 15P and their negatives, from −15P up, for each point."""
        twice = [self._law.double(point) for point in points]
        rows: list[list[Jacobian]] = []
        for point, two in zip(points, twice, strict=True):
            row = [self._infinity if point is None else (*point, mpz(1))]
            while len(row) < _TABLE_SIZE:
                row.append(self._add(row[-1], two))
            rows.append(row)
        flat = self._to_affine([point for row in rows for point in row])
        starts = range(0, len(flat), _TABLE_SIZE)
        tables = [flat[start : start + _TABLE_SIZE] for start in starts]
        return [[*(self._law.negate(one) for one in reversed(t)), *t] for t in tables]

    def _walk(self, digits: Sequence[list[int]], tables: Sequence[list[Affine]]) -> Jacobian:
        """Add up tables by digits from the highest place down, doubling in between."""
        places: list[list[Affine]] = [[] for _ in range(max(map(len, digits), default=0))]
        for row, table in zip(digits, tables, strict=True):
            for place, digit in enumerate(row):
                if digit:
                    places[place].append(table[(digit + 2 * _TABLE_SIZE) >> 1])
        total = self._infinity
        for summands in reversed(places):
            total = self._double(total)
            for point in summands:
                total = self._add(total, point)
        return total

    def _double(self, point: Jacobian) -> Jacobian:
        p = self._p
        x, y, z = point
        square = y * y % p
        s = 4 * x * square % p
        m = 3 * x * x % p
        x_new = (m * m - s - s) % p
        return x_new, (m * (s - x_new) - 8 * square * square) % p, 2 * y * z % p

    def _add(self, left: Jacobian, right: Affine) -> Jacobian:
        if right is None:
            return left
        p = self._p
        x, y, z = left
        if not z:
            return (*right, mpz(1))
        z_square = z * z % p
        h = (right[0] * z_square - x) % p
        r = (right[1] * z * z_square - y) % p
        if not h:
            return self._infinity if r else self._double(left)
        h_square = h * h % p
        h_cube = h * h_square % p
        v = x * h_square % p
        x_new = (r * r - h_cube - v - v) % p
        return x_new, (r * (v - x_new) - y * h_cube) % p, z * h % p

    def _to_affine(self, points: Sequence[Jacobian]) -> list[Affine]:
        p = self._p
        inverses = self._invert_each([z for _, _, z in points])
        result: list[Affine] = []
        for (x, y, z), inverse in zip(points, inverses, strict=True):
            square = inverse * inverse % p
            result.append((x * square % p, y * square * inverse % p) if z else None)
        return result

    def _invert_each(self, values: Sequence[mpz]) -> list[mpz]:
        """Invert all with one inversion; the inverse of 0 is given as 0."""
        p, product, products = self._p, mpz(1), []
        for value in values:
            products.append(product)
            if value:
                product = product * value % p
        inverse, inverses = gmpy2.invert(product, p), []
        for value, before in zip(reversed(values), reversed(products), strict=True):
            inverses.append(inverse * before % p if value else mpz(0))
            if value:
                inverse = inverse * value % p
        return inverses[::-1]

    def _add_each(self, lefts: Sequence[Affine], rights: Sequence[Affine]) -> list[Affine]:
        """Add two lists of points element by element."""
        p = self._p
        gaps = [
            mpz(0) if a is None or b is None else b[0] - a[0]
            for a, b in zip(lefts, rights, strict=True)
        ]
        sums: list[Any] = []
        inverses = self._invert_each(gaps)
        for a, b, gap, inverse in zip(lefts, rights, gaps, inverses, strict=True):
            if not gap or a is None or b is None:  # infinity, a double or a negative
                sums.append(self._law.add(a, b))
                continue
            slope = (b[1] - a[1]) * inverse % p
            x = (slope * slope - a[0] - b[0]) % p
            sums.append((x, (slope * (a[0] - x) - a[1]) % p))
        return sums


def signed_digits(scalar: int) -> list[int]:
    """Return the width-5 non-adjacent form, lowest digit first: 0 or odd, at most 15 in size."""
    full, digits = 1 << _WINDOW, []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar % full
            digit -= full if digit > full // 2 else 0
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits
