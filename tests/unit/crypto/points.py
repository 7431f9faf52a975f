"""Points that hostile peers send."""

from offchain.crypto.curve import FIELD_PRIME, G2, is_in_subgroup
from offchain.errors import InvalidPointError

_HALF = (FIELD_PRIME + 1) // 2


def _root(value: int) -> int | None:
    root = pow(value, (FIELD_PRIME + 1) // 4, FIELD_PRIME)
    return root if root * root % FIELD_PRIME == value % FIELD_PRIME else None


def _root_in_extension(re: int, im: int) -> tuple[int, int] | None:
    """Square root of re + im·i, by the norm."""
    norm = _root((re * re + im * im) % FIELD_PRIME)
    for sign in (1, -1):
        part = None if norm is None else _root((re + sign * norm) * _HALF % FIELD_PRIME)
        if part:
            return part, im * pow(2 * part, -1, FIELD_PRIME) % FIELD_PRIME
    return None


def off_subgroup_point() -> G2:
    """Return a point of the twist whose order is not the group order."""
    b = pow(82, -1, FIELD_PRIME)
    for x in range(1, 200):
        root = _root_in_extension((x**3 + 27 * b) % FIELD_PRIME, -3 * b % FIELD_PRIME)
        if root is None:
            continue
        point = G2(0, x, root[1], root[0])
        if not is_in_subgroup(point):
            return point
    raise InvalidPointError("no such point among the first x")
