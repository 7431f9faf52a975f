"""A tariff in words: a calendar that a person can read."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from offchain.billing.components import (
    HOLIDAY,
    WEEKDAYS,
    Component,
    Dynamic,
    Flat,
    Peak,
    Schedule,
    Tariff,
    Tiered,
)
from offchain.billing.day_pattern import DayPart, DayPatterns, clock
from offchain.billing.money import amount_text

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
Parts = tuple[DayPart, ...]
_Thing = TypeVar("_Thing", bound=Hashable)


def describe(tariff: Tariff) -> Iterator[str]:
    """Yield the lines that say what a tariff is, for people."""
    until = "open end" if tariff.valid_to is None else f"before {tariff.valid_to}"
    yield f"{tariff.name}  ({tariff.currency}, {tariff.time_zone})"
    yield f"digest     {tariff.digest}"
    yield f"valid      from {tariff.valid_from}, {until}"
    for section, components in (("import", tariff.imports), ("export", tariff.exports)):
        for component in components:
            yield ""
            yield f"{section}  {component.name}"
            yield from (f"  {line}" for line in _component(component, tariff))
    yield ""
    for charge in tariff.fixed:
        yield f"fixed   {charge.name}: {_money(charge.amount, tariff)} a {charge.per}"
    for tax in tariff.taxes:
        sections = ", ".join(sorted(tax.on)) or "nothing"
        yield f"tax     {tax.name}: {amount_text(tax.rate_ppm * 100)} % on {sections}"


def _component(component: Component, tariff: Tariff) -> Iterator[str]:
    if isinstance(component, Flat):
        yield f"{_money(component.price, tariff)} a kWh at all times"
    elif isinstance(component, Schedule):
        yield from _schedule(component, tariff)
    elif isinstance(component, Dynamic):
        yield from _dynamic(component, tariff)
    elif isinstance(component, Tiered):
        yield from _tiered(component, tariff)
    elif isinstance(component, Peak):
        yield f"{_money(component.price_per_kw, tariff)} a kW and month, by the largest quarter"
        yield f"hour of each calendar month, of at least {component.minimum_w} W"


def _dynamic(component: Dynamic, tariff: Tariff) -> Iterator[str]:
    yield (
        f"price of the {component.resolution_s // 60} minutes "
        f"x {amount_text(component.factor_ppm)} + {_money(component.adder, tariff)} a kWh"
    )
    if component.series_name is not None:
        yield f"from the price series published as {component.series_name!r}"
    for digest in sorted(component.series):
        yield f"from the price series {digest}"


def _tiered(component: Tiered, tariff: Tariff) -> Iterator[str]:
    for i, tier in enumerate(component.tiers, start=1):
        limit = "beyond" if tier.up_to_wh is None else f"up to {tier.up_to_wh} Wh a month"
        yield f"tier {i}  {limit}: {_money(tier.price, tariff)} a kWh"


def _schedule(component: Schedule, tariff: Tariff) -> Iterator[str]:
    patterns = DayPatterns(component, tariff.holidays)
    weeks = [tuple(_week(patterns, month)) for month in range(1, 13)]
    for week, months in _grouped(zip(weeks, _MONTHS, strict=True)):
        yield "all year" if len(months) == len(_MONTHS) else ", ".join(months)
        for parts, days in _grouped(zip(week, WEEKDAYS, strict=True)):
            yield from _days(", ".join(days), parts, tariff)
    dates = [day for day in sorted(tariff.holidays) if tariff.is_valid_on(day)]
    if dates:
        yield f"{HOLIDAY}s"
    for parts, days in _grouped((patterns.parts(day), day.isoformat()) for day in dates):
        yield from _days(", ".join(days), parts, tariff)


def _week(patterns: DayPatterns, month: int) -> Iterator[Parts]:
    for i, weekday in enumerate(WEEKDAYS):
        yield patterns.parts_of((month, weekday), (month, WEEKDAYS[i - 1]))


def _days(label: str, parts: Parts, tariff: Tariff) -> Iterator[str]:
    yield f"  {label}"
    for part in parts:
        if part.period is not None:
            price = _money(part.period.price, tariff)
            yield f"    {clock(part.start)}-{clock(part.end)}  {price}  {part.period.name}"


def _grouped(pairs: Iterable[tuple[_Thing, str]]) -> Iterator[tuple[_Thing, list[str]]]:
    """Put the labels of equal things together, in order of first mention."""
    groups: dict[_Thing, list[str]] = {}
    for thing, label in pairs:
        groups.setdefault(thing, []).append(label)
    yield from groups.items()


def _money(amount: int, tariff: Tariff) -> str:
    return f"{amount_text(amount)} {tariff.currency}"
