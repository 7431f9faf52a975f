"""A household's window under its tariffs: what bill and advice both begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.billing.components import Tariff
from offchain.billing.household import Household
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Span
from offchain.billing.tariff_days import TariffDays
from offchain.billing.tariff_part import TariffPart, parts_of_window
from offchain.billing.window import require_window
from offchain.billing.zones import Zone, zone
from offchain.errors import BillingError


@dataclass(frozen=True, slots=True)
class TariffWindow:
    """A window in unix seconds, what of it the readings cover, and the tariff of each part.

    `shared` is any of the tariffs, for what all of them share: currency, digits and time zone.
    """

    window: Span
    covered: Span
    shared: Tariff
    zone: Zone
    parts: Sequence[TariffPart]

    @property
    def digests(self) -> tuple[str, ...]:
        """The tariffs by digest, in the order of their days."""
        return tuple(part.tariff.digest for part in self.parts)


def tariff_window(household: Household, tariffs: TariffDays, *, window: Span) -> TariffWindow:
    """Lay a household's window out by tariffs.

    Raises BillingError: for a window without end, tariffs that do not go together, a day of the
    window without one tariff (named).
    """
    window = require_window(*window)
    shared = _shared_terms(tariffs.tariffs)
    local = zone(shared.time_zone)
    covered = household.covered(window)
    parts = parts_of_window(tariffs, window=window, covered=covered, zone=local)
    return TariffWindow(window, covered, shared, local, parts)


def digests_by_start(used: Mapping[str, PriceSeries]) -> tuple[str, ...]:
    """Return the digests of price series, the earliest first."""
    return tuple(sorted(used, key=lambda digest: (used[digest].start, digest)))


def _shared_terms(tariffs: Sequence[Tariff]) -> Tariff:
    """Return a tariff for what all share. Raises BillingError where they do not share it."""
    first = tariffs[0]
    for name in ("currency", "minor_digits", "time_zone"):
        for other in tariffs[1:]:
            if getattr(other, name) != getattr(first, name):
                raise BillingError(
                    f"the tariffs {first.name!r} and {other.name!r} differ in {name}; "
                    "make a bill for each"
                )
    return first
