"""The one rounding of bills: half away from zero, so that a credit mirrors a charge."""

from fractions import Fraction


def half_away(value: Fraction) -> int:
    """Return the nearest integer; a half goes away from zero."""
    doubled = 2 * abs(value.numerator) + value.denominator
    size = doubled // (2 * value.denominator)
    return size if value >= 0 else -size
