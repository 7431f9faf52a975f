"""The window of a bill: unix seconds, or local dates and months of the tariff's zone."""

from __future__ import annotations

import re
from datetime import date

from offchain.billing.members import parse_date
from offchain.billing.registers import Span
from offchain.billing.zones import Zone
from offchain.errors import BillingError

_MAX_INSTANT = 253_339_228_800  # 9998-01-01: local days must exist around it
_MAX_WINDOW_S = 100 * 366 * 86_400
_SECONDS = re.compile(r"[0-9]{1,12}")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_FIRST_YEAR = 1970


def require_window(start: int, end: int) -> Span:
    """Return [start, end). Raises BillingError for one that is empty, or not to be billed."""
    if end <= start:
        raise BillingError("the window must end after it begins; its end is not included")
    if start < 0 or end > _MAX_INSTANT or end - start > _MAX_WINDOW_S:
        raise BillingError("the window must lie between 1970 and 9997 and span at most 100 years")
    return start, end


def parse_instant(text: str, zone: Zone) -> int:
    """Return unix seconds from a local date YYYY-MM-DD, the day's beginning, or from seconds.

    A month YYYY-MM is its first day.
    """
    if _SECONDS.fullmatch(text):
        return int(text)
    day = parse_date(f"{text}-01" if _MONTH.fullmatch(text) else text)
    if day is None or day.year < _FIRST_YEAR:
        raise BillingError(
            f"{text[:40]!r} is no date YYYY-MM-DD or month YYYY-MM since 1970, and no unix seconds"
        )
    return zone.day_start(day)


def local_month(text: str, zone: Zone) -> Span:
    """Return the window of a local month YYYY-MM. Raises BillingError for another text."""
    found = _MONTH.fullmatch(text)
    first = parse_date(f"{text}-01") if found else None
    if first is None or first.year < _FIRST_YEAR:
        raise BillingError(f"{text[:40]!r} is no month YYYY-MM since 1970")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return require_window(zone.day_start(first), zone.day_start(following))


def local_days(first: str, after: str, zone: Zone) -> Span:
    """Return the window of the local days from `first` on until before `after`.

    Both as `parse_instant` takes them, but at the beginning of a local day. Raises BillingError:
    also for days that the zone has left out, when no other is among them.
    """
    start, end = parse_instant(first, zone), parse_instant(after, zone)
    if start == end and first != after:
        raise BillingError(
            f"in {zone.name} there is no local day from {first} until before {after}: its clocks "
            "were put forward over it"
        )
    require_window(start, end)
    for instant in (start, end):
        if not is_day_start(instant, zone):
            raise BillingError(
                f"{instant} is not the beginning of a local day of {zone.name}; give dates"
            )
    return start, end


def is_day_start(instant: int, zone: Zone) -> bool:
    """Tell whether a local day begins at an instant."""
    return any(day.start == instant for day in zone.days_between(instant, instant + 1))
