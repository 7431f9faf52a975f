"""Advice in words, each number with what it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from offchain.billing.advice import Advice, ComingDay, PeakAdvice, PriceRun
from offchain.billing.money import amount_text
from offchain.billing.zones import Zone, zone

_BAR = 30


def advice_text(found: Advice) -> Iterator[str]:
    """Yield the lines that say what advice says, in local time."""
    local = zone(found.time_zone)

    def clock(instant: int) -> str:
        return local.wall_clock(instant).strftime("%Y-%m-%d %H:%M")

    def money(micro: int) -> str:
        return f"{amount_text(micro, least_digits=2)} {found.currency}"

    yield f"advice from {clock(found.covers_from)} to {clock(found.covers_to)}, {found.time_zone}"
    yield f"{found.hours_measured} whole hours are measured; prices and amounts hold their taxes"
    if found.hours_left_out:
        yield f"{found.hours_left_out} hours lie in long or unknown intervals and are left out"
    yield ""
    if found.standing:
        one = found.standing
        yield f"always on: {one.watts} W, the hour of rank {one.rank} of {one.hours} by their Wh"
        yield f"  over the window it takes {one.wh} Wh and costs {money(one.costs)}"
    yield from _profile(found)
    for day in found.coming:
        yield from _coming(day, local, found.currency)
    shift = found.shift
    if shift.wh:
        yield f"shifting: {shift.wh} Wh above that in {shift.hours} dear hours cost"
        yield f"  {money(shift.costs)}; in the cheapest hour of their days they would have cost"
        yield f"  {money(shift.would_cost)}: it saves up to {money(shift.saves)}"
    else:
        yield "shifting: nothing to save, no hour was dear and above what is always on"
    for peak in found.peaks:
        yield from _peak(peak, local, found.currency)
    if found.own_use:
        own = found.own_use
        yield f"own use: {own.export_wh} Wh were fed in; {own.wh} Wh of it could have replaced"
        yield f"  what cost {money(own.paid)} and brought {money(own.credited)}:"
        yield f"  it saves up to {money(own.saves)}"


def _profile(found: Advice) -> Iterator[str]:
    highest = max((hour.mean_wh or 0 for hour in found.profile), default=0)
    yield "mean of each hour of the day:"
    for i, hour in enumerate(found.profile):
        if hour.mean_wh is None:
            yield f"  {i:02}:00        -"
            continue
        bar = "#" * (hour.mean_wh * _BAR // highest) if highest else ""
        yield (
            f"  {i:02}:00 {hour.mean_wh:>8} Wh  {bar:<{_BAR}} "
            f"{hour.import_wh} Wh in {hour.hours} hours"
        )


def _coming(day: ComingDay, local: Zone, currency: str) -> Iterator[str]:
    yield f"{day.date}:"
    if day.tariff is None:
        yield "  no tariff is known for this day"
    for run in day.runs:
        start, end = local.wall_clock(run.start), local.wall_clock(run.end)
        until = "24:00" if (end.hour, end.minute) == (0, 0) else f"{end:%H:%M}"
        yield f"  {start:%H:%M}-{until} {_price(run, currency)}"


def _price(run: PriceRun, currency: str) -> str:
    if run.price is None:
        return "the price is not known yet"
    kind = f"  {run.is_}" if run.is_ else ""
    return f"{amount_text(run.price, least_digits=2)} {currency} a kWh{kind}"


def _peak(peak: PeakAdvice, local: Zone, currency: str) -> Iterator[str]:
    costs = f"{amount_text(peak.costs, least_digits=2)} {currency}"
    saves = f"{amount_text(peak.saves, least_digits=2)} {currency}"
    if peak.at is None:
        yield f"peak of {peak.month}: {peak.watts} W, not above the least charge of"
        yield f"  {peak.minimum_w} W, which costs {costs} ({peak.component})"
        return
    at = local.wall_clock(peak.at).strftime("%Y-%m-%d %H:%M")
    yield f"peak of {peak.month}: {peak.watts} W from {at} on cost {costs} ({peak.component});"
    yield f"  with {peak.other_watts} W, the most of other days, it would be {saves} less"
