"""Which tariff holds on which local day, whoever says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from offchain.billing.components import Tariff
from offchain.billing.zones import LocalDay
from offchain.errors import BillingError


class TariffDays(Protocol):
    """Tariffs, each on its days: as files say (`TariffFiles`), or as the chain does (`Booked`)."""

    @property
    def tariffs(self) -> Sequence[Tariff]:
        """Return all of them, one at least. Raises BillingError where there is none."""

    def on(self, day: LocalDay) -> Tariff:
        """Return the tariff that holds on a local day. Raises BillingError naming the day."""


class TariffFiles:
    """Tariffs from files: on each day the one that is valid on it.

    Of an open one and a later one, the later holds from its first day on: an open end needs no
    closing. Two closed ones for a day, or two from one day on, are an error.
    """

    def __init__(self, tariffs: Iterable[Tariff]) -> None:
        self._tariffs = list({tariff.digest: tariff for tariff in tariffs}.values())

    @property
    def tariffs(self) -> Sequence[Tariff]:
        """Return all of them. Raises BillingError when there is none."""
        if not self._tariffs:
            raise BillingError("a bill needs at least one tariff")
        return self._tariffs

    def on(self, day: LocalDay) -> Tariff:
        """Return the tariff of a local day. Raises BillingError for none, or more than one."""
        valid = [tariff for tariff in self._tariffs if tariff.is_valid_on(day.date)]
        if not valid:
            raise BillingError(f"no tariff is valid on {day.date}; give the one of that day")
        newest = max(valid, key=lambda tariff: tariff.valid_from)
        rivals = [tariff for tariff in valid if tariff.valid_from == newest.valid_from]
        closed = [tariff for tariff in valid if tariff.valid_to is not None]
        if len(closed) > 1 or len(rivals) > 1:
            several = closed if len(closed) > 1 else rivals
            names = ", ".join(sorted(repr(one.name) for one in several))
            raise BillingError(
                f"several tariffs are valid on {day.date}: {names}; give one of them"
            )
        return newest
