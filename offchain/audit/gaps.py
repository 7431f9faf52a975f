"""Where readings tell little of a window: intervals that are long, and those of unknown energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from offchain.billing.registers import GAP_S, Span
from offchain.types import Account, Reading, ReadingFlag


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was read in (start, end), unix seconds; `is_unknown`: nor is its energy known."""

    device: Account
    start: int
    end: int
    is_unknown: bool


def gaps_of(readings: Mapping[Account, Sequence[Reading]], window: Span) -> list[Gap]:
    """Return the gaps that have instants in [start, end), device by device, in order of time."""
    found = []
    for device, rows in readings.items():
        for before, after in pairwise(rows):
            is_unknown = ReadingFlag.REGISTER_RESTARTED in after.flags
            is_in = before.time_s < window[1] and after.time_s > window[0]
            if is_in and (is_unknown or after.time_s - before.time_s > GAP_S):
                found.append(Gap(device, before.time_s, after.time_s, is_unknown))
    return found
