"""The components of a tariff document, read strictly (docs/formats.md §17)."""

from __future__ import annotations

from collections.abc import Callable

from offchain.billing.components import (
    HOLIDAY,
    MINUTES_A_DAY,
    WEEKDAYS,
    Component,
    Dynamic,
    Flat,
    Peak,
    Period,
    Schedule,
    Tier,
    Tiered,
)
from offchain.billing.members import Member

RESOLUTIONS_S = (900, 1_800, 3_600)
MAX_PRICE = 10**12
MAX_COMPONENTS = 64
MAX_ITEMS = 4_096
MAX_PPM = 10**9
_MAX_PERIODS = 256
_MAX_WH = 2**63 - 1
_MAX_W = 10**9
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


def components(member: Member, kinds: str) -> tuple[Component, ...]:
    """Read the components of a section, whose kinds may be these. Raises TariffError."""
    return tuple(_component(one, kinds) for one in member.items(high=MAX_COMPONENTS))


def _component(member: Member, kinds: str) -> Component:
    if not isinstance(member.value, dict) or "kind" not in member.value:
        member.refuse(f"must be an object with a member 'kind', one of {kinds}")
    kind = Member(member.value["kind"], f"{member.path}.kind").one_of(*kinds.split())
    return _READERS[kind](member)


def _flat(member: Member) -> Flat:
    found = member.members("kind name price")
    return Flat(name=found["name"].text(), price=_price(found["price"]))


def _schedule(member: Member) -> Schedule:
    found = member.members("kind name periods")
    periods = found["periods"].items(low=1, high=_MAX_PERIODS)
    return Schedule(name=found["name"].text(), periods=tuple(_period(one) for one in periods))


def _period(member: Member) -> Period:
    found = member.members("name price", optional="months days from to")
    start = _minute(found["from"], _CLOCK, "00:00 to 23:59") if "from" in found else 0
    end = MINUTES_A_DAY
    if "to" in found:
        end = _minute(found["to"], _CLOCK + "|24:00", "00:00 to 24:00")
    if start == end:
        member.refuse("from and to are equal; leave both out for a whole day")
    months = [one.integer(low=1, high=12) for one in _options(found.get("months"))]
    days = [one.one_of(*WEEKDAYS, HOLIDAY) for one in _options(found.get("days"))]
    return Period(
        name=found["name"].text(),
        price=_price(found["price"]),
        months=frozenset(months) if "months" in found else None,
        days=frozenset(days) if "days" in found else None,
        start=start,
        end=end,
    )


def _dynamic(member: Member) -> Dynamic:
    found = member.members("kind name resolution_s factor_ppm adder series")
    series, name = found["series"], None
    digests: frozenset[str] = frozenset()
    if isinstance(series.value, dict):
        name = series.members("name")["name"].text()
    else:
        what = "the 64 lower-case hex digits of a price series' digest"
        items = series.items(high=MAX_ITEMS)
        digests = frozenset(one.matching("[0-9a-f]{64}", what=what) for one in items)
    return Dynamic(
        name=found["name"].text(),
        resolution_s=found["resolution_s"].one_of(*RESOLUTIONS_S),
        factor_ppm=found["factor_ppm"].integer(low=-MAX_PPM, high=MAX_PPM),
        adder=_price(found["adder"]),
        series=digests,
        series_name=name,
    )


def _tiered(member: Member) -> Tiered:
    found = member.members("kind name per tiers")
    found["per"].one_of("month")
    items = found["tiers"].items(low=1, high=MAX_COMPONENTS)
    tiers, below = [], 0
    for i, one in enumerate(items, start=1):
        parts = one.members("up_to_wh price")
        limit = None
        if i < len(items):
            limit = below = parts["up_to_wh"].integer(low=below + 1, high=_MAX_WH)
        elif parts["up_to_wh"].value is not None:
            parts["up_to_wh"].refuse("must be null in the last tier: energy beyond needs a price")
        tiers.append(Tier(up_to_wh=limit, price=_price(parts["price"])))
    return Tiered(name=found["name"].text(), tiers=tuple(tiers))


def _peak(member: Member) -> Peak:
    found = member.members("kind name resolution_s price_per_kw minimum_w")
    found["resolution_s"].one_of(900)
    return Peak(
        name=found["name"].text(),
        price_per_kw=_price(found["price_per_kw"]),
        minimum_w=found["minimum_w"].integer(low=0, high=_MAX_W),
    )


_READERS: dict[str, Callable[[Member], Component]] = {
    "flat": _flat,
    "schedule": _schedule,
    "dynamic": _dynamic,
    "tiered": _tiered,
    "peak": _peak,
}


def _options(member: Member | None) -> list[Member]:
    return [] if member is None else member.items(low=1, high=12)


def _minute(member: Member, pattern: str, what: str) -> int:
    hours, minutes = member.matching(pattern, what=f"a time HH:MM, {what}").split(":")
    return int(hours) * 60 + int(minutes)


def _price(member: Member) -> int:
    return member.integer(low=-MAX_PRICE, high=MAX_PRICE)
