"""Amounts for people, exactly: micro-units as decimals of the currency."""

_MICRO = 10**6


def amount_text(micro: int, *, least_digits: int = 0) -> str:
    """Return micro-units as a decimal without needless zeros, with `least_digits` at least."""
    sign, size = ("-", -micro) if micro < 0 else ("", micro)
    whole, part = divmod(size, _MICRO)
    digits = f"{part:06}".rstrip("0").ljust(least_digits, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
