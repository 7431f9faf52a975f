"""BN254 (alt_bn128): points, their bytes, and the pairing check. The only door to py_ecc.

Pairings are py_ecc's; sums and multiples are of `jacobian` and `affine`, ten times as fast and
tested against it.

Points are affine and immutable. Coordinates follow EIP-196 (G1) and EIP-197 (G2: imaginary part
first), so `words()` is what a contract takes. Security is about 100 bits; another curve would
replace this module alone.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from gmpy2 import mpz
from py_ecc import optimized_bn128 as bn128

from offchain.crypto import affine
from offchain.crypto.encoding import WORD_BYTES, exact_bytes, is_integer
from offchain.crypto.jacobian import JacobianCurve
from offchain.errors import InvalidPointError

# Importing py_ecc lets Python recurse 100,000 deep, where hostile JSON overruns the C stack.
sys.setrecursionlimit(3_000)

FIELD_PRIME: int = bn128.field_modulus
GROUP_ORDER: int = bn128.curve_order

# The twist is y² = x³ + 3/(9+i); 1/(9+i) = (9−i)/82.
_TWIST_B_RE = 27 * pow(82, -1, FIELD_PRIME) % FIELD_PRIME
_TWIST_B_IM = -3 * pow(82, -1, FIELD_PRIME) % FIELD_PRIME


@dataclass(frozen=True, slots=True)
class _Point:
    """What G1 and G2 share: words, bytes, infinity."""

    @property
    def is_infinity(self) -> bool:
        """Tell whether this is the neutral element (all coordinates zero)."""
        return not any(self.words())

    def words(self) -> tuple[int, ...]:
        """Return the coordinates in the contracts' order."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """Return the coordinates as 32-byte big-endian words in the contracts' order."""
        return b"".join(value.to_bytes(WORD_BYTES, "big") for value in self.words())

    def _require_field_elements(self) -> None:
        if not all(is_integer(value) and 0 <= value < FIELD_PRIME for value in self.words()):
            raise InvalidPointError("a coordinate is not an integer in [0, field prime)")


@dataclass(frozen=True, slots=True)
class G1(_Point):
    """A point of G1; (0, 0) is infinity. The constructor refuses everything off the curve."""

    x: int
    y: int

    def __post_init__(self) -> None:
        self._require_field_elements()
        on_curve = (self.y * self.y - self.x * self.x * self.x - 3) % FIELD_PRIME == 0
        if not on_curve and not self.is_infinity:
            raise InvalidPointError("the G1 point is not on the curve")

    def words(self) -> tuple[int, int]:
        """Return (x, y), which contracts take as uint256[2]."""
        return (self.x, self.y)

    @classmethod
    def infinity(cls) -> "G1":
        """Return the neutral element."""
        return cls(0, 0)

    @classmethod
    def from_words(cls, words: Sequence[int], *, allow_infinity: bool = False) -> "G1":
        """Read (x, y) strictly. Raises InvalidPointError; infinity too unless allowed."""
        if len(words) != 2:
            raise InvalidPointError("a G1 point has 2 words")
        return _require_finite(cls(*words), allow_infinity)

    @classmethod
    def from_bytes(cls, data: bytes, *, allow_infinity: bool = False) -> "G1":
        """Read 64 bytes strictly. Raises EncodingError or InvalidPointError."""
        return cls.from_words(_split_words(data, 2), allow_infinity=allow_infinity)


@dataclass(frozen=True, slots=True)
class G2(_Point):
    """A point of the twist; all zero is infinity. The constructor refuses what is off the twist.

    It does not check the subgroup, which costs a multiplication: `from_bytes` and `from_words`
    do, and every `verify_*` does once more.
    """

    x_im: int
    x_re: int
    y_im: int
    y_re: int

    def __post_init__(self) -> None:
        self._require_field_elements()
        if not self._is_on_twist() and not self.is_infinity:
            raise InvalidPointError("the G2 point is not on the twist")

    def _is_on_twist(self) -> bool:
        re, im = self.x_re, self.x_im
        cube_re = re * re * re - 3 * re * im * im
        cube_im = 3 * re * re * im - im * im * im
        square_re = self.y_re * self.y_re - self.y_im * self.y_im
        square_im = 2 * self.y_re * self.y_im
        return (square_re - cube_re - _TWIST_B_RE) % FIELD_PRIME == 0 and (
            square_im - cube_im - _TWIST_B_IM
        ) % FIELD_PRIME == 0

    def words(self) -> tuple[int, int, int, int]:
        """Return (xIm, xRe, yIm, yRe), which contracts take as uint256[4]."""
        return (self.x_im, self.x_re, self.y_im, self.y_re)

    @classmethod
    def infinity(cls) -> "G2":
        """Return the neutral element."""
        return cls(0, 0, 0, 0)

    @classmethod
    def from_words(cls, words: Sequence[int], *, allow_infinity: bool = False) -> "G2":
        """Read (xIm, xRe, yIm, yRe) strictly, with the subgroup check.

        Raises InvalidPointError; for infinity too unless allowed.
        """
        if len(words) != 4:
            raise InvalidPointError("a G2 point has 4 words")
        point = _require_finite(cls(*words), allow_infinity)
        if not is_in_subgroup(point):
            raise InvalidPointError("the G2 point is not in the subgroup of the group order")
        return point

    @classmethod
    def from_bytes(cls, data: bytes, *, allow_infinity: bool = False) -> "G2":
        """Read 128 bytes strictly, subgroup included. Raises EncodingError, InvalidPointError."""
        return cls.from_words(_split_words(data, 4), allow_infinity=allow_infinity)


# Tells whether a product of pairings is one. It must refuse an empty product and every point
# outside the subgroup, as the precompile does: callers leave that to it.
PairingCheck = Callable[[Sequence[tuple[G1, G2]]], bool]
P = TypeVar("P", G1, G2)


def _split_words(data: bytes, count: int) -> list[int]:
    data = exact_bytes(data, count * WORD_BYTES, name="a point")
    starts = range(0, len(data), WORD_BYTES)
    return [int.from_bytes(data[start : start + WORD_BYTES], "big") for start in starts]


def _require_finite(point: P, allow_infinity: bool) -> P:
    if point.is_infinity and not allow_infinity:
        raise InvalidPointError("the point at infinity is refused here")
    return point


def _to_projective(point: G1 | G2) -> Any:
    if isinstance(point, G1):
        return bn128.Z1 if point.is_infinity else _g1_projective(point)
    return bn128.Z2 if point.is_infinity else _g2_projective(point)


def _g1_projective(point: G1) -> Any:
    return (bn128.FQ(point.x), bn128.FQ(point.y), bn128.FQ.one())


def _g2_projective(point: G2) -> Any:
    x = bn128.FQ2([point.x_re, point.x_im])
    return (x, bn128.FQ2([point.y_re, point.y_im]), bn128.FQ2.one())


_G1_LAW = affine.prime_field_curve(FIELD_PRIME)
_G1_MANY = JacobianCurve(FIELD_PRIME)
_G2_LAW = affine.complex_field_curve(FIELD_PRIME)


def _law(kind: type[G1] | type[G2]) -> affine.Curve:
    return _G1_LAW if kind is G1 else _G2_LAW


def _to_affine(point: G1 | G2) -> affine.Affine:
    if point.is_infinity:
        return None
    if isinstance(point, G1):
        return mpz(point.x), mpz(point.y)
    return (mpz(point.x_re), mpz(point.x_im)), (mpz(point.y_re), mpz(point.y_im))


def _from_affine(point: Any, kind: type[P]) -> P:
    if point is None:
        return kind.infinity()
    words = point if kind is G1 else (*reversed(point[0]), *reversed(point[1]))
    return kind(*(int(value) for value in words))


def add(left: P, right: P) -> P:
    """Add two points of one group."""
    return sum_points([left, right])


def negate(point: P) -> P:
    """Return the negative of a point."""
    return _from_affine(_law(type(point)).negate(_to_affine(point)), type(point))


def multiply(point: P, scalar: int) -> P:
    """Multiply a point by an integer, which is reduced modulo the group order.

    Not constant time: see docs/known-limits.md.
    """
    return multiply_each([point], [scalar])[0]


def multiply_each(points: Sequence[P], scalars: Sequence[int]) -> list[P]:
    """Return scalars_i·points_i, scalars reduced modulo the group order. Not constant time."""
    if not points:
        return []
    kind = _one_kind(points)
    pairs = [(_to_affine(p), s % GROUP_ORDER) for p, s in zip(points, scalars, strict=True)]
    if kind is G1:
        products = _G1_MANY.multiply_each(*zip(*pairs, strict=True))
    else:
        products = [affine.multiply(_G2_LAW, point, scalar) for point, scalar in pairs]
    return [_from_affine(product, kind) for product in products]


def _one_kind(points: Sequence[P]) -> type[P]:
    if not points or any(type(point) is not type(points[0]) for point in points):
        raise InvalidPointError("a sum needs one or more points of one group")
    return type(points[0])


def sum_points(points: Sequence[P]) -> P:
    """Add one or more points of one group. Raises InvalidPointError for an empty list."""
    kind = _one_kind(points)
    total = _to_affine(points[0])
    for point in points[1:]:
        total = _law(kind).add(total, _to_affine(point))
    return _from_affine(total, kind)


def weighted_sum(points: Sequence[P], scalars: Sequence[int]) -> P:
    """Return Σ scalars_i·points_i, scalars reduced modulo the group order.

    One multi-scalar multiplication. Raises InvalidPointError unless there are one or more points,
    all of one group. Not constant time.
    """
    kind = _one_kind(points)
    reduced = [scalar % GROUP_ORDER for scalar in scalars]
    bare = [_to_affine(point) for point in points]
    if kind is G1:
        return _from_affine(_G1_MANY.multi_multiply(bare, reduced), kind)
    return _from_affine(affine.multi_multiply(_G2_LAW, bare, reduced), kind)


def binomial_sums(points: Sequence[G1], count: int) -> list[G1]:
    """Return Σ_i C(i, j)·P_i for i = 1..n and j = 0..count−1."""
    sums = _G1_MANY.binomial_sums([_to_affine(point) for point in points], count)
    return [_from_affine(point, G1) for point in sums]


@lru_cache(maxsize=4096)
def is_in_subgroup(point: G2) -> bool:
    """Tell whether a G2 point has the group order (py_ecc's pairing does not check this)."""
    return affine.multiply(_G2_LAW, _to_affine(point), GROUP_ORDER) is None


def is_valid_public_key(point: object) -> bool:
    """Tell whether a value is a G2 point of the subgroup other than infinity."""
    return isinstance(point, G2) and not point.is_infinity and is_in_subgroup(point)


def pairing_product_is_one(pairs: Sequence[tuple[G1, G2]]) -> bool:
    """Tell whether Π e(P_i, Q_i) = 1, as the precompile 0x08 does (EIP-197).

    A point outside the subgroup makes the answer False. So does an empty list, which the
    precompile calls true: nothing may be valid because nothing was checked.
    """
    if not pairs or not all(is_in_subgroup(right) for _, right in pairs):
        return False
    product = bn128.FQ12.one()
    for left, right in pairs:
        if not left.is_infinity and not right.is_infinity:
            args = (_to_projective(right), _to_projective(left))
            product *= bn128.pairing(*args, final_exponentiate=False)
    return bool(bn128.final_exponentiate(product) == bn128.FQ12.one())


G1_GENERATOR = G1(*(int(value) for value in bn128.G1[:2]))
G2_GENERATOR = G2(*(int(value) for part in bn128.G2[:2] for value in reversed(part.coeffs)))
