"""A temperature that may not have been measured: None here, one reserved number in bytes and on
chain (docs/formats.md §7, §11).
"""

NOT_MEASURED_DC = -32_768  # NotificationBoard.NOT_MEASURED_DC; far below what any body can have


def to_number(temperature_dc: int | None) -> int:
    """Return the number that stands for a temperature, in tenths of a degree Celsius."""
    return NOT_MEASURED_DC if temperature_dc is None else temperature_dc


def from_number(number: int) -> int | None:
    """Return the temperature that a number stands for; None if none was measured."""
    return None if number == NOT_MEASURED_DC else number
