"""The price series that a bill can be made with, and which of them a component takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from offchain.billing.components import Dynamic, Tariff
from offchain.billing.price_series import PriceSeries, refuse_overlap
from offchain.errors import TariffError


@dataclass(frozen=True, slots=True)
class SeriesAtHand:
    """Series by their digest, and those published under a name, in the order of publication."""

    by_digest: Mapping[str, PriceSeries]
    by_name: Mapping[str, Sequence[PriceSeries]]

    @classmethod
    def of_files(cls, series: Iterable[PriceSeries]) -> SeriesAtHand:
        """Return series from files: each under its digest, and in the given order under the name
        that it bears.
        """
        by_digest = {one.digest: one for one in series}
        by_name: dict[str, list[PriceSeries]] = {}
        for one in by_digest.values():
            by_name.setdefault(one.name, []).append(one)
        return cls(by_digest, by_name)

    def of(self, component: Dynamic, tariff: Tariff) -> list[PriceSeries]:
        """Return the series of a component; of several that hold an instant the first counts.

        Series by digest must be of its resolution and currency and not overlap, else TariffError.
        Of those under a published name, which nobody can take back, unfit ones are passed over.
        """
        if component.series_name is not None:
            named = self.by_name.get(component.series_name, ())
            return [one for one in named if fits(one, component, tariff)]
        found = [self.by_digest[one] for one in component.series if one in self.by_digest]
        for one in found:
            if not fits(one, component, tariff):
                raise TariffError(
                    f"the price series {one.digest[:8]}… has {one.resolution_s} s in "
                    f"{one.currency}, {component.name!r} needs {component.resolution_s} s in "
                    f"{tariff.currency}"
                )
        refuse_overlap(found)
        return sorted(found, key=lambda one: one.start)


def fits(series: PriceSeries, component: Dynamic, tariff: Tariff) -> bool:
    """Tell whether a series has the resolution and the currency of a component."""
    wanted = (component.resolution_s, tariff.currency)
    return (series.resolution_s, series.currency) == wanted
