"""A long window in parts of whole local days, each small enough to be one answer.

Each part is asked and answered by itself, with the readings of every UTC day that it touches. What
the parts hold together is what one bill of the whole window is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from offchain.billing.registers import RegisterReading, Span
from offchain.billing.zones import Zone
from offchain.errors import BillingError, RegisterError
from offchain.types import SECONDS_PER_DAY


def utc_days(window: Span) -> range:
    """Return the numbers of the UTC days that have instants in a window, from 1970-01-01."""
    return range(window[0] // SECONDS_PER_DAY, -(-window[1] // SECONDS_PER_DAY))


def whole_utc_days(window: Span) -> Span:
    """Return the smallest window of whole UTC days around a window."""
    days = utc_days(window)
    return days.start * SECONDS_PER_DAY, days.stop * SECONDS_PER_DAY


def split_window(
    window: Span, zone: Zone, *, bytes_of_day: Mapping[int, int], room_bytes: int
) -> list[Span]:
    """Cut a window of local days into as few parts as have room, each as long as it can be.

    `bytes_of_day` tells what each UTC day takes of an answer (0 where it is not named),
    `room_bytes` what an answer has for days. A day that two parts touch stands in both. Raises
    BillingError for a local day that alone has no room, naming it.
    """
    parts: list[Span] = []
    for day in zone.days_between(*window):
        start, end = max(day.start, window[0]), min(day.end, window[1])
        if parts and _size((parts[-1][0], end), bytes_of_day) <= room_bytes:
            parts[-1] = (parts[-1][0], end)
            continue
        size = _size((start, end), bytes_of_day)
        if size > room_bytes:
            raise BillingError(
                f"the readings of {day.date} alone take up to {size} bytes of an answer, which has "
                f"room for {room_bytes}; ask for fewer devices at once"
            )
        parts.append((start, end))
    return parts


def joined(parts: Iterable[Sequence[RegisterReading]]) -> list[RegisterReading]:
    """Return one device's readings of all parts, each once, in order of time.

    Raises RegisterError where two parts tell different things of one instant.
    """
    found: dict[int, RegisterReading] = {}
    for part in parts:
        for reading in part:
            if found.setdefault(reading.time_s, reading) != reading:
                raise RegisterError(
                    f"two answers hold different readings of the time {reading.time_s}"
                )
    return [found[time_s] for time_s in sorted(found)]


def _size(window: Span, bytes_of_day: Mapping[int, int]) -> int:
    return sum(bytes_of_day.get(day, 0) for day in utc_days(window))
