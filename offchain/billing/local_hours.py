"""Whole hours of a local wall clock, as spans of instants."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from offchain.billing.registers import Span
from offchain.billing.zones import Zone

HOUR_S = 3_600
HOURS_A_DAY = 24


class LocalHour(NamedTuple):
    """The hour [start, start + 3,600): the wall clock shows `hour`:00 at its start."""

    start: int
    hour: int

    @property
    def end(self) -> int:
        """The instant at which it ends."""
        return self.start + HOUR_S


def local_hours(zone: Zone, span: Span) -> list[LocalHour]:
    """Return the whole hours of the wall clock that lie in [start, end), in order.

    An hour that occurs twice is there twice. One that a change of the clock cuts is left out: it
    has no 3,600 seconds.
    """
    found = []
    for run in zone.offset_runs(*span):
        first = run.start + -(run.start + run.offset_s) % HOUR_S
        for start in range(first, run.end - HOUR_S + 1, HOUR_S):
            found.append(LocalHour(start, (start + run.offset_s) // HOUR_S % HOURS_A_DAY))
    return found


def outside(hours: Iterable[LocalHour], gaps: Iterable[Span]) -> list[LocalHour]:
    """Return the hours that have no instant in any of these spans."""
    merged: list[Span] = []
    for start, end in sorted(gaps):
        if merged and start <= merged[-1][1]:
            start, end = merged[-1][0], max(merged.pop()[1], end)
        merged.append((start, end))
    ends = [end for _, end in merged]
    found = []
    for hour in hours:
        i = bisect_right(ends, hour.start)  # the first gap that ends behind the hour's start
        if i == len(merged) or merged[i][0] >= hour.end:
            found.append(hour)
    return found
