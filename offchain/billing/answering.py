"""From readings of records to a bill or advice: node, household, audit and judges do it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.billing.advice import Advice
from offchain.billing.advising import advice_under
from offchain.billing.bill import Bill
from offchain.billing.household import Household
from offchain.billing.making import bill_under
from offchain.billing.registers import RESTARTED, Meter, RegisterReading, Span
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_days import TariffDays
from offchain.types import Account, Reading, ReadingFlag

BILL, ADVICE = "bill", "advice"


@dataclass(frozen=True, slots=True)
class Prices:
    """What prices a window: the tariff of each local day, and the price series at hand."""

    tariffs: TariffDays
    series: SeriesAtHand


def work_out(
    kind: str,
    devices: Mapping[Account, Sequence[Reading]],
    prices: Prices,
    *,
    window: Span,
    as_of_s: int,
    ahead: Prices | None = None,
) -> Bill | Advice:
    """Make the bill of a window, or advice on it for the days from `as_of_s` on.

    `ahead` prices these; None: `prices` does. `devices` holds each device's readings in order of
    time, those before and after the window that
    are known with them. Raises BillingError.
    """
    meters = {str(device): Meter(registers(rows)) for device, rows in devices.items()}
    household = Household(meters)
    if kind == BILL:
        return bill_under(household, prices.tariffs, prices.series, window=window)
    coming = ahead or prices
    return advice_under(
        household,
        prices.tariffs,
        prices.series,
        window=window,
        as_of=as_of_s,
        ahead=(coming.tariffs, coming.series),
    )


def registers(readings: Sequence[Reading]) -> list[RegisterReading]:
    """Return what the two registers showed, reading by reading."""
    restarted = ReadingFlag.REGISTER_RESTARTED
    return [
        RegisterReading(
            one.time_s, one.import_wh, one.export_wh, RESTARTED if restarted in one.flags else 0
        )
        for one in readings
    ]
