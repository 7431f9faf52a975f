"""What a kWh costs, or brings, in each hour, with its taxes; exact.

The price of an hour is the mean over its 3,600 seconds of all prices that go by the clock: flat,
schedule and dynamic. Tiers and peaks do not: they go by the month's energy and power.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from offchain.billing.components import Dynamic, Flat, Schedule, Tariff
from offchain.billing.local_hours import HOUR_S, LocalHour
from offchain.billing.price_series import PriceSeries
from offchain.billing.pricing import SeriesOfComponent, Stepped, Steps, component_steps
from offchain.billing.registers import Section, Span
from offchain.billing.rounding import half_away
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.zones import Zone

_PPM = 10**6
_WH_A_KWH = 1_000
# A weight over this is a price in micro-units a kWh; all hours share it, so weights compare.
_SCALE = HOUR_S * _PPM


class HourPrices:
    """The prices of one tariff, in one section, of hours that lie in `spans`.

    `used` are the price series that gave a price. Raises BillingError where a dynamic component
    has none for an instant of the spans.
    """

    def __init__(
        self,
        tariff: Tariff,
        section: Section,
        *,
        spans: Sequence[Span],
        series: SeriesAtHand,
        zone: Zone,
    ) -> None:
        self._factor = _PPM + sum(tax.rate_ppm for tax in tariff.taxes if section in tax.on)
        self._steps: list[Steps] = []
        self.used: list[PriceSeries] = []
        for component in _by_the_clock(tariff, section):
            steps, used = component_steps(component, tariff, spans, series, zone)
            self._steps += steps
            self.used += used

    def weights(self, hours: Sequence[LocalHour]) -> list[int]:
        """Return the weight of each hour, hours in order of time; see `price` and `cost`."""
        found = [0] * len(hours)
        for steps in self._steps:
            for i, seconds_times_price in _overlaps(hours, steps):
                found[i] += seconds_times_price
        return [self._factor * one for one in found]


def price(weight: int) -> int:
    """Return the price that a weight stands for, in micro-units a kWh, rounded once."""
    return half_away(Fraction(weight, _SCALE))


def cost(wh_times_weight: int) -> Fraction:
    """Return micro-units from a sum of Wh times weights, exactly."""
    return Fraction(wh_times_weight, _SCALE * _WH_A_KWH)


def known_spans(tariff: Tariff, section: Section, span: Span, series: SeriesAtHand) -> list[Span]:
    """Return the parts of a span in which every component has a price, in order of time."""
    spans = [span]
    for component in _by_the_clock(tariff, section):
        if isinstance(component, Dynamic):
            named = SeriesOfComponent(component, tariff, series)
            spans = _joined(part for one in spans for part in named.known(one))
    return spans


def taxed(amount: Fraction, tariff: Tariff, section: str) -> Fraction:
    """Return an amount of a section with the taxes on that section."""
    rate = sum(tax.rate_ppm for tax in tariff.taxes if section in tax.on)
    return amount * Fraction(_PPM + rate, _PPM)


def _by_the_clock(tariff: Tariff, section: Section) -> list[Stepped]:
    listed = tariff.imports if section == "import" else tariff.exports
    return [one for one in listed if isinstance(one, Flat | Schedule | Dynamic)]


def _overlaps(hours: Sequence[LocalHour], steps: Steps) -> Iterable[tuple[int, int]]:
    """Yield, for each hour and each step that share seconds, the hour's place and price times
    seconds.
    """
    edges, prices = steps.edges, steps.prices
    step = 0
    for i, hour in enumerate(hours):
        if hour.end <= edges[0] or hour.start >= edges[-1]:
            continue
        while edges[step + 1] <= hour.start:
            step += 1
        at = step
        while at < len(prices) and edges[at] < hour.end:
            low, high = max(edges[at], hour.start), min(edges[at + 1], hour.end)
            yield i, prices[at] * (high - low)
            at += 1


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in spans:
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found
