"""Prices of a market, as its files give them, laid end to end as one price series.

A stretch is a run of prices of one resolution. Finer prices than wanted are averaged, coarser ones
repeated: the price of an hour holds for each of its quarters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from offchain.billing.component_document import RESOLUTIONS_S
from offchain.billing.rounding import half_away
from offchain.errors import TariffError

_DECIMAL = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?")
_FINEST_S = min(RESOLUTIONS_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Prices from `start` on, in micro-units a kWh, not rounded; each holds `resolution_s`.

    `sequence`: the position by which a source tells several prices of one time apart, None where
    it has one.
    """

    start: int
    resolution_s: int
    currency: str
    prices: tuple[Fraction, ...]
    sequence: int | None = None


def parse_decimal(text: str) -> Fraction | None:
    """Return the number that a decimal text says exactly, None where it is none."""
    return Fraction(text) if _DECIMAL.fullmatch(text) else None


def one_sequence(stretches: Sequence[Stretch], sequence: int | None) -> list[Stretch]:
    """Return the stretches of one sequence position; it need not be said where there is one.

    Raises TariffError naming the positions that there are.
    """
    positions = {stretch.sequence for stretch in stretches}
    if sequence is None and len(positions) == 1:
        return list(stretches)
    if sequence not in positions or sequence is None:
        shown = ", ".join(sorted("none" if one is None else str(one) for one in positions))
        raise TariffError(f"the sequence positions here are {shown}; say which one is wanted")
    return [stretch for stretch in stretches if stretch.sequence == sequence]


def one_currency(stretches: Sequence[Stretch]) -> str:
    """Return the currency that all stretches have. Raises TariffError where they differ."""
    currencies = sorted({stretch.currency for stretch in stretches})
    if len(currencies) > 1:
        raise TariffError(f"the prices are in {', '.join(currencies)}; make a series of each")
    return currencies[0]


def lay_out(stretches: Sequence[Stretch], resolution_s: int | None) -> tuple[int, int, list[int]]:
    """Return start, resolution and prices of the one series that stretches make.

    The resolution need not be said where all have one. Where two stretches hold an instant, the one
    of the wanted resolution is taken. Raises TariffError for gaps, for prices that contradict each
    other, and for a resolution that must be said.
    """
    found = sorted({stretch.resolution_s for stretch in stretches})
    if resolution_s is None and len(found) > 1:
        raise TariffError(f"there are prices of {found} seconds here; say which is wanted")
    wanted = found[0] if resolution_s is None else resolution_s
    prices = _by_instant(sorted(stretches, key=lambda one: (one.resolution_s != wanted, one.start)))
    instants = sorted(prices)
    _refuse_gaps(instants)
    start, many = instants[0], wanted // _FINEST_S
    if len(instants) % many or any((one.start - start) % wanted for one in stretches):
        raise TariffError(f"the prices do not fill whole slots of {wanted} seconds from {start} on")
    slots = (instants[i : i + many] for i in range(0, len(instants), many))
    means = [half_away(sum((prices[t] for t in slot), Fraction(0)) / many) for slot in slots]
    return start, wanted, means


def _by_instant(stretches: Iterable[Stretch]) -> dict[int, Fraction]:
    """Give each finest slot the price of the first resolution that has one."""
    prices: dict[int, Fraction] = {}
    resolution: dict[int, int] = {}
    for stretch in stretches:
        for i, price in enumerate(stretch.prices):
            start = stretch.start + i * stretch.resolution_s
            for instant in range(start, start + stretch.resolution_s, _FINEST_S):
                if resolution.setdefault(instant, stretch.resolution_s) != stretch.resolution_s:
                    continue
                if prices.setdefault(instant, price) != price:
                    raise TariffError(f"there are two different prices for {instant}")
    return prices


def _refuse_gaps(instants: Sequence[int]) -> None:
    for before, after in pairwise(instants):
        if after - before != _FINEST_S:
            raise TariffError(
                f"there is no price from {before + _FINEST_S} to {after}; "
                "make a series of each side, or add the file between"
            )
