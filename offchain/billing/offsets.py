"""The offsets of a time zone from UTC, as runs of instants that have one offset.

Looked at so, hours that occur twice and hours that do not occur need no rule of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from offchain.types import SECONDS_PER_DAY

# Two changes of one zone are never nearer: in all of tzdata 166 hours lie between the nearest two.
_PROBE_S = SECONDS_PER_DAY


class OffsetRun(NamedTuple):
    """In [start, end) local wall-clock time is UTC plus `offset_s` seconds."""

    start: int
    end: int
    offset_s: int


class Offsets:
    """The offsets that a zone's rules give; what was found of a year is kept."""

    def __init__(self, rules: ZoneInfo) -> None:
        self._rules = rules
        self._years: dict[int, list[OffsetRun]] = {}

    def runs(self, start: int, end: int) -> list[OffsetRun]:
        """Return the runs of one offset that make up [start, end), in order."""
        runs: list[OffsetRun] = []
        for year in range(_utc(start).year, _utc(end).year + 1):
            for run in self._of_year(year):
                low, high = max(run.start, start), min(run.end, end)
                if low >= high:
                    continue
                if runs and runs[-1].offset_s == run.offset_s:
                    low = runs.pop().start
                runs.append(OffsetRun(low, high, run.offset_s))
        return runs

    def _of_year(self, year: int) -> list[OffsetRun]:
        if year not in self._years:
            start, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
            self._years[year] = self._probe(start, end)
        return self._years[year]

    def _probe(self, start: int, end: int) -> list[OffsetRun]:
        runs, offset_s = [], self._offset(start)
        for low in range(start, end, _PROBE_S):
            high = min(low + _PROBE_S, end)
            if self._offset(high) != offset_s:
                change = self._change(low, high)
                runs.append(OffsetRun(start, change, offset_s))
                start, offset_s = change, self._offset(high)
        return [*runs, OffsetRun(start, end, offset_s)]

    def _change(self, low: int, high: int) -> int:
        """Return the instant in (low, high] from which on the offset is that of `high`."""
        target = self._offset(high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._offset(middle) == target else (middle, high)
        return high

    def _offset(self, instant: int) -> int:
        offset = datetime.fromtimestamp(instant, self._rules).utcoffset()
        assert offset is not None  # the clock has a zone
        return offset.days * SECONDS_PER_DAY + offset.seconds


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
