"""The part of a bill's window that one tariff bills."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from offchain.billing.components import Tariff
from offchain.billing.registers import Span
from offchain.billing.tariff_days import TariffDays
from offchain.billing.zones import LocalDay, Zone

Month = tuple[int, int]


@dataclass(slots=True)
class TariffPart:
    """The days of a window that one tariff bills, and what of them is covered.

    `spans` are the longest runs of covered instants; `month_spans` the same, cut at month edges.
    `month_parts` tells what part of each calendar month is covered and billed here, in days.
    """

    tariff: Tariff
    spans: list[Span] = field(default_factory=list)
    month_spans: dict[Month, list[Span]] = field(default_factory=dict)
    month_parts: dict[Month, Fraction] = field(default_factory=dict)
    days: Fraction = Fraction(0)

    def add(self, day: LocalDay, covered: Span, zone: Zone) -> None:
        """Count a local day, of which [start, end) is covered; days come in order of time."""
        spans = self.month_spans.setdefault(day.month, [])
        parts = self.month_parts.setdefault(day.month, Fraction(0))
        start, end = max(covered[0], day.start), min(covered[1], day.end)
        if start >= end:
            return
        fraction = Fraction(end - start, day.end - day.start)
        self.days += fraction
        self.month_parts[day.month] = parts + fraction / zone.days_in(day.month)
        _extend(spans, start, end)
        _extend(self.spans, start, end)


def parts_of_window(
    tariffs: TariffDays, *, window: Span, covered: Span, zone: Zone
) -> list[TariffPart]:
    """Give each local day of a window to the tariff that holds on it; in order of valid_from, of
    one date in order of time.

    Raises BillingError naming a day for which there is none, or more than one.
    """
    parts: dict[str, TariffPart] = {}
    for day in zone.days_between(*window):
        tariff = tariffs.on(day)
        part = parts.setdefault(tariff.digest, TariffPart(tariff))
        part.add(day, covered, zone)
    return sorted(parts.values(), key=lambda part: part.tariff.valid_from)


def _extend(spans: list[Span], start: int, end: int) -> None:
    if spans and spans[-1][1] == start:
        start = spans.pop()[0]
    spans.append((start, end))
