"""What the node holds of a device, day by day: counts alone, which stand on chain already."""

from __future__ import annotations

from itertools import groupby

from offchain.billing.registers import Span
from offchain.billing.window_parts import whole_utc_days
from offchain.node.store import NodeStore
from offchain.records.held_days import HeldDay
from offchain.types import Account


def held_days(held: NodeStore, device: Account, window: Span) -> list[HeldDay]:
    """Return the UTC days of a window of which the device's batches are held, in order."""
    start, end = whole_utc_days(window)
    found = []
    for day, group in groupby(held.batches(device, from_s=start, to_s=end), lambda one: one.day):
        batches = [one.batch for one in group]
        readings = sum(batch.count for batch in batches)
        found.append(HeldDay(day, batches[0].from_seq, readings, len(batches)))
    return found
