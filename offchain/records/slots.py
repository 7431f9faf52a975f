"""Interval energies on a fixed grid of time slots (docs/formats.md §14).

An interval runs between two consecutive readings of one device; its energy is the step of the
register and belongs, whole, to the slot in which the interval starts. Nothing is interpolated: a
gap of three hours puts its energy into one slot and none into those that it skips.
"""

from collections.abc import Sequence
from itertools import pairwise

from offchain.crypto.packing import VALUE_BITS
from offchain.errors import FormatError
from offchain.types import SECONDS_PER_DAY, Reading

MAX_SLOTS = 8_784  # hours of a leap year
MAX_SLOT_WH = (1 << VALUE_BITS) - 1


def slot_count(*, from_s: int, to_s: int, slot_s: int) -> int:
    """Return how many slots a window of whole UTC days has. Raises FormatError for other windows.

    `slot_s` divides a day; slot k is [from_s + k·slot_s, from_s + (k + 1)·slot_s).
    """
    if slot_s < 1 or SECONDS_PER_DAY % slot_s:
        raise FormatError("a slot's length in seconds must divide a day")
    if from_s % SECONDS_PER_DAY or to_s % SECONDS_PER_DAY or not 0 <= from_s < to_s:
        raise FormatError("a window runs from one UTC midnight to a later one")
    slots = (to_s - from_s) // slot_s
    if slots > MAX_SLOTS:
        raise FormatError(f"a window has at most {MAX_SLOTS} slots; take a shorter one")
    return slots


def slot_energies(
    readings: Sequence[Reading], *, from_s: int, to_s: int, slot_s: int
) -> list[int | None]:
    """Return the energy (Wh) of each slot of the window, None where the readings do not show it.

    `readings` are consecutive and of one device. A slot is shown when the first reading is not
    later than its start and the last not earlier than its end: then no interval that starts in it
    is unknown. Raises FormatError for readings with gaps in their seqs or a falling register.
    """
    energies = [0] * slot_count(from_s=from_s, to_s=to_s, slot_s=slot_s)
    for before, after in pairwise(readings):
        if (after.device, after.seq) != (before.device, before.seq + 1):
            raise FormatError(f"reading {after.seq} does not follow reading {before.seq}")
        if after.energy_wh < before.energy_wh or after.time_s <= before.time_s:
            raise FormatError(f"time or register of reading {after.seq} goes back")
        if from_s <= before.time_s < to_s:
            energies[(before.time_s - from_s) // slot_s] += after.energy_wh - before.energy_wh
    first, last = (readings[0].time_s, readings[-1].time_s) if readings else (to_s, from_s)
    starts = range(from_s, to_s, slot_s)
    return [
        energy if first <= start and start + slot_s <= last else None
        for start, energy in zip(starts, energies, strict=True)
    ]
