"""How many bytes a bill or advice takes as canonical JSON, before it is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offchain.billing.advice import (
    Advice,
    ComingDay,
    OwnUse,
    PeakAdvice,
    PriceRun,
    ProfileHour,
    Shift,
    StandingLoad,
)
from offchain.billing.answering import BILL
from offchain.billing.bill import Bill
from offchain.billing.coming_days import DAYS_AHEAD, DEAR
from offchain.billing.components import Component, Dynamic, Peak, Schedule, Tariff, Tiered
from offchain.billing.lines import Line, TaxLine
from offchain.billing.local_hours import HOURS_A_DAY
from offchain.billing.registers import Span
from offchain.billing.zones import zone
from offchain.records import canonical_json

_WIDEST = -(10**19)  # wider than any energy or amount that comes up
_DIGEST = "0" * 64
_CURRENCY = "EUR"  # whichever: all have three letters
_HOURS = HOURS_A_DAY + 2  # of a day whose clock is put back, by up to two hours


def result_bytes_at_most(
    kind: str, tariffs: Sequence[Tariff], *, series: int, devices: int, window: Span
) -> int:
    """Return the most bytes that a bill, or advice, by these tariffs has.

    `series` is how many price series may give it a price.
    """
    widest = _bill(tariffs, series, devices) if kind == BILL else _advice(tariffs, series, window)
    return len(canonical_json.dumps(widest.to_json()))


def _bill(tariffs: Sequence[Tariff], series: int, devices: int) -> Bill:
    lines = tuple(
        Line(
            tariff=_DIGEST,
            section="export",
            component=name,
            period=period,
            wh=_WIDEST,
            amount=_WIDEST,
        )
        for tariff in tariffs
        for name, period in _lines(tariff)
    )
    return Bill(
        currency=_CURRENCY,
        minor_digits=6,
        window_from=_WIDEST,
        window_to=_WIDEST,
        covers_from=_WIDEST,
        covers_to=_WIDEST + 1,
        import_wh=_WIDEST,
        export_wh=_WIDEST,
        estimated_wh=_WIDEST,
        unknown_intervals=_WIDEST,
        lines=lines,
        taxes=tuple(TaxLine(tax.name, _WIDEST) for tariff in tariffs for tax in tariff.taxes),
        tariffs=(_DIGEST,) * len(tariffs),
        series=(_DIGEST,) * series,
        devices={
            f"0x{i:040x}": {"import_wh": _WIDEST, "export_wh": _WIDEST} for i in range(devices)
        },
    )


def _lines(tariff: Tariff) -> Iterator[tuple[str, str | None]]:
    for component in (*tariff.imports, *tariff.exports):
        for period in _periods(component):
            yield component.name, period
    for charge in tariff.fixed:
        yield charge.name, None


def _periods(component: Component) -> list[str | None]:
    if isinstance(component, Schedule):
        return list(dict.fromkeys(period.name for period in component.periods))
    if isinstance(component, Tiered):
        return [f"tier {i}" for i, _ in enumerate(component.tiers, start=1)]
    return [None]


def _advice(tariffs: Sequence[Tariff], series: int, window: Span) -> Advice:
    run = PriceRun(start=_WIDEST, end=_WIDEST, price=_WIDEST, is_=DEAR + " ")
    day = ComingDay(date="0000-00-00", tariff=_DIGEST, runs=(run,) * _HOURS)
    peaks = [
        PeakAdvice(
            tariff=_DIGEST,
            component=component.name,
            month="0000-00",
            at=_WIDEST,
            watts=_WIDEST,
            other_watts=_WIDEST,
            minimum_w=_WIDEST,
            costs=_WIDEST,
            saves=_WIDEST,
        )
        for tariff in tariffs
        for component in tariff.imports
        if isinstance(component, Peak)
        for _ in _months(tariff, window)
    ]
    wide = {"hours": _WIDEST, "wh": _WIDEST, "costs": _WIDEST}
    # What comes ahead may have price series of its own.
    dynamic = sum(isinstance(one, Dynamic) for tariff in tariffs for one in tariff.imports)
    return Advice(
        currency=_CURRENCY,
        time_zone=tariffs[0].time_zone,
        window_from=_WIDEST,
        window_to=_WIDEST,
        covers_from=_WIDEST,
        covers_to=_WIDEST,
        as_of=_WIDEST,
        hours_measured=_WIDEST,
        hours_left_out=_WIDEST,
        profile=(ProfileHour(hours=_WIDEST, import_wh=_WIDEST, mean_wh=_WIDEST),) * HOURS_A_DAY,
        standing=StandingLoad(rank=_WIDEST, watts=_WIDEST, **wide),
        coming=(day,) * DAYS_AHEAD,
        shift=Shift(would_cost=_WIDEST, **wide),
        peaks=tuple(peaks),
        own_use=OwnUse(export_wh=_WIDEST, wh=_WIDEST, paid=_WIDEST, credited=_WIDEST),
        tariffs=(_DIGEST,) * len(tariffs),
        series=(_DIGEST,) * (series + dynamic * (DAYS_AHEAD + 1)),
    )


def _months(tariff: Tariff, window: Span) -> set[tuple[int, int]]:
    return {day.month for day in zone(tariff.time_zone).days_between(*window)}
