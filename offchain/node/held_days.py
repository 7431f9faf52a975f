"""What the node holds of a device, day by day: counts alone, which stand on chain already."""

from __future__ import annotations

from itertools import groupby

from offchain.billing.registers import Span
from offchain.billing.window_parts import utc_days
from offchain.node.store import NodeStore
from offchain.records.held_days import HeldDay
from offchain.types import SECONDS_PER_DAY, Account


def held_days(held: NodeStore, device: Account, window: Span) -> list[HeldDay]:
    """Return the UTC days around a window of which the device's batches are held, in order, and the
    nearest such day before and behind them: a window may lie between readings.
    """
    days = utc_days(window)
    before, behind = held.batch_days_beside(device, days)
    span = (days.start if before is None else before, days.stop if behind is None else behind + 1)
    start, end = (day * SECONDS_PER_DAY for day in span)
    found = []
    for day, group in groupby(held.batches(device, from_s=start, to_s=end), lambda one: one.day):
        batches = [one.batch for one in group]
        readings = sum(batch.count for batch in batches)
        found.append(HeldDay(day, batches[0].from_seq, readings, len(batches)))
    return found
