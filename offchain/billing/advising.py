"""Advice is worked out here: what always runs, when it is cheap, what a shift, fewer peaks or more
use of what is fed in would save. The same integers for everyone who has the same readings.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction

from offchain.billing.advice import Advice, ProfileHour, Shift, StandingLoad
from offchain.billing.coming_days import coming_days, limits
from offchain.billing.components import Tariff
from offchain.billing.hour_prices import cost
from offchain.billing.household import Household
from offchain.billing.local_hours import HOURS_A_DAY
from offchain.billing.own_use import own_use
from offchain.billing.peak_advice import peak_advice
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Span
from offchain.billing.rounding import half_away
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_days import TariffDays, TariffFiles
from offchain.billing.tariff_window import digests_by_start, tariff_window
from offchain.billing.used_hours import UsedHour, used_hours
from offchain.billing.zones import Zone

_PART_BELOW = 10  # the standing load is the lower decile of hours


def make_advice(
    household: Household,
    tariffs: Sequence[Tariff],
    series: Sequence[PriceSeries] = (),
    *,
    window_from: int,
    window_to: int,
    as_of: int,
) -> Advice:
    """Advise a household by its use in [window_from, window_to), for the days from `as_of` on.

    All in unix seconds, with tariffs from files. Tariffs and series as `make_bill` takes them; for
    coming days they may be missing. Raises BillingError as `make_bill` does.
    """
    at_hand, window = SeriesAtHand.of_files(series), (window_from, window_to)
    return advice_under(household, TariffFiles(tariffs), at_hand, window=window, as_of=as_of)


def advice_under(
    household: Household,
    tariffs: TariffDays,
    series: SeriesAtHand,
    *,
    window: Span,
    as_of: int,
    ahead: tuple[TariffDays, SeriesAtHand] | None = None,
) -> Advice:
    """Advise a household with the tariff of each local day; `ahead` is what the coming days have,
    None if the same knows of them. Raises BillingError as `bill_under`.
    """
    laid_out = tariff_window(household, tariffs, window=window)
    window, covered, shared = laid_out.window, laid_out.covered, laid_out.shared
    local, parts = laid_out.zone, laid_out.parts
    used = [used_hours(part, household, series, local) for part in parts]
    hours = [hour for of_part, _ in used for hour in of_part]
    measured = [hour for hour in hours if hour.is_measured]
    standing = _standing(hours, measured)
    watts = standing.watts if standing else 0
    days = _by_day(hours, covered, local)
    coming, of_coming = coming_days(*(ahead or (tariffs, series)), as_of=as_of, zone=local)
    by_digest = {one.digest: one for _, of_part in [*used, ((), of_coming)] for one in of_part}
    return Advice(
        currency=shared.currency,
        time_zone=shared.time_zone,
        window_from=window[0],
        window_to=window[1],
        covers_from=covered[0],
        covers_to=covered[1],
        as_of=as_of,
        hours_measured=len(measured),
        hours_left_out=len(hours) - len(measured),
        profile=tuple(_profile(measured)),
        standing=standing,
        coming=tuple(coming),
        shift=_shift(days, watts),
        peaks=tuple(one for part in parts for one in peak_advice(part, household, local)),
        own_use=own_use(
            ([hour for hour in day if hour.is_measured] for day in days),
            watts,
            household.wh("export", covered),
        ),
        tariffs=laid_out.digests,
        series=digests_by_start(by_digest),
    )


def _profile(measured: Sequence[UsedHour]) -> Iterator[ProfileHour]:
    for clock_hour in range(HOURS_A_DAY):
        found = [one.import_wh for one in measured if one.at.hour == clock_hour]
        mean = half_away(Fraction(sum(found), len(found))) if found else None
        yield ProfileHour(hours=len(found), import_wh=sum(found), mean_wh=mean)


def _standing(hours: Sequence[UsedHour], measured: Sequence[UsedHour]) -> StandingLoad | None:
    energies = sorted(one.import_wh for one in measured if one.export_wh == 0)
    if not energies:
        return None
    rank = len(energies) // _PART_BELOW
    watts = energies[rank]  # Wh of an hour are W
    return StandingLoad(
        hours=len(energies),
        rank=rank,
        watts=watts,
        wh=watts * len(hours),
        costs=half_away(cost(watts * sum(one.import_weight for one in hours))),
    )


def _shift(days: Sequence[Sequence[UsedHour]], standing_w: int) -> Shift:
    hours = wh = costs = would_cost = 0
    for day in days:
        weights = [one.import_weight for one in day]
        bounds = limits(weights)
        if bounds is None:
            continue
        for one in day:
            above = one.import_wh - standing_w
            if one.is_measured and one.import_weight >= bounds.dear and above > 0:
                hours += 1
                wh += above
                costs += above * one.import_weight
                would_cost += above * min(weights)
    return Shift(
        hours=hours,
        wh=wh,
        costs=half_away(cost(costs)),
        would_cost=half_away(cost(would_cost)),
    )


def _by_day(hours: Sequence[UsedHour], covered: Span, zone: Zone) -> list[list[UsedHour]]:
    """Return the hours of each local day."""
    starts = [day.start for day in zone.days_between(*covered)]
    found: list[list[UsedHour]] = [[] for _ in starts]
    for one in hours:
        found[bisect_right(starts, one.at.start) - 1].append(one)
    return found
