"""Interval energies on a fixed grid of time slots (docs/formats.md §14).

An interval runs between two consecutive readings of one device; its energies are the steps of the
two registers and belong, whole, to the slot in which the interval starts. Nothing is interpolated:
a gap of three hours puts its energy into one slot and none into those that it skips.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from offchain.crypto.packing import VALUE_BITS
from offchain.errors import FormatError
from offchain.types import SECONDS_PER_DAY, Reading, ReadingFlag

MAX_SLOTS = 8_784  # hours of a leap year
MAX_SLOT_WH = (1 << VALUE_BITS) - 1
VALUES_A_SLOT = 2  # import and export


class SlotEnergy(NamedTuple):
    """What was drawn and what was fed in during one slot; a sum is `SlotEnergy.total`."""

    import_wh: int
    export_wh: int

    @classmethod
    def total(cls, energies: Sequence["SlotEnergy"]) -> "SlotEnergy":
        """Return both sums."""
        return cls(sum(one.import_wh for one in energies), sum(one.export_wh for one in energies))


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
) -> list[SlotEnergy | None]:
    """Return the energies of each slot of the window, None where the readings do not show them.

    `readings` are consecutive and of one device. A slot is shown when the first reading is not
    later than its start and the last not earlier than its end, so that no interval that starts in
    it is unknown, and none of these ends with a restarted register. Raises FormatError for readings
    with gaps in their seqs or a falling register.
    """
    count = slot_count(from_s=from_s, to_s=to_s, slot_s=slot_s)
    imports_wh, exports_wh = [0] * count, [0] * count
    unknown: set[int] = set()
    for before, after in pairwise(readings):
        _require_follows(before, after)
        if not from_s <= before.time_s < to_s:
            continue
        slot = (before.time_s - from_s) // slot_s
        imports_wh[slot] += after.import_wh - before.import_wh
        exports_wh[slot] += after.export_wh - before.export_wh
        if ReadingFlag.REGISTER_RESTARTED in after.flags:
            unknown.add(slot)
    first, last = (readings[0].time_s, readings[-1].time_s) if readings else (to_s, from_s)
    starts = range(from_s, to_s, slot_s)
    return [
        SlotEnergy(import_wh, export_wh)
        if first <= start and start + slot_s <= last and slot not in unknown
        else None
        for slot, (start, import_wh, export_wh) in enumerate(
            zip(starts, imports_wh, exports_wh, strict=True)
        )
    ]


def _require_follows(before: Reading, after: Reading) -> None:
    if (after.device, after.seq) != (before.device, before.seq + 1):
        raise FormatError(f"reading {after.seq} does not follow reading {before.seq}")
    falls = after.import_wh < before.import_wh or after.export_wh < before.export_wh
    if falls or after.time_s <= before.time_s:
        raise FormatError(f"time or register of reading {after.seq} goes back")
