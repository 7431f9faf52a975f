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
from offchain.billing.tariff_part import TariffPart, parts_of_window
from offchain.billing.window import require_window
from offchain.billing.zones import zone
from offchain.errors import BillingError


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
    window = require_window(*window)
    shared = shared_terms(tariffs.tariffs)
    local = zone(shared.time_zone)
    covered = household.covered(window)
    parts = parts_of_window(tariffs, window=window, covered=covered, zone=local)
    made = [TariffLines(part, household, series, local) for part in parts]
    return _bill(household, shared, window, covered, parts, made)


def _bill(
    household: Household,
    shared: Tariff,
    window: Span,
    covered: Span,
    parts: Sequence[TariffPart],
    made: Sequence[TariffLines],
) -> Bill:
    used = {digest: one for lines in made for digest, one in lines.series.items()}
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
        tariffs=tuple(part.tariff.digest for part in parts),
        series=tuple(sorted(used, key=lambda digest: (used[digest].start, digest))),
        devices=household.devices(covered),
    )


def _estimated_wh(
    household: Household, section: Section, covered: Span, made: Sequence[TariffLines]
) -> int:
    cuts = {cut for lines in made for cut in lines.cuts[section]}
    return household.estimated_wh(section, covered, cuts)


def shared_terms(tariffs: Sequence[Tariff]) -> Tariff:
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
