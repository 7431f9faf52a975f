"""Time zones as the package `tzdata` has them, never as the machine does: bills must agree.

An instant is unix seconds. Days are those of docs/formats.md §17: where midnight is missing, or was
doubled, or a whole day was left out, they still lie end to end.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from offchain.billing.offsets import OffsetRun, Offsets
from offchain.errors import BillingError
from offchain.types import SECONDS_PER_DAY

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# No zone is further from UTC, local mean times included.
_MAX_OFFSET_S = 16 * 3_600


class LocalDay(NamedTuple):
    """The local day `date`: the instants [start, end)."""

    date: date
    start: int
    end: int

    @property
    def month(self) -> tuple[int, int]:
        """The year and the month."""
        return self.date.year, self.date.month


class Zone:
    """An IANA time zone."""

    def __init__(self, name: str, rules: ZoneInfo) -> None:
        self.name = name
        self._rules = rules
        self._offsets = Offsets(rules)
        self._month_days: dict[tuple[int, int], int] = {}

    def offset_runs(self, start: int, end: int) -> list[OffsetRun]:
        """Return the runs of one offset that make up [start, end), in order."""
        return self._offsets.runs(start, end)

    def days(self, first: date, last: date) -> list[LocalDay]:
        """Return the local days from `first` to `last`, both included; one without length is none.

        A day begins at the first instant whose local date is that day or later.
        """
        low, high = first.toordinal(), last.toordinal()
        starts = self._starts(low - EPOCH_ORDINAL, high - EPOCH_ORDINAL + 1)
        return [
            LocalDay(date.fromordinal(low + i), start, end)
            for i, (start, end) in enumerate(pairwise(starts))
            if start < end
        ]

    def days_between(self, start: int, end: int) -> list[LocalDay]:
        """Return the local days that have instants in [start, end)."""
        # A wall clock that was put back over midnight shows the day before: look a day further.
        first = _utc(start - _MAX_OFFSET_S).date()
        last = _utc(end + _MAX_OFFSET_S).date()
        return [day for day in self.days(first, last) if day.end > start and day.start < end]

    def day_start(self, day: date) -> int:
        """Return the first instant whose local date is `day` or later."""
        number = day.toordinal() - EPOCH_ORDINAL
        return self._starts(number, number)[0]

    def days_in(self, month: tuple[int, int]) -> int:
        """Return how many days a month, (year, month), has here."""
        if month not in self._month_days:
            year, number = month
            following = date(year + number // 12, number % 12 + 1, 1).toordinal()
            days = self.days(date(year, number, 1), date.fromordinal(following - 1))
            self._month_days[month] = len(days)
        return self._month_days[month]

    def wall_clock(self, instant: int) -> datetime:
        """Return what a local clock shows, with its offset."""
        return datetime.fromtimestamp(instant, self._rules)

    def _starts(self, first: int, last: int) -> list[int]:
        """Return the beginnings of the days first … last, numbered from 1970-01-01."""
        runs = iter(
            self.offset_runs(
                first * SECONDS_PER_DAY - 2 * _MAX_OFFSET_S,
                last * SECONDS_PER_DAY + 2 * _MAX_OFFSET_S,
            )
        )
        run, starts = next(runs), []
        for number in range(first, last + 1):
            while (start := max(run.start, number * SECONDS_PER_DAY - run.offset_s)) >= run.end:
                run = next(runs)
            starts.append(start)
        return starts


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


@lru_cache(maxsize=64)
def zone(name: str) -> Zone:
    """Return the zone of an IANA name. Raises BillingError for a name that is none."""
    if name not in zone_names():  # also keeps names from being paths
        raise BillingError(f"{name[:40]!r} is no time zone; write one like Europe/Amsterdam")
    place = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with place.open("rb") as file:
        return Zone(name, ZoneInfo.from_file(file, key=name))


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
