"""What a kWh costs over a span of instants: the steps of flat, schedule and dynamic components."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from offchain.billing.components import Dynamic, Flat, Schedule, Tariff
from offchain.billing.day_pattern import DayPatterns
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Span
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.spans import carve
from offchain.billing.zones import EPOCH_ORDINAL, Zone
from offchain.errors import BillingError
from offchain.types import SECONDS_PER_DAY

_PPM = 10**6
Stepped = Flat | Schedule | Dynamic


class Steps(NamedTuple):
    """prices[i], in micro-units a kWh, holds in [edges[i], edges[i + 1]); so does periods[i].

    There is one edge more than prices. Period names are None but for schedules.
    """

    edges: list[int]
    prices: list[int]
    periods: list[str | None]

    def changes(self) -> list[int]:
        """Return the instants at which price or period name change."""
        keys = list(zip(self.prices, self.periods, strict=True))
        return [
            edge
            for edge, before, after in zip(self.edges[1:], keys, keys[1:], strict=False)
            if before != after
        ]


def flat_steps(price: int, span: Span) -> Steps:
    """Return the one step of a flat price."""
    return Steps(list(span), [price], [None])


def schedule_steps(patterns: DayPatterns, zone: Zone, span: Span) -> Steps:
    """Return the steps of a schedule, by what the local wall clock shows at each instant."""
    steps = Steps([], [], [])
    for run in zone.offset_runs(*span):
        first = (run.start + run.offset_s) // SECONDS_PER_DAY
        last = (run.end - 1 + run.offset_s) // SECONDS_PER_DAY
        for number in range(first, last + 1):
            midnight = number * SECONDS_PER_DAY - run.offset_s
            for part in patterns.parts(date.fromordinal(EPOCH_ORDINAL + number)):
                start = max(midnight + 60 * part.start, run.start)
                if start >= min(midnight + 60 * part.end, run.end):
                    continue
                if part.period is None:  # a clock put back to the day before the tariff's first
                    raise BillingError(f"the schedule has no price for the instant {start}")
                steps.edges.append(start)
                steps.prices.append(part.period.price)
                steps.periods.append(part.period.name)
    steps.edges.append(span[1])
    return steps


class SeriesOfComponent:
    """The series that a dynamic component names, out of those at hand; of several that hold an
    instant the first. Raises TariffError where one that it names by digest does not fit.
    """

    def __init__(self, component: Dynamic, tariff: Tariff, at_hand: SeriesAtHand) -> None:
        self._component = component
        self._series = at_hand.of(component, tariff)

    def steps(self, span: Span) -> tuple[Steps, list[PriceSeries]]:
        """Return the steps over a span, and the series that gave their prices.

        Raises BillingError naming the first instant without a price.
        """
        steps, used, reached = Steps([], [], []), [], span[0]
        for start, end, series in self._carve(span):
            if start > reached:
                break
            first = (start - series.start) // series.resolution_s
            last = (end - 1 - series.start) // series.resolution_s
            edges = range(series.start + series.resolution_s * first, end, series.resolution_s)
            steps.edges.extend([start, *edges[1:]])
            steps.prices.extend(self._price(p) for p in series.prices[first : last + 1])
            used.append(series)
            reached = end
        if reached < span[1]:
            raise BillingError(
                f"no price series at hand has a price of {self._component.name!r} for the instant "
                f"{reached}; give the series that holds it"
            )
        steps.edges.append(span[1])
        steps.periods.extend([None] * len(steps.prices))
        return steps, used

    def known(self, span: Span) -> list[Span]:
        """Return the parts of a span for which there is a price, in order of time."""
        return [(start, end) for start, end, _ in self._carve(span)]

    def _carve(self, span: Span) -> list[tuple[int, int, PriceSeries]]:
        """Give each instant of a span to the first series that holds it; in order of time."""
        free, pieces = [span], []
        for series in self._series:
            taken, free = carve(free, (series.start, series.end))
            pieces += [(start, end, series) for start, end in taken]
        return sorted(pieces, key=lambda piece: piece[0])

    def _price(self, price: int) -> int:
        return price * self._component.factor_ppm // _PPM + self._component.adder


def component_steps(
    component: Stepped,
    tariff: Tariff,
    spans: Sequence[Span],
    series: SeriesAtHand,
    zone: Zone,
) -> tuple[list[Steps], list[PriceSeries]]:
    """Return a component's steps over each span, and the series that gave a price.

    Raises BillingError where a dynamic component has no price for an instant.
    """
    if isinstance(component, Flat):
        return [flat_steps(component.price, span) for span in spans], []
    if isinstance(component, Schedule):
        patterns = DayPatterns(component, tariff.holidays)
        return [schedule_steps(patterns, zone, span) for span in spans], []
    named = SeriesOfComponent(component, tariff, series)
    found = [named.steps(span) for span in spans]
    return [steps for steps, _ in found], [one for _, used in found for one in used]
