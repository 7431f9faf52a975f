"""The window of a bill: unix seconds, or local dates of the tariff's zone."""

from __future__ import annotations

import re

from offchain.billing.members import parse_date
from offchain.billing.registers import Span
from offchain.billing.zones import Zone
from offchain.errors import BillingError

_MAX_INSTANT = 253_339_228_800  # 9998-01-01: local days must exist around it
_MAX_WINDOW_S = 100 * 366 * 86_400
_SECONDS = re.compile(r"[0-9]{1,12}")


def require_window(start: int, end: int) -> Span:
    """Return [start, end). Raises BillingError for one that is empty, or not to be billed."""
    if end <= start:
        raise BillingError("the window must end after it begins; its end is not included")
    if start < 0 or end > _MAX_INSTANT or end - start > _MAX_WINDOW_S:
        raise BillingError("the window must lie between 1970 and 9997 and span at most 100 years")
    return start, end


def parse_instant(text: str, zone: Zone) -> int:
    """Return unix seconds from a local date YYYY-MM-DD, the day's beginning, or from seconds."""
    if _SECONDS.fullmatch(text):
        return int(text)
    day = parse_date(text)
    if day is None or day.year < 1970:
        raise BillingError(f"{text[:40]!r} is no date YYYY-MM-DD since 1970, and no unix seconds")
    return zone.day_start(day)
