"""The lines and taxes that one tariff makes, each rounded once, and where it cuts energy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from offchain.billing import charges
from offchain.billing.charges import Charge
from offchain.billing.components import Component, Peak, Schedule, Tax, Tiered
from offchain.billing.household import Household
from offchain.billing.price_series import PriceSeries
from offchain.billing.pricing import Stepped, Steps, component_steps
from offchain.billing.registers import Section
from offchain.billing.rounding import half_away
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_part import TariffPart
from offchain.billing.zones import Zone

_PPM = 10**6


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Line:
    """One line of a bill: Wh (0 where energy is not what is charged), amount in micro-units."""

    tariff: str
    section: str
    component: str
    period: str | None
    wh: int
    amount: int


@dataclass(frozen=True, slots=True, repr=False)
class TaxLine:
    """A tax in micro-units."""

    name: str
    amount: int


class TariffLines:
    """What one tariff makes of its part of a window.

    `lines` and `taxes` are in the document's order, `cuts` the instants at which energy of a
    section is cut, `series` the price series that gave a price, by digest. Raises BillingError
    where a dynamic component has no price.
    """

    def __init__(
        self, part: TariffPart, household: Household, series: SeriesAtHand, zone: Zone
    ) -> None:
        self._part = part
        self._household = household
        self._at_hand = series
        self._zone = zone
        ends = {instant for span in part.spans for instant in span}
        self.cuts: dict[Section, set[int]] = {"import": set(ends), "export": set(ends)}
        self.series: dict[str, PriceSeries] = {}
        self.lines: list[Line] = []
        for component in part.tariff.imports:
            self._add("import", component.name, self._charges(component, "import"))
        for component in part.tariff.exports:
            self._add("export", component.name, self._charges(component, "export"))
        for charge in part.tariff.fixed:
            self._add("fixed", charge.name, [charges.fixed(charge, part)])
        self.taxes = [self._tax(tax) for tax in part.tariff.taxes]

    def _add(self, section: str, component: str, made: Iterable[Charge]) -> None:
        sign = -1 if section == "export" else 1
        self.lines.extend(
            Line(
                tariff=self._part.tariff.digest,
                section=section,
                component=component,
                period=charge.period,
                wh=charge.wh,
                amount=sign * half_away(charge.amount),
            )
            for charge in made
        )

    def _charges(self, component: Component, section: Section) -> list[Charge]:
        if isinstance(component, Tiered):
            spans = self._part.month_spans.values()
            self.cuts[section].update(edge for month in spans for span in month for edge in span)
            return charges.tiered(component, self._part, self._household)
        if isinstance(component, Peak):
            return [charges.peak(component, self._part, self._household)]
        steps = self._steps(component)
        for one in steps:
            self.cuts[section].update(one.changes())
        names: list[str | None] = [None]
        if isinstance(component, Schedule):
            names = [period.name for period in component.periods]
        return charges.stepped(names, steps, self._household, section)

    def _steps(self, component: Stepped) -> list[Steps]:
        part = self._part
        found, used = component_steps(component, part.tariff, part.spans, self._at_hand, self._zone)
        self.series.update((one.digest, one) for one in used)
        return found

    def _tax(self, tax: Tax) -> TaxLine:
        taxed = sum(line.amount for line in self.lines if line.section in tax.on)
        return TaxLine(tax.name, half_away(Fraction(tax.rate_ppm * taxed, _PPM)))
