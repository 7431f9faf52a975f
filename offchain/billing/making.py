"""Bills are made here: from readings, tariffs and price series to lines, taxes and a total."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.billing.bill import Bill
from offchain.billing.components import Tariff
from offchain.billing.household import Household
from offchain.billing.lines import TariffLines
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Section, Span
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_days import TariffDays, TariffFiles
from offchain.billing.tariff_window import TariffWindow, digests_by_start, tariff_window


def make_bill(
    household: Household,
    tariffs: Sequence[Tariff],
    series: Sequence[PriceSeries] = (),
    *,
    window_from: int,
    window_to: int,
) -> Bill:
    """Bill a household for [window_from, window_to), in unix seconds, with tariffs from files.

    The order of tariffs does not matter, nor that of series but for those that a tariff takes by
    their published name: there the first that holds an instant gives the price. Raises
    BillingError as `bill_under`, and for a day with two tariffs.
    """
    at_hand = SeriesAtHand.of_files(series)
    window = (window_from, window_to)
    return bill_under(household, TariffFiles(tariffs), at_hand, window=window)


def bill_under(
    household: Household, tariffs: TariffDays, series: SeriesAtHand, *, window: Span
) -> Bill:
    """Bill a household for a window, in unix seconds, with the tariff of each of its local days.

    Raises BillingError: for a window without end, tariffs that do not go together, a day of the
    window without one tariff (named), an instant without a price (named).
    """
    laid_out = tariff_window(household, tariffs, window=window)
    made = [TariffLines(part, household, series, laid_out.zone) for part in laid_out.parts]
    return _bill(household, laid_out, made)


def _bill(household: Household, laid_out: TariffWindow, made: Sequence[TariffLines]) -> Bill:
    window, covered, shared = laid_out.window, laid_out.covered, laid_out.shared
    return Bill(
        currency=shared.currency,
        minor_digits=shared.minor_digits,
        window_from=window[0],
        window_to=window[1],
        covers_from=covered[0],
        covers_to=covered[1],
        import_wh=household.wh("import", covered),
        export_wh=household.wh("export", covered),
        estimated_wh=sum(
            _estimated_wh(household, section, covered, made) for section in ("import", "export")
        ),
        unknown_intervals=household.unknown_intervals(covered),
        lines=tuple(line for one in made for line in one.lines),
        taxes=tuple(tax for one in made for tax in one.taxes),
        tariffs=laid_out.digests,
        series=digests_by_start(
            {digest: one for lines in made for digest, one in lines.series.items()}
        ),
        devices=household.devices(covered),
    )


def _estimated_wh(
    household: Household, section: Section, covered: Span, made: Sequence[TariffLines]
) -> int:
    cuts = {cut for lines in made for cut in lines.cuts[section]}
    return household.estimated_wh(section, covered, cuts)
