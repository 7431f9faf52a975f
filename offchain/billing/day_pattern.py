"""What a schedule says of a date: its wall-clock minutes with their prices, and its holes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from offchain.billing.components import HOLIDAY, MINUTES_A_DAY, WEEKDAYS, Period, Schedule

_ONE_DAY = timedelta(days=1)
_CALENDAR_REPEATS = 146_097  # days: weekdays and dates fall together again after 400 years

DayKind = tuple[int, str]


class DayPart(NamedTuple):
    """The minutes [start, end) of a date have this period; None where there is a hole."""

    start: int
    end: int
    period: Period | None


class DayPatterns:
    """The parts of each date under a schedule, with the holidays of its tariff."""

    def __init__(self, schedule: Schedule, holidays: frozenset[date]) -> None:
        self._periods = schedule.periods
        self._holidays = holidays
        self._edges = _edges(schedule)
        self._pattern = lru_cache(maxsize=None)(self._compute)

    def parts(self, day: date) -> tuple[DayPart, ...]:
        """Return the parts of a date in order; neighbours differ in price or name."""
        return self.parts_of(self.kind(day), self.kind(day - _ONE_DAY))

    def parts_of(self, today: DayKind, yesterday: DayKind) -> tuple[DayPart, ...]:
        """Return the parts of a day by its kind and that of the day before."""
        return self._pattern(today, yesterday)

    def kind(self, day: date) -> DayKind:
        """Return what of a date matters to periods: its month, and its weekday or `holiday`."""
        is_holiday = day in self._holidays
        return day.month, HOLIDAY if is_holiday else WEEKDAYS[day.weekday()]

    def first_hole(self, first: date, end: date | None) -> tuple[date, DayPart] | None:
        """Return the first date in [first, end) with a minute without price, and that part."""
        if not self._may_have_holes():
            return None
        for day in self._dates(first, end):
            for part in self.parts(day):
                if part.period is None:
                    return day, part
        return None

    def _compute(self, today: DayKind, yesterday: DayKind) -> tuple[DayPart, ...]:
        parts: list[DayPart] = []
        for start, end, period in zip(
            self._edges, self._edges[1:], self._paint(today, yesterday), strict=False
        ):
            if parts and _is_same(parts[-1].period, period):
                start = parts.pop().start
            parts.append(DayPart(start, end, period))
        return tuple(parts)

    def _paint(self, today: DayKind, yesterday: DayKind) -> list[Period | None]:
        """Return the period between each two edges: the last one first, so that the first wins."""
        place = {minute: i for i, minute in enumerate(self._edges)}
        found: list[Period | None] = [None] * (len(self._edges) - 1)
        for period in reversed(self._periods):
            if period.passes_midnight and period.applies(*yesterday):
                found[: place[period.end]] = [period] * place[period.end]
            if period.applies(*today):
                first = place[period.start]
                last = len(found) if period.passes_midnight else place[period.end]
                found[first:last] = [period] * (last - first)
        return found

    def _may_have_holes(self) -> bool:
        """Look at each pair of days that there can be, and at holidays: far fewer than dates."""
        pairs = chain(
            (
                ((month, WEEKDAYS[i]), (before, WEEKDAYS[i - 1]))
                for month in range(1, 13)
                for before in (month, (month - 2) % 12 + 1)
                for i in range(7)
            ),
            ((self.kind(day), self.kind(day - _ONE_DAY)) for day in self._near_holidays()),
        )
        return any(part.period is None for pair in pairs for part in self.parts_of(*pair))

    def _near_holidays(self) -> list[date]:
        return sorted({*self._holidays, *(day + _ONE_DAY for day in self._holidays)})

    def _dates(self, first: date, end: date | None) -> Iterator[date]:
        last = date.max.toordinal() if end is None else end.toordinal()
        repeated = min(first.toordinal() + _CALENDAR_REPEATS, last)
        yield from (date.fromordinal(number) for number in range(first.toordinal(), repeated))
        later = (day for day in self._near_holidays() if repeated <= day.toordinal() < last)
        yield from later


def _edges(schedule: Schedule) -> list[int]:
    named = {minute for period in schedule.periods for minute in (period.start, period.end)}
    return sorted({0, MINUTES_A_DAY} | named)


def _is_same(one: Period | None, other: Period | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.price, one.name) == (other.price, other.name)


def clock(minute: int) -> str:
    """Return a minute of the day as HH:MM."""
    return f"{minute // 60:02}:{minute % 60:02}"
