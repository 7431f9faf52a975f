"""What a kWh will cost in the coming hours, as far as tariffs and price series tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

from offchain.billing.advice import ComingDay, PriceRun
from offchain.billing.components import Tariff
from offchain.billing.hour_prices import HourPrices, known_spans, price
from offchain.billing.local_hours import LocalHour, local_hours
from offchain.billing.price_series import PriceSeries
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_days import TariffDays
from offchain.billing.zones import LocalDay, Zone
from offchain.errors import BillingError

DAYS_AHEAD = 3
MOST_HOURS = 6  # of a day that are called cheap, and dear
CHEAP, DEAR = "cheap", "dear"


class Limits(NamedTuple):
    """Hours whose weight is at most `cheap` are cheap, hours of at least `dear` are dear."""

    cheap: int
    dear: int


def limits(weights: Sequence[int]) -> Limits | None:
    """Return what is cheap and what dear among the hours of one day; None where all are the same.

    Cheap are the hours of the lowest price and of those above it, as long as no more than six hours
    have them; dear the same from above. A price that is both is neither, but the lowest is always
    cheap and the highest always dear.
    """
    ordered = sorted(weights)
    if not ordered or ordered[0] == ordered[-1]:
        return None
    low, high = _reached(ordered), _reached(ordered[::-1])
    return Limits(
        cheap=max((one for one in ordered if one <= low and one < high), default=ordered[0]),
        dear=min((one for one in ordered if one >= high and one > low), default=ordered[-1]),
    )


def _reached(ordered: Sequence[int]) -> int:
    """Return the last of the first prices, one at least, that no more than six hours have."""
    reached, hours = ordered[0], 0
    for one, run in groupby(ordered):
        hours += len(list(run))
        if one != ordered[0] and hours > MOST_HOURS:
            break
        reached = one
    return reached


def coming_days(
    tariffs: TariffDays, series: SeriesAtHand, *, as_of: int, zone: Zone
) -> tuple[list[ComingDay], list[PriceSeries]]:
    """Return the rest of the local day of an instant and the days after it, and the series used."""
    today = zone.days_between(as_of, as_of + 1)[-1]
    days = zone.days(today.date, today.date + timedelta(days=DAYS_AHEAD - 1))
    found, used = [], []
    for day in days:
        start = max(as_of, day.start)
        made, of_day = _coming_day(day, start, _tariff_on(day, tariffs), series, zone)
        found.append(made)
        used += of_day
    return found, used


def _tariff_on(day: LocalDay, tariffs: TariffDays) -> Tariff | None:
    try:
        return tariffs.on(day)
    except BillingError:  # nothing is said of that day yet
        return None


def _coming_day(
    day: LocalDay, start: int, tariff: Tariff | None, series: SeriesAtHand, zone: Zone
) -> tuple[ComingDay, list[PriceSeries]]:
    date = day.date.isoformat()
    if tariff is None:
        return ComingDay(date=date, tariff=None, runs=()), []
    spans = known_spans(tariff, "import", (day.start, day.end), series)
    prices = HourPrices(tariff, "import", spans=spans, series=series, zone=zone)
    hours = local_hours(zone, (day.start, day.end))
    known = [hour for hour in hours if any(a <= hour.start and hour.end <= b for a, b in spans)]
    weights = dict(zip(known, prices.weights(known), strict=True))
    runs = _runs([hour for hour in hours if hour.start >= start], weights)
    return ComingDay(date=date, tariff=tariff.digest, runs=tuple(runs)), prices.used


def _runs(hours: Sequence[LocalHour], weights: dict[LocalHour, int]) -> Iterator[PriceRun]:
    bounds = limits(list(weights.values()))

    def key(hour: LocalHour) -> tuple[int | None, str | None]:
        weight = weights.get(hour)
        return (None, None) if weight is None else (price(weight), _class(weight, bounds))

    for (shown, is_), run in groupby(hours, key):
        for start, end in _adjoining(list(run)):
            yield PriceRun(start=start, end=end, price=shown, is_=is_)


def _adjoining(hours: Sequence[LocalHour]) -> list[tuple[int, int]]:
    """Return the spans of hours in order; an hour that the clock cut ends one."""
    spans: list[tuple[int, int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour.start:
            spans[-1] = (spans[-1][0], hour.end)
        else:
            spans.append((hour.start, hour.end))
    return spans


def _class(weight: int, bounds: Limits | None) -> str | None:
    if bounds is None:
        return None
    if weight <= bounds.cheap:
        return CHEAP
    return DEAR if weight >= bounds.dear else None
