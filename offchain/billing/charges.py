"""What each component of a tariff charges over the part of a window that the tariff bills.

Amounts are exact: micro-units as fractions, rounded only where lines are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from operator import sub
from typing import NamedTuple

from offchain.billing.components import FixedCharge, Peak, Tiered
from offchain.billing.household import Household
from offchain.billing.pricing import Steps
from offchain.billing.registers import Section, Span
from offchain.billing.tariff_part import TariffPart

QUARTER_S = 900
QUARTERS_AN_HOUR = 4
_WH_A_KWH = 1_000
_W_A_KW = 1_000


class Charge(NamedTuple):
    """What becomes one line: its period or None, its energy, its exact amount in micro-units."""

    period: str | None
    wh: int
    amount: Fraction


def stepped(
    names: Sequence[str | None], steps: Iterable[Steps], household: Household, section: Section
) -> list[Charge]:
    """Charge energy by steps of price; one charge a name, in the order given, also of 0 Wh."""
    wh = dict.fromkeys(names, 0)
    cost = dict.fromkeys(names, 0)
    for edges, prices, periods in steps:
        energy = household.at(section, edges)
        for name, price, used in zip(periods, prices, map(sub, energy[1:], energy), strict=True):
            wh[name] += used
            cost[name] += used * price
    return [Charge(name, wh[name], Fraction(cost[name], _WH_A_KWH)) for name in wh]


def tiered(component: Tiered, part: TariffPart, household: Household) -> list[Charge]:
    """Charge each month's import tier by tier, with limits in proportion to the month's part."""
    wh = [0] * len(component.tiers)
    for month, share in part.month_parts.items():
        used = sum(household.wh("import", span) for span in part.month_spans[month])
        below = 0
        for i, tier in enumerate(component.tiers):
            limit = used if tier.up_to_wh is None else min(used, int(tier.up_to_wh * share))
            wh[i] += limit - below
            below = limit
    return [
        Charge(f"tier {i}", used, Fraction(used * tier.price, _WH_A_KWH))
        for i, (used, tier) in enumerate(zip(wh, component.tiers, strict=True), start=1)
    ]


def peak(component: Peak, part: TariffPart, household: Household) -> Charge:
    """Charge each month's largest quarter hour, in proportion to the month's part."""
    amount = Fraction(0)
    for month, share in part.month_parts.items():
        largest = (_largest_quarter(span, household) for span in part.month_spans[month])
        amount += peak_amount(component, QUARTERS_AN_HOUR * max(largest, default=0), share)
    return Charge(None, 0, amount)


def peak_amount(component: Peak, watts: int, share: Fraction) -> Fraction:
    """Return what a largest quarter hour of so many watts costs a part of a month."""
    return share * Fraction(component.price_per_kw * max(component.minimum_w, watts), _W_A_KW)


def quarters(span: Span) -> range:
    """Return the edges of the quarter hours of UTC that lie wholly in a span."""
    return range(-(-span[0] // QUARTER_S) * QUARTER_S, span[1] + 1, QUARTER_S)


def fixed(charge: FixedCharge, part: TariffPart) -> Charge:
    """Charge for the covered part of each local day or calendar month."""
    units = part.days if charge.per == "day" else sum(part.month_parts.values(), Fraction(0))
    return Charge(None, 0, charge.amount * units)


def _largest_quarter(span: Span, household: Household) -> int:
    """Return the most Wh of a quarter hour of UTC that lies wholly in a span; 0 without any."""
    energy = household.at("import", quarters(span))
    return max((after - before for before, after in pairwise(energy)), default=0)
