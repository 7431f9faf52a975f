"""Which quarter hour set each month's capacity charge, and what the month would cost without it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from offchain.billing.advice import PeakAdvice
from offchain.billing.charges import QUARTERS_AN_HOUR, peak_amount, quarters
from offchain.billing.components import Peak
from offchain.billing.hour_prices import taxed
from offchain.billing.household import Household
from offchain.billing.registers import Span
from offchain.billing.rounding import half_away
from offchain.billing.tariff_part import Month, TariffPart
from offchain.billing.zones import Zone


def peak_advice(part: TariffPart, household: Household, zone: Zone) -> Iterator[PeakAdvice]:
    """Yield what there is to say on each capacity component and month of a tariff's part."""
    for component in part.tariff.imports:
        if isinstance(component, Peak):
            for month, spans in part.month_spans.items():
                found = _highest(spans, household, zone)
                yield _advice(component, part, month, *found)


def _advice(
    component: Peak, part: TariffPart, month: Month, at: int | None, watts: int, other_watts: int
) -> PeakAdvice:
    def amount(of_watts: int) -> Fraction:
        share = part.month_parts[month]
        return taxed(peak_amount(component, of_watts, share), part.tariff, "import")

    return PeakAdvice(
        tariff=part.tariff.digest,
        component=component.name,
        month=f"{month[0]:04}-{month[1]:02}",
        at=at if watts > component.minimum_w else None,
        watts=watts,
        other_watts=other_watts,
        minimum_w=component.minimum_w,
        costs=half_away(amount(watts)),
        saves=half_away(amount(watts) - amount(other_watts)),
    )


def _highest(spans: list[Span], household: Household, zone: Zone) -> tuple[int | None, int, int]:
    """Return when the largest quarter hour began (the first of equals), its power, and the largest
    of the other local days.
    """
    by_day: dict[int, tuple[int, int]] = {}  # the day's first instant: (Wh, -beginning)
    for span in spans:
        starts = [day.start for day in zone.days_between(*span)]
        instants = quarters(span)
        energy = household.at("import", instants)
        for start, (before, after) in zip(instants, pairwise(energy), strict=False):
            day = starts[bisect_right(starts, start) - 1]
            by_day[day] = max(by_day.get(day, (0, 0)), (after - before, -start))
    ranked = sorted(by_day.values(), reverse=True)
    if not ranked:
        return None, 0, 0
    wh, start = ranked[0]
    other = ranked[1][0] if len(ranked) > 1 else 0
    return -start, QUARTERS_AN_HOUR * wh, QUARTERS_AN_HOUR * other
