"""The whole hours of a window: what was taken and fed in, at which prices, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from offchain.billing.hour_prices import HourPrices
from offchain.billing.household import Household
from offchain.billing.local_hours import LocalHour, local_hours, outside
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Section
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_part import TariffPart
from offchain.billing.zones import Zone

_SECTIONS: tuple[Section, ...] = ("import", "export")


class UsedHour(NamedTuple):
    """A covered hour. `import_weight` and `export_weight` stand for prices (hour_prices.py).

    It is measured if no part of it lies in a long or unknown interval; else its energies mean
    nothing.
    """

    at: LocalHour
    is_measured: bool
    import_wh: int
    export_wh: int
    import_weight: int
    export_weight: int


def used_hours(
    part: TariffPart, household: Household, series: SeriesAtHand, zone: Zone
) -> tuple[list[UsedHour], list[PriceSeries]]:
    """Return the whole hours of the wall clock in a tariff's part, and the price series used."""
    hours = [hour for span in part.spans for hour in local_hours(zone, span)]
    measured = set(outside(hours, household.gaps()))
    weights, used = {}, []
    for section in _SECTIONS:
        prices = HourPrices(part.tariff, section, spans=part.spans, series=series, zone=zone)
        weights[section] = prices.weights(hours)
        used += prices.used
    energies = [_energies(hours, household, section) for section in _SECTIONS]
    found = [
        UsedHour(hour, hour in measured, *numbers)
        for hour, *numbers in zip(
            hours, *energies, weights["import"], weights["export"], strict=True
        )
    ]
    return found, used


def _energies(hours: Sequence[LocalHour], household: Household, section: Section) -> list[int]:
    edges = sorted({edge for hour in hours for edge in (hour.start, hour.end)})
    at = dict(zip(edges, household.at(section, edges), strict=True))
    return [at[hour.end] - at[hour.start] for hour in hours]
